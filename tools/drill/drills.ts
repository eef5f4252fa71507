/** The drills: a failure each, and how the platform recovers. */
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../common/user-error.ts";
import type { LoadReport } from "../../rehearsal/load/process.ts";
import { servicesOf } from "../../topology/topology.ts";
import { backupOutput, restoreDrillOutput } from "../backup.ts";
import { promoteReplica } from "../promotion/promote-replica.ts";
import type { StackFile } from "../stack-file.ts";
import type { NotedSpan, Notes } from "./notes.ts";
import { recoverySeconds, type Scene, until } from "./scene.ts";

export interface Drill {
  readonly name: string;
  readonly title: string;
  /** What happens, and what must hold. */
  readonly about: string;
  /** Why it cannot be done with a stack; undefined when it can. */
  readonly unfit: (file: StackFile) => string | undefined;
  /** Does it, and resolves when the platform is healthy again. @throws when it does not recover in time */
  readonly run: (scene: Scene, notes: Notes) => Promise<void>;
  /** Says what must not have happened to the requests; undefined when all is as it must be. */
  readonly judge?: (load: LoadReport, spans: readonly NotedSpan[]) => string | undefined;
  /** Why acknowledged orders may be missing afterwards. @default - none may */
  readonly mayLose?: string;
}

const noDatabase = ({ topology }: StackFile): string | undefined =>
  servicesOf(topology, "database").length === 0 ? "the database is external" : undefined;

/** The last server of apps that stands behind a load balancer with others. */
const spareServer = ({ topology }: StackFile): string | undefined => {
  const edges = servicesOf(topology, "edge").filter(({ server }) =>
    topology.servers.some(({ name, volumeGb }) => name === server && volumeGb === 0),
  );
  return topology.loadBalancers.length > 0 && edges.length > 1 ? edges.at(-1)?.server : undefined;
};

const containerKill: Drill = {
  name: "container-kill",
  title: "Each container is killed",
  about:
    "The first process of one container after the other is killed, as the kernel does when memory runs out. Docker starts it " +
    "again; only what that container was doing may fail.",
  unfit: () => undefined,
  run: async (scene, notes) => {
    for (const service of scene.services) {
      await notes.during(service.name, async () => {
        await scene.kill(service);
        await scene.healthy([service]);
      });
      await scene.ready();
    }
    const slowest = notes.spans.reduce((one, other) => (other.to - other.from > one.to - one.from ? other : one));
    notes.fact("containers", String(notes.spans.length));
    notes.fact("slowest until healthy", `${slowest.label}, ${((slowest.to - slowest.from) / 1000).toFixed(1)} s`);
  },
};

const fullVolume: Drill = {
  name: "full-volume",
  title: "The database's Volume is full",
  about:
    "The Volume is filled until no order is accepted, stays full for ten seconds, and is emptied again. No acknowledged order may be missing.",
  unfit: noDatabase,
  run: async (scene, notes) => {
    const empty = await scene.fillVolume(scene.primary);
    try {
      await notes.during("filling up", () =>
        until("no order is accepted", recoverySeconds, async () => (await scene.placeOrder()) !== 201),
      );
      await notes.during("full", () => sleep(10_000));
    } finally {
      await empty();
    }
    await notes.during("until orders are accepted", () => scene.ready());
  },
};

const powerCut: Drill = {
  name: "power-cut",
  title: "The database's server loses its power",
  about:
    "The server stops without a shutdown, and what was not written through to its disks is lost. It is switched on again a " +
    "second later, and must recover by itself.",
  unfit: noDatabase,
  run: async (scene, notes) => {
    await scene.cutPower(scene.primary);
    await notes.during("from power on until orders are accepted", () => scene.ready());
  },
};

const noticed = "until the load balancer has noticed";

const lostAppServer: Drill = {
  name: "lost-app-server",
  title: "A server of apps is gone",
  about: "One of several servers of apps is switched off. Once the load balancer has noticed, no request may fail.",
  unfit: (file) =>
    spareServer(file) === undefined ? "there is no second server of apps behind a load balancer" : undefined,
  run: async (scene, notes) => {
    const server = spareServer(scene.file) ?? "";
    notes.fact("server", server);
    await notes.during(noticed, async () => {
      await scene.power(server, "poweroff");
      await scene.balanced(server, false);
    });
    await notes.during("without it", () => sleep(20_000));
    await notes.during("until it takes requests again", async () => {
      await scene.power(server, "poweron");
      scene.engines.of({ server }).disconnect();
      await scene.balanced(server, true);
    });
  },
  judge: ({ failures }, spans) => {
    const from = spans.find(({ label }) => label === noticed)?.to ?? 0;
    const later = failures.filter(({ began }) => Date.parse(began) > from).length;
    return later > 0 ? `${later} requests failed that began after the load balancer had noticed.` : undefined;
  },
};

const restore: Drill = {
  name: "restore",
  title: "A backup is restored",
  about:
    "A backup is taken while visitors use the platform, fetched, decrypted and restored into a scratch server, and every table is compared.",
  unfit: ({ topology }) => (servicesOf(topology, "backup").length === 0 ? "the stack takes no backups" : undefined),
  run: async (scene, notes) => {
    const { folder, file, engines } = scene;
    await notes.during("backup", () => {
      const { code, output } = backupOutput(file, engines);
      notes.output += output;
      return code === 0
        ? Promise.resolve()
        : Promise.reject(new UserError("The backup was not taken; see its output."));
    });
    await notes.during("restore", async () => {
      const { code, output } = await restoreDrillOutput(folder, file, engines);
      notes.output += output;
      if (code !== 0) throw new UserError("The backup could not be restored; see its output.");
    });
  },
};

const promotion: Drill = {
  name: "promotion",
  title: "The primary's server is lost, and the replica takes over",
  about:
    "The server with the primary is switched off for good, and `make promote-replica` makes the replica the primary. Afterwards the platform " +
    "has a new replica.",
  unfit: (file) =>
    servicesOf(file.topology, "replica").length === 0 ? "there is no replica (orion:database.availability)" : undefined,
  run: async (scene, notes) => {
    notes.fact("lost server", scene.primary);
    await scene.power(scene.primary, "poweroff");
    await notes.during("promotion", async () => {
      const code = await promoteReplica(scene.folder, scene.file, true);
      if (code !== 0) throw new UserError(`make promote-replica ended with code ${code}.`);
    });
    scene.reread();
    notes.fact("new primary", scene.primary);
    await notes.during("until all containers are healthy", () => scene.healthy());
  },
  mayLose:
    "Replication is asynchronous: what the primary acknowledged in its last moment may not have reached the replica (docs/promotion.md).",
};

/** All drills in the order in which they are done: the last one leaves another primary. */
export const drills: readonly Drill[] = [containerKill, fullVolume, powerCut, lostAppServer, restore, promotion];

/**
 * The drills that are asked for, in their order.
 *
 * @param names separated by commas. @default all
 * @throws {UserError} for an unknown name
 */
export function chosenDrills(names: string | undefined): readonly Drill[] {
  if (names === undefined) return drills;
  const wanted = names.split(",").map((name) => name.trim());
  const known = drills.map(({ name }) => name);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UserError(`DRILL: got '${unknown}', allowed: ${known.join(", ")}`);
  return drills.filter(({ name }) => wanted.includes(name));
}
