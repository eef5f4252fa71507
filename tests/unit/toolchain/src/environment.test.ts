import {
  engineEnvironment,
  folderOf,
  ownEnvironment,
  projectOf,
  type EngineContext,
  stackOf,
  usesDefaultBackend,
  usesDevelopmentPassphrase,
  wantsDebug,
} from "../../../../toolchain/src/environment.ts";

const situation = (more: Partial<EngineContext> = {}): EngineContext => ({
  root: "/project",
  engineFolder: "/home/.pulumi/versions/3/bin",
  nodeFolder: "/node/bin",
  env: { PATH: "/usr/bin" },
  stack: "dev",
  projectFile: "name: orion\n",
  stackFile: "config:\n  orion:phase: development\n",
  ...more,
});

describe("the stack that a command is about", () => {
  test.each<[string, string | undefined]>([
    ["up --stack prod", "prod"],
    ["up --stack=prod", "prod"],
    ["up -s prod", "prod"],
    ["up -sprod", "prod"],
    ["up -s organization/orion/prod", "prod"],
    ["stack init dev", "dev"],
    ["stack rm --yes dev", "dev"],
    ["stack select organization/orion/prod", "prod"],
    ["stack init", "selected"],
    ["stack ls", "selected"],
    ["config set stack dev", "selected"],
    ["up", "selected"],
    ["config set a -- -s prod", "selected"],
  ])("pulumi %s", (line, expected) => {
    expect(stackOf(line.split(" "), {}, () => "selected")).toBe(expected);
  });

  test("is none when nothing names one", () => {
    expect(stackOf(["up"], {}, () => undefined)).toBeUndefined();
    expect(stackOf(["up", "--stack"], {}, () => undefined)).toBeUndefined();
  });

  test("PULUMI_STACK goes before what is selected, which is not even asked for", () => {
    const selected = jest.fn(() => "selected");
    expect(stackOf(["up"], { PULUMI_STACK: "prod" }, selected)).toBe("prod");
    expect(selected).not.toHaveBeenCalled();
  });
});

describe("the project at work", () => {
  test("is the nearest folder upwards with a Pulumi.yaml", () => {
    const exists = (path: string) => path === "/a/Pulumi.yaml";
    expect(projectOf("/a/b/c", exists)).toBe("/a");
    expect(projectOf("/x", exists)).toBeUndefined();
  });

  test("is that of --cwd, when it is given", () => {
    expect(folderOf(["up", "--cwd", "/a"])).toBe("/a");
    expect(folderOf(["-C=/b", "up"])).toBe("/b");
    expect(folderOf(["up"])).toBe(".");
  });
});

