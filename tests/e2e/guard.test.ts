/** The guard in the program: the real engine on a stack with PostgreSQL alone, asked for other images in every way. */
import { spawnSync } from "node:child_process";
import { docker, freePorts, Sandbox, succeed } from "../../testing/sandbox.ts";

jest.setTimeout(300_000);

let sandbox: Sandbox;

/** The database's container and its image, by their ids: the same as long as nothing has replaced it. */
const database = (): string[] =>
  docker("inspect", "--format", "{{.Id}} {{.Image}} {{.State.StartedAt}}", `orion-${sandbox.stack}-database`);
const configure = (keys: Readonly<Record<string, unknown>> = {}): void => {
  sandbox.configure({ services: [], ...keys });
};

const psql = (statement: string): string => succeed(sandbox.make("psql", {}, `${statement}\n`));

const repository = `orion/e2e-guard-${process.pid}`;
/** Images on top of the database's own, by their tags: what they are is not what they are called. */
const images: Readonly<Record<string, string>> = {
  // As one of another vendor: the same PostgreSQL.
  [`${repository}:pg16-edition`]: "LABEL edition=guard",
  // Named as 15, with a server of 16.
  [`${repository}/postgres:15`]:
    "RUN printf '#!/bin/sh\\necho postgres \\(PostgreSQL\\) 16.4\\n' > /usr/local/bin/postgres && chmod +x /usr/local/bin/postgres\nENV PATH=/usr/local/bin:$PATH",
  [`${repository}:no-trigrams`]: "RUN rm /usr/share/postgresql/15/extension/pg_trgm.control",
};

/** The options of an update without questions. */
const atOnce = ["up", "--yes", "--skip-preview"];

beforeAll(async () => {
  for (const [tag, lines] of Object.entries(images)) {
    const input = `FROM postgres:15-bookworm\n${lines}\n`;
    const built = spawnSync("docker", ["build", "--tag", tag, "-"], {
      input,
      env: { ...process.env, DOCKER_BUILDKIT: "0" },
    });
    expect({ tag, status: built.status, error: String(built.stderr) }).toMatchObject({ status: 0 });
  }
  sandbox = new Sandbox(process.cwd(), "guard", await freePorts());
  configure();
  succeed(sandbox.make("up"));
});

afterAll(() => {
  sandbox.dispose();
  docker("image", "rm", "--force", ...Object.keys(images));
});

describe("PostgreSQL 16 on the data of PostgreSQL 15", () => {
  let before: string[];
  beforeAll(() => {
    before = database();
    expect(before).toHaveLength(1);
    configure({ images: { postgres: "postgres:16-bookworm" } });
  });
  afterAll(() => {
    configure();
  });

  test.each([
    ["preview"],
    ["up", "--yes"],
    atOnce,
    [...atOnce, "--target", "**::local-image-postgres", "--target-dependents"],
  ])("is refused by pulumi %s %s %s %s", (...args) => {
    const { code, output } = sandbox.pulumi(...args);
    expect(code).not.toBe(0);
    expect(output).toMatch(/would run PostgreSQL 16 on the data of PostgreSQL 15, .* Instead: /);
    expect(output).toContain("nothing was changed");
    expect(database()).toEqual(before);
  });
});

test("an image is asked what it is, whatever its name", () => {
  const before = database();
  configure({ images: { postgres: `${repository}/postgres:15` } });
  expect(sandbox.pulumi(...atOnce).output).toMatch(/would run PostgreSQL 16 on the data of PostgreSQL 15/);
  expect(database()).toEqual(before);

  configure({ images: { postgres: `${repository}:pg16-edition` } });
  const { code, output } = sandbox.pulumi("preview");
  expect({ code, output }).toEqual({ code: 0, output: expect.not.stringMatching(/would run/) as string });
});

test("an image that cannot be asked is refused, unless the stack says what it has", () => {
  const postgres = "127.0.0.1:1/no/such:image";
  configure({ images: { postgres } });
  const { code, output } = sandbox.pulumi("preview");
  expect(code).not.toBe(0);
  expect(output).toMatch(
    /not known which PostgreSQL 127\.0\.0\.1:1\/no\/such:image runs \(.+\)\. Instead: .*orion:database\.version 15/,
  );
  configure({ images: { postgres }, database: { version: 15 } });
  succeed(sandbox.pulumi("preview"));
});

test("an image without an extension of the data is refused, until the stack agrees; then its data is still there", () => {
  psql("create extension pg_trgm; create table kept as select 42 as answer");
  const image = { postgres: `${repository}:no-trigrams` };
  configure({ images: image });
  const before = database();
  const refused = sandbox.pulumi(...atOnce);
  expect(refused.code).not.toBe(0);
  expect(refused.output).toMatch(
    /lacks the extension pg_trgm that the database uses\. Instead: [^]*npx pulumi config set --stack \S+ --path 'orion:agreed\[0\]' pg_trgm/,
  );
  expect(database()).toEqual(before);

  configure({ images: image, agreed: ["pg_trgm"] });
  expect(succeed(sandbox.pulumi(...atOnce))).toContain(`Note: database-server would run ${repository}:no-trigrams`);
  expect(database()).not.toEqual(before);
  expect(psql("select answer from kept")).toContain("42");
});

test("an update that changes nothing is not refused, and says nothing", () => {
  const { code, output } = sandbox.pulumi("preview", "--expect-no-changes");
  expect({ code, output }).toEqual({ code: 0, output: expect.not.stringContaining("Note:") as string });
});
