/** What a gateway and a pooler say, in the words of make doctor. */
import { viewOf } from "../../../../../tools/doctor/checks/gateway.ts";
import { poolsOf } from "../../../../../tools/doctor/checks/pooler.ts";

const rest = "0 1 1 627 6 3 4 6 0 0 0 - 5432 - 0 0 - - 0";
const view = (...servers: readonly string[]) =>
  viewOf(["1", "# be_id be_name srv_id srv_name srv_addr srv_op_state", ...servers].join("\n"));
const server = (port: string, name: string, state: number) => `3 ${port} 1 ${name} 10.20.1.11 ${state} ${rest}`;

test("each port with the server that is up", () => {
  const servers = [
    server("cache", "cache", 2),
    server("reads", "replica-1", 2),
    server("reads-fallback", "database", 2),
  ];
  expect(view(...servers)).toEqual({ detail: "cache: cache; reads: replica-1" });
});

test("reads that go to the primary are no problem, but said", () => {
  const servers = [server("reads", "replica-1", 0), server("reads-fallback", "database", 2)];
  expect(view(...servers)).toEqual({ detail: "reads: database, as no replica follows" });
});

test("a port without a server that is up is a problem", () => {
  const servers = [server("cache", "cache", 0), server("direct", "database", 2)];
  expect(view(...servers)).toEqual({ problem: "gateway-blocked", detail: "no server is up behind cache: cache" });
  expect(viewOf("nothing")).toEqual({ problem: "gateway-silent", detail: "nothing" });
});

test("a Sentinel that does not answer blocks no port: two of three name the master", () => {
  const following = [server("cache", "cache", 0), server("cache", "cache-replica-cache-2", 2)];
  const sentinels = [
    server("sentinel-core-1", "sentinel-core-1", 0),
    server("sentinel-cache-2", "sentinel-cache-2", 2),
  ];
  expect(view(...following, ...sentinels)).toEqual({
    detail: "cache: cache-replica-cache-2; sentinel-core-1 does not answer it",
  });
});

const header = "database user cl_active cl_waiting sv_active sv_idle sv_used maxwait pool_mode";
const pools = (...rows: readonly string[]) => poolsOf([header, ...rows, `(${rows.length} rows)`, ""].join("\n"));

test("short waits are what a pooler is for, long ones a problem", () => {
  const own = "pgbouncer pgbouncer 1 0 0 0 0 0 statement";
  expect(pools("orion_db orion_app_a 20 5 10 1 2 0 transaction", own)).toEqual({
    detail: "25 clients, 5 of them wait, the longest for 0 s; 10 connections are in use, 3 idle",
  });
  expect(pools("orion_db orion_app_a 20 500 10 0 0 7 transaction", own)).toMatchObject({ problem: "pool-full" });
  expect(poolsOf("ERROR")).toMatchObject({ problem: "pooler-silent" });
});
