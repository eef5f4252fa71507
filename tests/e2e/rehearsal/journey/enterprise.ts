/** The third stop: from scale to phase enterprise under load, and what happens there when a Redis is lost. */
import { servicesOf } from "../../../../topology/topology.ts";
import { SentinelDrill } from "../../../../testing/sentinel-drill.ts";
import { poolerConsole } from "../../../../topology/services/pgbouncer.ts";
import type { Journey, Stop } from "./journey.ts";
import { expectAsPlanned } from "./scale.ts";

export const enterprise: Stop = {
  name: "enterprise, Redis with failover",
  tests: (journey) => {
    const { cloud, servers } = journey;

    test("the move under load: no request fails, and containers with data stay the same", async () => {
      const before = await servers.identity();
      await journey.unnoticed(() => {
        journey.rehearse("enterprise");
      });
      expect(await servers.identity()).toEqual(before);
      await expectAsPlanned(journey);
    });

    test("run again it changes nothing, and doctor finds no problem", () => {
      journey.rehearseAgain("enterprise");
      journey.expectWellAfterFaults();
    });

    test("the servers have the types of the plan, and the file systems the size of the Volumes", async () => {
      const types = (await servers.all()).map(({ name, type }) => [name, type]);
      expect(Object.fromEntries(types)).toEqual(
        Object.fromEntries(cloud.plan.servers.map(({ name, types: [first] }) => [name, first])),
      );
      for (const { server, volumeGb } of withVolume(journey)) {
        const [, size = ""] = await servers.on(server, "df", "--output=size", "-BG", "/mnt/orion-data");
        expect([server, parseInt(size, 10) > volumeGb * 0.9]).toEqual([server, true]);
      }
    });

    test("the apps of every server reach PostgreSQL through the PgBouncer beside them", async () => {
      const appServers = new Set(servicesOf(cloud.plan, "app").map(({ server }) => server));
      const poolers = servicesOf(cloud.plan, "pgbouncer").filter(
        ({ server, reads }) => !reads && appServers.has(server),
      );
      expect(poolers).toHaveLength(appServers.size);
      for (const { server, container } of poolers) {
        const shown = ["-A", "-t", "-F", " ", "-c", "SHOW CLIENTS"];
        const clients = await servers.on(server, "docker", "exec", container, ...poolerConsole.split(" "), ...shown);
        expect([container, clients.some((client) => client.startsWith("C orion_app"))]).toEqual([container, true]);
      }
    });

    test("the master of the broker is killed under load: another one takes over, and the task of every order is run", async () => {
      const { seconds, changes } = await lost(journey);
      expect(changes).toBe(1);
      expect(seconds).toBeLessThan(60);
      journey.expectWellAfterFaults();
    });

    test("every order of the way is there", () => journey.expectAllOrders());
  },
};

const withVolume = ({ cloud }: Journey) =>
  cloud.plan.servers.flatMap(({ name, volumeGb }) => (volumeGb > 0 ? [{ server: name, volumeGb }] : []));

async function lost(journey: Journey) {
  const drill = new SentinelDrill(journey.cloud);
  let outcome: Awaited<ReturnType<SentinelDrill["lose"]>> | undefined;
  await journey.underLoad(async () => {
    outcome = await drill.lose("broker", "kill");
  });
  if (!outcome) throw new Error("the drill had no outcome");
  return outcome;
}
