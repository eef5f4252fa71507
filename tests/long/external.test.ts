/**
 * A rehearsed stack whose PostgreSQL and Redis are a provider's: it comes up, is told what does not fit, goes from phase mvp to scale, and
 * moves its data to a PostgreSQL of its own and back, under load. The first test that fails ends the way; the rest is skipped.
 *
 * @jest-environment <rootDir>/testing/ends-at-failure.js
 */
import { resolve } from "node:path";
import { moveUnderLoad } from "../../testing/database-move.ts";
import { ExternalStack, type ExternalUrls } from "../../testing/external-stack.ts";
import { expectLossless, underLoad } from "../../testing/lossless.ts";
import { succeed } from "../../testing/sandbox.ts";

jest.setTimeout(1_800_000);

let stack: ExternalStack;
let urls: ExternalUrls;

beforeAll(async () => {
  stack = await ExternalStack.start(resolve(__dirname, "..", ".."), { name: "external", block: 90, port: 9090 });
  urls = await stack.startServices();
});
afterAll(() => {
  stack.dispose();
});

const well = () => {
  expect(succeed(stack.make("doctor"))).toContain("All of 'prod' is well.");
};

test("a rehearsal has addresses of its own, and says where to set them", () => {
  stack.configure({ database: { mode: "external", maxConnections: 100 }, cache: { mode: "external" } });
  stack.initialise();
  const { code, output } = stack.rehearse("mvp");
  expect(code).not.toBe(0);
  for (const key of Object.keys(urls))
    expect(output).toContain(
      `orion:${key}: is needed when orion:${key === "databaseUrl" ? "database" : "cache"}.mode is external; npx pulumi config set --stack prod -C .orion/cloud/external/stacks/prod --secret ${key} `,
    );
  stack.setSecrets("rehearsal", urls);
});

test("phase mvp comes up, takes orders and is well; each service is reached over TLS, and answers fast", async () => {
  succeed(stack.rehearse("mvp"));
  const said = succeed(stack.make("check-external"));
  expect(said).toMatch(/PostgreSQL 15\.\d+ at pg\.provider\.example:5432, over TLS[^]*a round trip takes \d\.\d ms/);
  expect(said).toMatch(/Redis 7[\d.]+ at cache\.provider\.example:6379, over TLS, maxmemory-policy allkeys-lru/);
  expect(said).toMatch(/Redis 7[\d.]+ at broker\.provider\.example:6379, over TLS, maxmemory-policy noeviction/);
  expect(said).toContain("The external services fit.");
  well();
  const report = await underLoad(stack.platform, () => stack.platform.ready().then(() => undefined), 5);
  expect(report.failures).toEqual([]);
});

test("its backups verify the server by the file of the app's image that the URL names, and can be restored", () => {
  expect(succeed(stack.make("backup"))).toMatch(/shop: \d+ tables counted[^]*is complete/);
  expect(succeed(stack.make("restore-drill"))).toContain("all as they were backed up");
});

test("what does not fit is named before anything is changed, everything in one message", async () => {
  const newer = await stack.lab.startPostgres("newer", { major: 17 });
  const pooled = await stack.lab.startPooler("pooled", "pg", "transaction");
  const refused = (wrong: Partial<ExternalUrls>): string => {
    stack.setSecrets("rehearsal", wrong);
    const { code, output } = stack.make("up", "YES=1");
    expect(code).not.toBe(0);
    expect(output).toContain("The external services do not fit this stack; nothing was changed:");
    expect(output).not.toContain("app-Password");
    stack.setSecrets("rehearsal", urls);
    return output;
  };
  const versionAndPolicy = refused({ databaseUrl: stack.verified(newer.url), brokerUrl: urls.redisUrl });
  expect(versionAndPolicy).toMatch(/database\.version the server is PostgreSQL 17, and pg_dump 15 /);
  expect(versionAndPolicy).toMatch(/broker\.policy maxmemory-policy is allkeys-lru/);
  expect(versionAndPolicy).toMatch(/broker\.database cache and broker are one server and one database/);
  expect(refused({ databaseUrl: stack.verified(pooled) })).toMatch(/database\.pooler .* pooler in transaction mode/);
  const publicly = urls.databaseUrl.replace(/sslrootcert=.*/, "sslrootcert=/etc/ssl/certs/ca-certificates.crt");
  expect(refused({ databaseUrl: publicly })).toMatch(/database\.connection .*certificate verify failed/);
  well();
});

test("an update prepares the move: a PostgreSQL of its own beside the external one, and poolers that lead there", async () => {
  stack.configure({
    database: { movable: true, pooler: true, memoryMb: 2560, authority: stack.authority },
    gateway: { enabled: true },
  });
  const report = await underLoad(stack.platform, () => {
    succeed(stack.rehearse("mvp"));
  });
  expect(report.failures).toEqual([]);
  well();
});

/** There and back: nothing is lost, nobody gets an error, and writes wait for less than ten seconds. */
async function thereAndBack(): Promise<void> {
  for (const to of ["own", "external"] as const) {
    const moved = await moveUnderLoad(stack, to);
    expectLossless(moved.report);
    expect(moved.report.failures).toEqual([]);
    expect(moved.paused).toBeLessThan(10);
    expect(moved.withoutOrder).toBeLessThan(10);
    expect(moved.said).not.toMatch(/docker:index:Container (app|worker)\S* .*replace/);
    expect(moved.said).not.toContain("app-Password");
    well();
  }
}

test("in phase mvp the data moves to the stack's own PostgreSQL under load, and back", thereAndBack);

test("phase scale under load: no request fails, and it is well", async () => {
  const report = await underLoad(stack.platform, () => {
    succeed(stack.rehearse("scale"));
  });
  expect(report.failures).toEqual([]);
  well();
  expect(succeed(stack.make("check-external"))).toContain("The external services fit.");
});

test("in phase scale the data moves to the stack's own PostgreSQL with its replica under load, and back", thereAndBack);

test("an update after all that changes nothing", () => {
  expect(succeed(stack.make("up", "YES=1"))).toMatch(/Resources:\n +\d+ unchanged\n/);
});
