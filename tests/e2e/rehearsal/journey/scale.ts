/** The second stop: from one server to several under load, and what happens there when one of them is gone. */
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { documented } from "../../../../testing/documented.ts";
import { eventually } from "../../../../testing/eventually.ts";
import { lastingServices, servicesOf } from "../../../../topology/topology.ts";
import type { Journey, Stop } from "./journey.ts";

const url = "https://orion.example.com";

export const scale: Stop = {
  name: "scale, several servers",
  tests: (journey) => {
    test("a move for which Hetzner has no server, or the account no room, is refused before anything is made", async () => {
      const { cloud, platform } = journey;
      platform.configure("phase", "scale");
      platform.configure("hetzner.limits.servers", "4");
      const fault = await cloud.fault({ kind: "sold_out", locations: ["hel1"] });
      const { code, output } = platform.update();
      expect(code).not.toBe(0);
      expect(output).toMatch(/Hetzner cannot give what this update needs; nothing was changed:\n/);
      expect(output).toMatch(/ app-hel1-1 would be created, but Hetzner has no \S+ or \S+ in hel1 at the moment/);
      expect(output).toMatch(/ servers would be 5, 4 of them new; .* may have 4/);
      expect(await cloud.list("/servers", "servers")).toHaveLength(1);
      await cloud.call("DELETE", `/rehearsal/faults/${fault}`);
    });

    test("the move under load, killed in the middle and run again: no request fails, and containers with data stay the same", async () => {
      const before = await journey.servers.identity();
      expect(before).toHaveLength(4);
      await journey.unnoticed(async () => {
        await journey.killedRehearsal("scale", /LoadBalancer \S+ creating/, 30);
        journey.rehearse("scale");
      });
      expect(await journey.servers.identity()).toEqual(before);
      await expectAsPlanned(journey);
    });
    parts(journey);
    outages(journey);
    test("every order of the way is there", () => journey.expectAllOrders());
  },
};

/** On the server with the database run the containers that the plan has there, and no others. */
export async function expectAsPlanned({ cloud, servers }: Journey): Promise<void> {
  const { server } = servers.service("database");
  const planned = lastingServices(cloud.plan).filter((service) => service.server === server);
  const running = await servers.on(server, "docker", "ps", "--format", '{{.Label "service"}}');
  expect(running.sort()).toEqual(planned.map(({ name }) => name).sort());
}

/** Each edge is checked by the load balancer for HTTP and for HTTPS. */
const checksOf = ({ cloud }: Journey): number => 2 * servicesOf(cloud.plan, "edge").length;

function parts(journey: Journey): void {
  const { cloud, servers } = journey;

  test("the load balancer finds every target well, and strangers are turned away at the edges", async () => {
    await eventually(async () => {
      expect(await servers.health()).toEqual(Array(checksOf(journey)).fill("healthy"));
    });
    const [balancer] = (await cloud.status()).balancers;
    const options = ["--silent", "--insecure", "--output", "/dev/null", "--write-out", "%{http_code}"];
    const at = ["--resolve", `orion.example.com:443:${balancer?.address ?? ""}`];
    // nginx asks for Cloudflare's client certificate before it looks at the address.
    expect(spawnSync("curl", [...options, ...at, `${url}/`], { encoding: "utf8" }).stdout).toBe("400");
  });

  test("the replica follows, has the same rows, and takes no writes", async () => {
    expect(await servers.rows("database", "SELECT state FROM pg_stat_replication")).toEqual(["streaming"]);
    const rows = "SELECT count(*), sum(hashtext(o::text)) FROM orders AS o";
    const primary = await servers.rows("database", rows);
    await eventually(async () => {
      expect(await servers.rows("replica", rows)).toEqual(primary);
    });
    expect(await servers.rows("replica", "SELECT pg_is_in_recovery()")).toEqual(["t"]);
  });

  test("the faults that the docs show can be injected, and removed again", () => {
    const listed = () => [...journey.make("cloud-fault").matchAll(/^ *(\d+) /gm)].map(([, id = ""]) => id);
    for (const fault of faults) journey.asDocumented(fault);
    const [first = "", ...rest] = listed();
    // Their numbers go on from earlier faults of this cloud.
    journey.asDocumented(documented("make cloud-fault REMOVE=1").replace("REMOVE=1", `REMOVE=${first}`));
    expect(listed()).toEqual(rest);
    journey.make("cloud-fault", "REMOVE=all");
    expect(rest).toHaveLength(faults.length - 1);
  });

  test("run again it changes nothing, and nothing has drifted; doctor finds no problem, and a backup is taken from the replica", () => {
    journey.rehearseAgain("scale");
    // Every provider is asked what really exists: a platform that nobody has touched must raise no alarm.
    expect(journey.make("drift")).toContain("Everything of 'prod' is as its last update left it.");
    expect(journey.make("backup")).toMatch(/ of the replica \([^]*Z is complete/);
    expect(journey.expectWellAfterFaults()).toMatch(/^ok +backup +\d+ complete, the newest 0 h old$/m);
  });
}

/** Those that docs/rehearsal.md shows, in its order. */
const faults = [
  documented('make cloud-fault FAULT="reply api=hetzner status=429 rate=0.2"'),
  documented('make cloud-fault FAULT="reply api=hetzner method=POST path=/servers status=409 times=3"'),
  documented("make cloud-fault FAULT=\"action command=attach_volume code=action_failed message='no luck'\""),
  documented('make cloud-fault FAULT="partition servers=orion-prod-core-1,orion-prod-db-2"'),
];

function outages(journey: Journey): void {
  const { cloud, servers } = journey;

  test("an app server that is gone costs nothing once the load balancer has noticed, and no order", async () => {
    const server = servicesOf(cloud.plan, "edge").at(-1)?.server ?? "";
    let noticed = 0;
    const { failures } = await journey.underLoad(async () => {
      await servers.power(server, "poweroff");
      const off = Date.now();
      await eventually(async () => {
        expect((await servers.health()).filter((status) => status === "healthy")).toHaveLength(checksOf(journey) - 2);
      });
      noticed = Date.now();
      expect((noticed - off) / 1000).toBeLessThan(30);
      await sleep(20_000);
    });
    expect(failures.filter(({ began }) => Date.parse(began) > noticed)).toEqual([]);
    await servers.power(server, "poweron");
    await eventually(async () => {
      expect(await servers.health()).toEqual(Array(checksOf(journey)).fill("healthy"));
    }, 180);
  });

  test("a worker server that is switched off under load: the task of every order is run all the same", async () => {
    const { server } = servers.service("worker");
    await journey.unnoticed(async () => {
      await sleep(3000);
      await servers.power(server, "poweroff");
      await sleep(5000);
      await servers.power(server, "poweron");
    });
  });
}
