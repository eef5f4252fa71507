/**
 * Loses the master of a Redis group on a rehearsed platform in several ways, and measures how long clients cannot write. Clients
 * are two apps on different servers, which write through their gateways all the time and note which Redis took each write.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { redisAdmin, redisFile } from "../common/redis-contract.ts";
import type { Service } from "../topology/service.ts";
import { servicesOf } from "../topology/topology.ts";
import type { RehearsalCloud } from "./cloud.ts";
import { eventually } from "./eventually.ts";
import { serversOf } from "./servers.ts";

export const groups = ["cache", "broker"] as const;
export type Group = (typeof groups)[number];

/** `power`: its server loses power; `kill`: `docker kill`; `partition`: cut off from all other servers; `freeze`: SIGSTOP. */
export const losses = ["power", "kill", "partition", "freeze"] as const;
export type Loss = (typeof losses)[number];

/** A write that was acknowledged to an app. */
interface Write {
  readonly sent: number;
  readonly at: number;
  /** The run of the Redis that took it. */
  readonly run: string;
}

export interface Outcome {
  readonly group: Group;
  readonly loss: Loss;
  /** Server of the lost master. */
  readonly server: string;
  /** Seconds from the loss until each app had a write acknowledged by another master. */
  readonly seconds: number;
  /** How often the Redis that takes writes has changed, over both apps and until the lost one was back: 1 is right. */
  readonly changes: number;
}

/** Writes 20 times a second with the app's own settings, and prints which Redis took each write. */
const writer = `
import os, sys, threading, time
from app.core.redis import broker, cache_store
def end_with_input():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=end_with_input, daemon=True).start()
client = {"cache": cache_store, "broker": broker}[sys.argv[1]]()
key = "celery-task-meta-drill-" + sys.argv[2]
while True:
    sent = time.time()
    try:
        with client.pipeline(transaction=True) as pipe:
            ok, info = pipe.set(key, sent, ex=60).info("server").execute()
        if ok: print(f"{sent:.3f} {time.time():.3f} {info['run_id']}", flush=True)
    except Exception:
        pass
    time.sleep(0.05)
`;

export class SentinelDrill {
  readonly #cloud: RehearsalCloud;

  constructor(cloud: RehearsalCloud) {
    this.#cloud = cloud;
  }

  /** Loses the master of a group, waits until both apps write to another one, restores it, and waits until it is a replica. */
  async lose(group: Group, loss: Loss): Promise<Outcome> {
    let master = await this.#master(group);
    // With the server of PostgreSQL's primary no order could be accepted.
    if (loss === "power" && master.server === this.#first(group).server) {
      await this.#lead(this.#members(group).find(({ name }) => name !== master.name) ?? master);
      // Each loss is that of one server of a whole group.
      await this.#replicasOnline(group);
      master = await this.#master(group);
    }
    const writers = await this.#startWriters(group);
    try {
      await eventually(() => {
        for (const { writes } of writers) if (writes.length < 20) throw new Error("an app does not write");
      });
      const run = writers[0]?.writes.at(-1)?.run;
      const lost = Date.now() / 1000;
      const restore = await this.#inject(loss, master);
      let first: number[] = [];
      try {
        await eventually(() => {
          const found = writers.map(({ writes }) => writes.find((write) => write.sent > lost && write.run !== run)?.at);
          first = found.flatMap((at) => (at === undefined ? [] : [at]));
          if (first.length < writers.length) throw new Error(`${group}: no other master takes writes after ${loss}`);
        }, 60);
      } finally {
        await restore();
      }
      await this.#replicasOnline(group);
      await sleep(2000);
      const all = writers.flatMap(({ writes }) => writes).sort((one, other) => one.at - other.at);
      const changes = all.filter((write, at) => at > 0 && all[at - 1]?.run !== write.run).length;
      return { group, loss, server: master.server, seconds: Math.max(...first) - lost, changes };
    } finally {
      // They end with their standard input.
      for (const { child } of writers) child.stdin.end();
    }
  }

