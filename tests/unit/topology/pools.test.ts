/** Shares of PostgreSQL's connections: of all poolers together, and what is refused. */
import fc from "fast-check";
import { plan } from "../../../topology/plan.ts";
import { directConnections, poolerShare, poolOf, reservedConnections } from "../../../topology/pools.ts";
import { servicesOf } from "../../../topology/topology.ts";
import { settingsOf } from "../support/settings.ts";

const sharesOf = (values: Record<string, unknown>) => {
  const settings = settingsOf("enterprise", values);
  const topology = plan("prod", settings);
  return { settings, topology, share: poolerShare(topology, settings) };
};

test("the poolers of phase enterprise share what is free, a third of it for reads", () => {
  const { settings, topology, share } = sharesOf({});
  // (100 - 20 reserved - 10 past them) / 5 servers
  expect(share).toEqual({ primary: 10, reads: 4 });
  expect(poolOf(topology, settings)).toEqual({ size: 5, overflow: 5 });
  expect(sharesOf({ database: { availability: "single" } }).share).toEqual({ primary: 14, reads: 0 });
});

test("what all poolers may open fits into what PostgreSQL accepts, also while every read goes to the primary", () => {
  let fitting = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 30, max: 600 }),
      (apps, workers, maxConnections) => {
        const pool = (count: number) => ({ servers: { count, types: ["cpx52"] } });
        const values = { app: pool(apps), workers: pool(workers), database: { maxConnections } };
        let planned;
        try {
          planned = sharesOf(values);
        } catch {
          return;
        }
        const { share, topology } = planned;
        const sum = servicesOf(topology, "pgbouncer").reduce(
          (total, { reads }) => total + (reads ? share.reads : share.primary),
          directConnections + reservedConnections,
        );
        expect(share.primary).toBeGreaterThanOrEqual(5);
        expect(share.reads).toBeGreaterThanOrEqual(2);
        expect(sum).toBeLessThanOrEqual(maxConnections);
        fitting++;
      },
    ),
  );
  expect(fitting).toBeGreaterThan(20);
});

test("servers whose poolers do not fit are refused with the sum", () => {
  expect(() => sharesOf({ app: { servers: { count: 9, types: ["cpx52"] } } })).toThrow(
    "orion:database.maxConnections: the PgBouncers of 11 servers with 7 connections each, 2 of them for reads, and 10 connections " +
      "past them need 87 connections, and 80 of 100 are available to them (20 are reserved for people, backups and replication); lower " +
      "the counts of orion:app.servers or orion:workers.servers, or raise orion:database.maxConnections, which restarts PostgreSQL",
  );
});

test("processes that are more clients than a pooler takes are refused with the sum: it would turn them away", () => {
  const clients = { instances: 4, uvicornWorkers: 50, memoryMb: 512 };
  expect(() => sharesOf({ app: { ...clients, uvicornWorkers: 51 } })).toThrow(
    "orion:database.pooler: the PgBouncer of app-nbg1-1 would have 4080 clients, and takes 4000: 408 processes of the app, old and " +
      "new ones during a rollout, with 10 connections each, and 0 tasks of workers; lower orion:app.instances (4), " +
      "orion:app.uvicornWorkers (51) or orion:workers.concurrency",
  );
  expect(sharesOf({ app: clients }).share.primary).toBe(10);
});

test("a pooler without a gateway is refused", () => {
  expect(() => settingsOf("scale", { database: { pooler: true }, gateway: { enabled: false } })).toThrow(
    "orion:database.pooler: got true, allowed: false without orion:gateway.enabled",
  );
  expect(() => settingsOf("development", { database: { pooler: true } })).toThrow("orion:database.pooler: got true");
});

test("an external database has no pooler in front of it", () => {
  const settings = settingsOf("scale", { database: { mode: "external", pooler: true } }, ["databaseUrl"]);
  expect(servicesOf(plan("prod", settings), "pgbouncer")).toEqual([]);
});