describe("what the engine is told", () => {
  test("its own folder and a current Node.js first, local state, no questions", () => {
    expect(engineEnvironment(situation())).toEqual({
      PATH: "/home/.pulumi/versions/3/bin:/node/bin:/usr/bin",
      NODE_COMPILE_CACHE: "/project/.orion/cache/node",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      GOGC: "400",
      GOMEMLIMIT: "1GiB",
      PULUMI_BACKEND_URL: "file:///project/.orion/state?metadata=skip",
      PULUMI_CONFIG_PASSPHRASE: "orion-development",
    });
  });

  test("in a rehearsal its own state and the well-known passphrase, whatever the user has set and the phase is", () => {
    const root = "/project/.orion/cloud/main/stacks/prod";
    const stackFile = "config:\n  orion:phase: mvp\n";
    const env = ownEnvironment(root, { PULUMI_BACKEND_URL: "s3://bucket", PULUMI_CONFIG_PASSPHRASE: "" });
    expect(engineEnvironment(situation({ root, stack: "prod", stackFile, env }))).toMatchObject({
      PULUMI_BACKEND_URL: `file://${root}/.orion/state?metadata=skip`,
      PULUMI_CONFIG_PASSPHRASE: "orion-development",
    });
  });

  test("what the user has set is never changed", () => {
    const env = { PATH: "/usr/bin", PULUMI_BACKEND_URL: "s3://bucket", PULUMI_SKIP_UPDATE_CHECK: "false", GOGC: "50" };
    const told = engineEnvironment(situation({ env }));
    expect(told).toMatchObject(Object.fromEntries(Object.entries(env).filter(([name]) => name !== "PATH")));
    expect(told["PULUMI_CONFIG_PASSPHRASE"]).toBeUndefined();
  });

  test("which module Node.js loads first, after the user's own options, and once", () => {
    const options = (env: EngineContext["env"], preload: string | undefined) =>
      engineEnvironment(situation({ env, preload }))["NODE_OPTIONS"];
    expect(options({}, "/a folder/first.cjs")).toBe('--require "/a folder/first.cjs"');
    const both = '--max-old-space-size=300 --require "/first.cjs"';
    expect(options({ NODE_OPTIONS: "--max-old-space-size=300" }, "/first.cjs")).toBe(both);
    expect(options({ NODE_OPTIONS: both }, "/first.cjs")).toBe(both);
    expect(options({ NODE_OPTIONS: "--inspect" }, undefined)).toBe("--inspect");
  });

  test("a machine without a PATH gets one", () => {
    expect(engineEnvironment(situation({ env: {} }))["PATH"]).toBe("/home/.pulumi/versions/3/bin:/node/bin:");
  });

  test("the development stack's passphrase stays away from a stack with servers", () => {
    const told = engineEnvironment(situation({ stackFile: "config:\n  orion:phase: scale\n" }));
    expect(Object.keys(told)).not.toContain("PULUMI_CONFIG_PASSPHRASE");
    expect(told["PULUMI_BACKEND_URL"]).toBe("file:///project/.orion/state?metadata=skip");
  });

  describe("of a stack whose file says where its state is", () => {
    const url = "s3://orion-state?endpoint=https://a.r2.cloudflarestorage.com&region=auto";
    const stackFile = `config:\n  orion:phase: mvp\n  orion:stateUrl: ${url}\nencryptionsalt: v1:a\n`;

    test("that place, without the checksums that R2 refuses, and no well-known passphrase", () => {
      const told = engineEnvironment(situation({ stackFile }));
      expect(told).toMatchObject({
        PULUMI_BACKEND_URL: url,
        ...{ AWS_REQUEST_CHECKSUM_CALCULATION: "when_required", AWS_RESPONSE_CHECKSUM_VALIDATION: "when_required" },
      });
      expect(told["PULUMI_CONFIG_PASSPHRASE"]).toBeUndefined();
      expect(engineEnvironment(situation({ stackFile: stackFile.replace(url, `"${url}"`) }))).toMatchObject({
        PULUMI_BACKEND_URL: url,
      });
    });

    test("unless the user says otherwise, also about checksums", () => {
      const env = { PULUMI_BACKEND_URL: "s3://mine?endpoint=a", AWS_REQUEST_CHECKSUM_CALCULATION: "when_supported" };
      expect(engineEnvironment(situation({ stackFile, env }))).toMatchObject(env);
      const amazon = engineEnvironment(situation({ env: { PULUMI_BACKEND_URL: "s3://mine?region=eu-central-1" } }));
      expect(Object.keys(amazon)).not.toContain("AWS_REQUEST_CHECKSUM_CALCULATION");
    });

    test("but never in a rehearsal, nor by a comment", () => {
      const root = "/project/.orion/cloud/main/stacks/prod";
      expect(engineEnvironment(situation({ root, stackFile }))["PULUMI_BACKEND_URL"]).toMatch(/^file:/);
      const commented = stackFile.replace("  orion:stateUrl", "  # orion:stateUrl");
      expect(engineEnvironment(situation({ stackFile: commented }))["PULUMI_BACKEND_URL"]).toMatch(/^file:/);
    });
  });

  test("a backend that the project names is used", () => {
    expect(usesDefaultBackend(situation({ projectFile: "name: orion\nbackend:\n  url: s3://bucket\n" }))).toBe(false);
  });
});

describe("the well-known passphrase", () => {
  const phase = (line: string) => situation({ stackFile: `config:\n  ${line}\n` });

  test.each<[string, EngineContext, boolean]>([
    ["opens a development stack", situation(), true],
    ["also when the file quotes", phase('"orion:phase": "development" # mine'), true],
    ["also when the phase does not exist: the program shall say so", phase("orion:phase: nonsense"), true],
    ...["mvp", "scale", "enterprise", "ha"].map((name): [string, EngineContext, boolean] => [
      `opens no stack of the phase ${name}`,
      phase(`orion:phase: ${name}`),
      false,
    ]),
    ["is not won by a phase in a comment", phase("# orion:phase: development"), false],
    ["stays away from a project's own backend", situation({ projectFile: "backend:\n  url: s3://b\n" }), false],
    ["opens no stack that says no phase", situation({ stackFile: undefined }), false],
    ["gives way to a chosen one", situation({ env: { PULUMI_CONFIG_PASSPHRASE: "mine" } }), false],
    ["gives way to a chosen empty one", situation({ env: { PULUMI_CONFIG_PASSPHRASE: "" } }), false],
    ["gives way to a file", situation({ env: { PULUMI_CONFIG_PASSPHRASE_FILE: "/p" } }), false],
    ["stays away from shared state", situation({ env: { PULUMI_BACKEND_URL: "s3://bucket" } }), false],
  ])("%s", (_, given, expected) => {
    expect(usesDevelopmentPassphrase(given)).toBe(expected);
  });
});

test("debug messages are wanted when the engine's own option says so", () => {
  expect(wantsDebug(["up", "--debug"])).toBe(true);
  expect(wantsDebug(["-d", "preview"])).toBe(true);
  expect(wantsDebug(["preview", "--diff", "--stack", "debug"])).toBe(false);
});
