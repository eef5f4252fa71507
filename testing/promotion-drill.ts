/** Tests of the loss of core-1 and the promotion, on a cloud with a platform in phase scale; core-1 is lost afterwards. */
import { randomUUID } from "node:crypto";
import type { RehearsalCloud } from "./cloud.ts";
import { documented } from "./documented.ts";
import { eventually } from "./eventually.ts";
import { RehearsedPlatform } from "./platform.ts";
import { promote } from "./promote.ts";
import { succeed } from "./sandbox.ts";
import { serversOf } from "./servers.ts";

/** Registers its tests. @param root folder of the project */
export function drillPromotion(root: string, cloud: RehearsalCloud): void {
  const platform = new RehearsedPlatform(root, cloud);
  const { on, query } = serversOf(cloud);
  const acknowledged: string[] = [];
  const order = async () => {
    const reference = randomUUID();
    const body = { reference, item: "lamp", quantity: 1, email: "someone@example.com" };
    if ((await platform.visit("/orders", body)) === 201) acknowledged.push(reference);
  };
  /** How many of the acknowledged orders PostgreSQL on db-2 has, of those that a condition is true for. */
  const found = async (condition = "true"): Promise<number> => {
    const references = acknowledged.map((reference) => `'${reference}'`).join(", ");
    const sql = `SELECT count(*) FROM orders WHERE reference IN (${references}) AND ${condition}`;
    return Number((await query("db-2", "replica-1", sql))[0]);
  };
  const container = () => on("db-2", "docker", "inspect", "--format", "{{.Id}}", "orion-prod-replica-1");

  test("while its primary answers, nothing is promoted", async () => {
    const { code, output } = cloud.runDocumented(documented("make promote-replica STACK=prod REHEARSAL=1"), ["YES=1"]);
    expect([code, output]).toEqual([2, expect.stringContaining("The primary on core-1 answers over SSH")]);
    expect(await query("db-2", "replica-1", "SELECT pg_is_in_recovery()")).toEqual(["t"]);
  });

  test("the replica is promoted: orders are accepted again, and none that it had is missing", async () => {
    for (let n = 0; n < 30; n++) await order();
    expect(acknowledged.length).toBeGreaterThan(20);
    const before = acknowledged.length;
    await eventually(async () => {
      expect(await found()).toBe(before);
    });
    const replica = await container();
    succeed(cloud.runDocumented(documented('make cloud-fault FAULT="killed server=orion-prod-core-1"')));
    const { code, output } = cloud.runMake("doctor", ["REHEARSAL=1"]);
    expect([code, output]).toEqual([2, expect.stringMatching(/^PROBLEM +core-1 /m)]);
    expect(output).toMatch(
      /^core-1: the server with the primary does not answer.*\n.*make promote-replica STACK=prod/m,
    );
    // The other servers are still checked.
    expect(output).toMatch(/^(ok|PROBLEM) +replica-1 /m);
    const { output: promotion } = await promote(root, cloud);
    expect(promotion).toContain("The platform runs with the primary on db-2.");
    expect(promotion).toMatch(/^ {2}volume orion-prod-core-1 \(\d+\)$/m);
    expect(await container()).toEqual(replica);
    await order();
    expect(acknowledged.length).toBe(before + 1);
    expect(await found()).toBe(before + 1);
    await eventually(async () => {
      expect(await found("confirmed_at IS NOT NULL")).toBe(before + 1);
    }, 240);
  });

  test("nothing of core-1 was deleted, a new replica streams, and doctor finds no problem", async () => {
    const servers = await cloud.list("/servers?name=orion-prod-core-1", "servers");
    expect(servers.map(({ status }) => status)).toEqual(["off"]);
    expect(await cloud.list("/volumes?name=orion-prod-core-1", "volumes")).toHaveLength(1);
    expect(await query("db-2", "replica-1", "SELECT state FROM pg_stat_replication")).toEqual(["streaming"]);
    expect(await query("db-3", "replica-2", "SELECT pg_is_in_recovery()")).toEqual(["t"]);
    expect(succeed(cloud.runDocumented(documented("make doctor STACK=prod REHEARSAL=1")))).toContain(
      "All of 'prod' is well.",
    );
    expect(cloud.rehearse("scale")).toMatch(/Resources:\n +\d+ unchanged\n/);
  });
}
