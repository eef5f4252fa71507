/** A stack's file, read without the engine. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../common/user-error.ts";
import { describeStack, inDatabaseMode, readStackFile } from "../../../tools/stack-file.ts";
import { leastValues } from "../support/settings.ts";
import { temporaryFolder } from "../../../testing/folder.ts";

const config = (more: object) =>
  Object.fromEntries(
    Object.entries({ ...leastValues("scale"), ...more }).map(([key, value]) => [`orion:${key}`, value]),
  );

test("a value that was set as a text means the same to the tools as to the engine", () => {
  const locations = '{"locations":["hel1"]}';
  const { settings } = describeStack("prod", { config: config({ protection: "false", hetzner: locations }) });
  expect(settings).toMatchObject({ protection: false, hetzner: { locations: ["hel1"] } });
  expect(describeStack("prod", { config: config({ domain: "1e3.example.com" }) }).settings.domain).toBe(
    "1e3.example.com",
  );
});

test.each([
  ["dev", "development"],
  ["prod", "mvp"],
])("the project's own stack %s is valid, and of phase %s", (stack, phase) => {
  expect(readStackFile(process.cwd(), stack).settings.phase).toBe(phase);
});

describe("a file", () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder("stack-file");
  });
  const write = (name: string, text: string) => {
    writeFileSync(join(root, `Pulumi.${name}.yaml`), text);
  };

  test("is read, checked and planned without the engine", () => {
    write("dev", "encryptionsalt: v1:abc\nconfig:\n  orion:phase: development\n  orion:services: [cache]\n");
    const { settings, topology } = readStackFile(root, "dev");
    expect(settings.services).toEqual(["cache"]);
    expect(topology.services.map(({ name }) => name)).toEqual(["database", "cache"]);
  });

  test("secrets are known by their name, providers' keys are not ours", () => {
    write("dev", "config:\n  orion:phase: development\n  orion:sentryDsn:\n    secure: v1:xyz\n  hcloud:token: x\n");
    expect(readStackFile(root, "dev").settings.phase).toBe("development");
  });

  test("has every digit of a variable in quotes, and a number that loses some is refused", () => {
    const withId = (id: string) =>
      `config:\n  orion:phase: development\n  orion:app:\n    environment:\n      GUILD: ${id}\n`;
    write("dev", withId('"1234567890123456789"'));
    expect(readStackFile(root, "dev").settings.app.environment).toEqual({ GUILD: "1234567890123456789" });
    write("dev", withId("1234567890123456789"));
    expect(() => readStackFile(root, "dev")).toThrow(/orion:app\.environment\.GUILD: got .* write it in quotes/);
  });

  test("is tried with another mode of its database before data moves there", () => {
    const file = config({ app: { environment: { READS: "${DATABASE_REPLICA_URL}" } } });
    write(
      "prod",
      JSON.stringify({
        config: { ...file, "orion:database": { movable: true }, "orion:databaseUrl": { secure: "v1:x" } },
      }),
    );
    expect(readStackFile(root, "prod").settings.database).toMatchObject({ mode: "provision", movable: true });
    const moved = readStackFile(root, "prod", inDatabaseMode("external"));
    expect(moved.settings.database).toMatchObject({ mode: "external", movable: true });
  });

  test.each([
    ["oroin:protection", "did you mean orion:protection?"],
    ["orion-infrastructure:domain", "did you mean orion:domain?"],
    ["aws:region", "aws:region: allowed: a key of orion, hcloud, cloudflare, docker, random, tls, pulumi"],
  ])("with the key %s, which nothing reads, is refused", (key, message) => {
    write("dev", `config:\n  orion:phase: development\n  ${key}: x\n`);
    expect(() => readStackFile(root, "dev")).toThrow(message);
  });

  test("that is a folder is an error without a stack trace", () => {
    mkdirSync(join(root, "Pulumi.dirr.yaml"));
    expect(() => readStackFile(root, "dirr")).toThrow(UserError);
    expect(() => readStackFile(root, "dirr")).toThrow(/^The stack file .*Pulumi\.dirr\.yaml could not be read: EISDIR/);
  });

  test("that is missing is an error that lists the existing ones", () => {
    write("dev", "config: {}\n");
    expect(() => readStackFile(root, "prod")).toThrow(
      new UserError("There is no stack 'prod' here: Pulumi.prod.yaml was not found. Stacks: dev"),
    );
  });

  test("that is wrong is named", () => {
    write("dev", "config:\n  orion:phase: nonsense\n");
    expect(() => readStackFile(root, "dev")).toThrow(/^Pulumi\.dev\.yaml: .*\n.*orion:phase: got "nonsense"/);
  });

  test("that is not YAML is an error with the line", () => {
    write("dev", "config:\n  orion:services: [cache\n");
    expect(() => readStackFile(root, "dev")).toThrow(UserError);
    expect(() => readStackFile(root, "dev")).toThrow(/^Pulumi\.dev\.yaml is not YAML: .* at line 3/);
  });

  test("with a secret that is missing: the command names the stack, and a fresh clone is told to make it first", () => {
    const file = config({ email: { backend: "sendgrid" } });
    writeFileSync(join(root, "Pulumi.prod.yaml"), JSON.stringify({ config: file }));
    const commands = /npx pulumi config set --stack prod --secret emailApiKey[^]*; first: npx pulumi stack init prod$/;
    expect(() => readStackFile(root, "prod")).toThrow(commands);
  });

  test("of a rehearsal with a secret that is missing: the command names the rehearsal's folder, not the stack's own", () => {
    const folder = join(root, ".orion", "cloud", "main", "stacks", "prod");
    mkdirSync(folder, { recursive: true });
    const file = config({ database: { mode: "external" } });
    writeFileSync(join(folder, "Pulumi.prod.yaml"), JSON.stringify({ config: file }));
    expect(() => readStackFile(folder, "prod")).toThrow(
      "npx pulumi config set --stack prod -C .orion/cloud/main/stacks/prod --secret databaseUrl postgresql://...",
    );
  });
});