  #members(group: Group): readonly Service[] {
    const { plan } = this.#cloud;
    return [...servicesOf(plan, group), ...servicesOf(plan, `${group}-replica`)];
  }

  #first(group: Group): Service {
    const [first] = this.#members(group);
    if (!first) throw new Error(`the plan has no ${group}`);
    return first;
  }

  async #inside({ server, container }: Service, ...words: string[]): Promise<string[]> {
    return serversOf(this.#cloud).on(server, "docker", "exec", container, ...words);
  }

  async #master(group: Group): Promise<Service> {
    const [answer] = await this.#inside(this.#first(group), "sh", redisFile("master"), group);
    const master = this.#members(group).find(({ published: [at] }) => at && `${at.address} ${at.port}` === answer);
    if (!master) throw new Error(`${group}: the Sentinels name ${answer ?? "nobody"}`);
    return master;
  }

  async #lead(service: Service): Promise<void> {
    await this.#inside(service, "sh", redisFile("lead"));
    await sleep(12_000);
  }

  /** @returns what undoes it */
  async #inject(loss: Loss, { server, container }: Service): Promise<() => Promise<void>> {
    const { on, power } = serversOf(this.#cloud);
    switch (loss) {
      case "power":
        await power(server, "poweroff");
        return () => power(server, "poweron");
      case "kill":
        await on(server, "docker", "kill", container);
        return async () => {
          await on(server, "docker", "start", container);
        };
      case "freeze":
        await on(server, "docker", "pause", container);
        return async () => {
          await on(server, "docker", "unpause", container);
        };
      case "partition":
        return this.#cutOff(server);
    }
  }

  /** Cuts a server off from the servers with the other Redis and Sentinels; the apps' servers still reach it. */
  async #cutOff(server: string): Promise<() => Promise<void>> {
    const ids = new Map(
      (await this.#cloud.list("/servers?per_page=50", "servers")).map(({ name, id }) => [String(name), Number(id)]),
    );
    const idOf = (name: string) => ids.get(`orion-prod-${name}`);
    const others = [...new Set(this.#members("cache").map((one) => one.server))].filter((name) => name !== server);
    const faults: number[] = [];
    for (const other of others)
      faults.push(await this.#cloud.fault({ kind: "partition", servers: [idOf(server), idOf(other)] }));
    return async () => {
      for (const id of faults) await this.#cloud.call("DELETE", `/rehearsal/faults/${id}`);
    };
  }

  /** Resolves when the master has both replicas, and each of them is connected. */
  async #replicasOnline(group: Group): Promise<void> {
    await eventually(async () => {
      const master = await this.#master(group);
      const info = await this.#inside(master, ...redisAdmin.split(" "), "info", "replication");
      const online = info.filter((line) => /^slave\d+:.*state=online/.test(line)).length;
      if (!info.some((line) => line.startsWith("role:master")) || online < 2)
        throw new Error(`${group}: ${online} replicas`);
    }, 180);
  }

  async #startWriters(
    group: Group,
  ): Promise<{ readonly child: ChildProcessWithoutNullStreams; readonly writes: Write[] }[]> {
    const apps = servicesOf(this.#cloud.plan, "app");
    // One on each server.
    const chosen = [...new Map(apps.map((app) => [app.server, app])).values()].slice(0, 2);
    return Promise.all(
      chosen.map(async ({ server, name }) => {
        const [id = ""] = await serversOf(this.#cloud).on(
          server,
          "docker",
          "ps",
          "-q",
          "--filter",
          `label=service=${name}`,
        );
        const machine = await this.#machine(server);
        const child = spawn("docker", [
          ...["exec", "--interactive", machine, "docker", "exec", "--interactive", id],
          ...["python", "-c", writer, group, name],
        ]);
        const writes: Write[] = [];
        let rest = "";
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          const lines = (rest + text).split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) {
            const [sent = "", at = "", run = ""] = line.split(" ");
            writes.push({ sent: Number(sent), at: Number(at), run });
          }
        });
        return { child, writes };
      }),
    );
  }

  async #machine(server: string): Promise<string> {
    const [found] = await this.#cloud.list(`/servers?name=orion-prod-${server}`, "servers");
    return `orion-cloud-${this.#cloud.settings.instance}-server-${String(found?.["id"])}`;
  }
}
