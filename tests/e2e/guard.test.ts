/** The guard in the program: the real engine on a stack with PostgreSQL alone, asked for another major version in every way. */
import { docker, freePorts, Sandbox, succeed } from "../../testing/sandbox.ts";

jest.setTimeout(300_000);

let sandbox: Sandbox;

/** The database's container and its image, by their ids: the same as long as nothing has replaced it. */
const database = (): string[] =>
  docker("inspect", "--format", "{{.Id}} {{.Image}} {{.State.StartedAt}}", "orion-guard-database");
const configure = (keys: Readonly<Record<string, unknown>> = {}): void => {
  sandbox.configure({ services: [], ...keys });
};

beforeAll(async () => {
  sandbox = new Sandbox(process.cwd(), "guard", await freePorts());
  configure();
  succeed(sandbox.make("up"));
});

afterAll(() => {
  sandbox.dispose();
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
    ["up", "--yes", "--skip-preview"],
    ["up", "--yes", "--skip-preview", "--target", "**::local-image-postgres", "--target-dependents"],
  ])("is refused by pulumi %s %s %s", (...args) => {
    const { code, output } = sandbox.pulumi(...args);
    expect(code).not.toBe(0);
    expect(output).toMatch(/would run PostgreSQL 16 on the data of PostgreSQL 15, .* Instead: /);
    expect(output).toContain("nothing was changed");
    expect(database()).toEqual(before);
  });
});

test("what is no danger is not refused, and says nothing", () => {
  const { code, output } = sandbox.pulumi("preview", "--expect-no-changes");
  expect({ code, output }).toEqual({ code: 0, output: expect.not.stringContaining("Note:") as string });
});
