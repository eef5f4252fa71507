/**
 * The red team: what can be reached and done on a rehearsed platform, from everywhere and with every credential, is what
 * tests/golden/red-team-*.txt says. docs/red-team.md explains the lines.
 */
import { resolve } from "node:path";
import { redisAdmin } from "../../common/redis-contract.ts";
import { RehearsalCloud } from "../../testing/cloud.ts";
import { withNeighbour } from "../../testing/red-team/neighbour.ts";
import { expectRedTeam } from "../../testing/red-team/table.ts";
import { serversOf } from "../../testing/servers.ts";

const root = resolve(__dirname, "..", "..");
jest.setTimeout(900_000);

const cloud = new RehearsalCloud(root, { name: "redteam", block: 86, port: 8860, machines: "docker" });
const { on, rows, service } = serversOf(cloud);

const expectTable = (name: string, half: "short" | "whole" = "whole"): Promise<void> =>
  withNeighbour(cloud, (neighbour) => expectRedTeam(name, { root, cloud, neighbour, half }));

afterAll(() => {
  cloud.dispose();
});

describe("phase mvp", () => {
  beforeAll(() => {
    cloud.rehearse("mvp");
  });

  test("what can be reached and done is the table", () => expectTable("red-team-mvp"));

  test("a port more and a right more fail it, each with its line", async () => {
    const [app = ""] = await on("core-1", "docker", "ps", "--quiet", "--filter", "label=service=app-core-1-1");
    const admin = (...words: string[]) =>
      on("core-1", "docker", "exec", service("broker").container, ...redisAdmin.split(" "), ...words);
    await on("core-1", "docker", "exec", "--detach", app, "timeout", "180", "python", "-m", "http.server", "9999");
    await rows("database", "GRANT pg_execute_server_program TO orion_app");
    await admin("ACL", "SETUSER", "flower", "+flushall");
    try {
      // The short half is never written to the table.
      const said = await expectTable("red-team-mvp", "short").then(
        () => "nothing",
        (error: unknown) => String(error),
      );
      for (const line of [
        /not in the table: container app-core-1-1 .*9999/,
        /not in the table: reach edge@core-1->app@core-1 .*9999/,
        /not in the table: postgresql app@core-1:DATABASE_URL .*"run a program"/,
        /not in the table: redis flower@core-1:CELERY_BROKER_URL\+CELERY_RESULT_BACKEND .*"FLUSHALL"/,
      ]) {
        expect(said).toMatch(line);
      }
    } finally {
      await rows("database", "REVOKE pg_execute_server_program FROM orion_app");
      await admin("ACL", "SETUSER", "flower", "-flushall");
      await on("core-1", "docker", "restart", app);
    }
  });
});

describe("phase scale", () => {
  beforeAll(() => {
    cloud.rehearse("scale");
  });

  test("what can be reached and done is the table", () => expectTable("red-team-scale"));
});
