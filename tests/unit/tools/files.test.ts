import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plan } from "../../../topology/plan.ts";
import { localState, stackExists } from "../../../tools/backend.ts";
import { portConflicts, requireFreePorts } from "../../../tools/ports.ts";
import { readStackFile } from "../../../tools/stack-file.ts";
import { confirm, table } from "../../../tools/terminal.ts";
import { UserError } from "../../../tools/user-error.ts";
import { settingsOf } from "../support/settings.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "orion-tools-"));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe("a stack's file", () => {
  const write = (name: string, text: string) => {
    writeFileSync(join(root, `Pulumi.${name}.yaml`), text);
  };

  test("is read, checked and planned without the engine", () => {
    write("dev", "encryptionsalt: v1:abc\nconfig:\n  orion:phase: development\n  orion:services: [cache]\n");
    const { settings, topology } = readStackFile(root, "dev");
    expect(settings.services).toEqual(["cache"]);
    expect(topology.services.map(({ name }) => name)).toEqual(["database", "cache"]);
  });

  test("secrets are known by their name, other projects' keys are not ours", () => {
    write("dev", "config:\n  orion:phase: development\n  orion:sentryDsn:\n    secure: v1:xyz\n  aws:region: x\n");
    expect(readStackFile(root, "dev").settings.phase).toBe("development");
  });

  test("that is missing is answered with those that are there", () => {
    write("dev", "config: {}\n");
    expect(() => readStackFile(root, "prod")).toThrow(
      new UserError("There is no stack 'prod' here: Pulumi.prod.yaml was not found. Stacks: dev"),
    );
  });

  test("that is wrong is named", () => {
    write("dev", "config:\n  orion:phase: nonsense\n");
    expect(() => readStackFile(root, "dev")).toThrow(/^Pulumi\.dev\.yaml: .*\n.*orion:phase: got "nonsense"/);
  });

  test("that is no YAML is said to be none, and where", () => {
    write("dev", "config:\n  orion:services: [cache\n");
    expect(() => readStackFile(root, "dev")).toThrow(UserError);
    expect(() => readStackFile(root, "dev")).toThrow(/^Pulumi\.dev\.yaml is no YAML: .* at line 3/);
  });
});

test.each([
  ["dev", "development"],
  ["prod", "mvp"],
])("the project's own stack %s is valid, and of phase %s", (stack, phase) => {
  expect(readStackFile(process.cwd(), stack).settings.phase).toBe(phase);
});

describe("the state", () => {
  const before = process.env["PULUMI_BACKEND_URL"];
  afterEach(() => {
    if (before === undefined) delete process.env["PULUMI_BACKEND_URL"];
    else process.env["PULUMI_BACKEND_URL"] = before;
  });

  test.each([
    [undefined, "ROOT/.orion/state/.pulumi"],
    ["", "ROOT/.orion/state/.pulumi"],
    ["file:///somewhere/else", "/somewhere/else/.pulumi"],
    ["s3://bucket", undefined],
  ])("with PULUMI_BACKEND_URL %s lies at %s", (url, expected) => {
    if (url === undefined) delete process.env["PULUMI_BACKEND_URL"];
    else process.env["PULUMI_BACKEND_URL"] = url;
    expect(localState(root)).toBe(expected?.replace("ROOT", root));
  });

  test("lies where Pulumi.yaml says, unless the user says otherwise", () => {
    writeFileSync(join(root, "Pulumi.yaml"), "name: orion\nbackend:\n  url: file:///project/state\n");
    delete process.env["PULUMI_BACKEND_URL"];
    expect(localState(root)).toBe("/project/state/.pulumi");
    process.env["PULUMI_BACKEND_URL"] = "file:///own/state";
    expect(localState(root)).toBe("/own/state/.pulumi");
    writeFileSync(join(root, "Pulumi.yaml"), "name: orion\nbackend:\n  url: s3://bucket\n");
    delete process.env["PULUMI_BACKEND_URL"];
    expect(localState(root)).toBeUndefined();
  });

  test("does not know a stack that was never made", () => {
    delete process.env["PULUMI_BACKEND_URL"];
    expect(stackExists(root, "dev")).toBe(false);
  });
});

test("a port that somebody listens on is a conflict, with its service and its holder", async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  // No Docker Engine is there: unit tests need none.
  const topology = plan("dev", settingsOf("development", { services: ["docs"], ports: { docs: port, database: 1 } }));
  const docsAlone = { ...topology, services: topology.services.filter(({ name }) => name === "docs") };
  const noDocker = `unix://${join(root, "none.sock")}`;
  const conflicts = await portConflicts(docsAlone, noDocker);
  const refusal = await requireFreePorts(docsAlone, noDocker).catch(String);
  await new Promise((resolve) => server.close(resolve));
  expect(conflicts).toMatchObject([{ service: "docs", address: "127.0.0.1", port }]);
  expect(conflicts[0]?.holder).not.toBe("");
  const [, other] =
    /choose another: npx pulumi config set --path ports\.docs (\d+) --stack dev/.exec(refusal ?? "") ?? [];
  expect(Number(other)).toBeLessThanOrEqual(65535);
});

describe("what is printed", () => {
  test("columns of equal width, without blanks at the end", () => {
    expect(
      table([
        ["a", "b"],
        ["long", ""],
        ["x", "yy"],
      ]),
    ).toBe("a     b\nlong\nx     yy");
  });

  test("without a terminal a question is answered with no", async () => {
    expect(await confirm("Delete everything?")).toBe(false);
  });
});
