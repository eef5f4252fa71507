/** What `make setup` has installed, and nothing else, is taken away. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { daemonLog, daemonPid, installLog, type Machine } from "../../../../toolchain/src/docker.ts";
import type { ToolchainPaths } from "../../../../toolchain/src/parts.ts";
import { progressOn } from "../../../../toolchain/src/progress.ts";
import { removalsOf } from "../../../../toolchain/src/removal.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { outcomeOf } from "../../support/process.ts";

/** What apt-get wrote when the setup installed Docker. */
const log = `Reading package lists...
Selecting previously unselected package containerd.
(Reading database ... 10000 files and directories currently installed.)
Selecting previously unselected package docker.io.
Selecting previously unselected package runc:amd64.
Setting up runc (1.1.5) ...
Setting up libc6 (2.36) ...
`;
const packages = ["containerd", "docker.io", "runc"];
const files = [installLog, daemonLog, daemonPid].map((path) => `remove ${path}`);

interface Given {
  readonly log?: string;
  readonly containers?: string;
  readonly volumes?: string;
  readonly alsoRemoved?: string;
  readonly daemon?: string;
}

function machineWith(given: Given): { machine: Machine; ran: string[] } {
  const ran: string[] = [];
  const texts: Readonly<Record<string, string | undefined>> = {
    [installLog]: given.log,
    ...(given.daemon !== undefined && { [daemonPid]: "4711\n", "/proc/4711/comm": `${given.daemon}\n` }),
  };
  const machine: Machine = {
    ...{ env: {}, platform: "linux", isRoot: true, init: "bash", osRelease: "ID=debian\n" },
    progress: progressOn({ write: () => undefined }),
    readText: (path) => texts[path],
    removeFile: (path) => {
      ran.push(`remove ${path}`);
    },
    has: () => true,
    run: (program, args) => {
      const line = [program, ...args].join(" ");
      if (line.startsWith("docker container ls")) return Promise.resolve(outcomeOf({ stdout: given.containers ?? "" }));
      if (line.startsWith("docker volume ls")) return Promise.resolve(outcomeOf({ stdout: given.volumes ?? "" }));
      if (line.startsWith("apt-get --simulate")) {
        const names = [...args.slice(2), ...(given.alsoRemoved === undefined ? [] : [given.alsoRemoved])];
        return Promise.resolve(outcomeOf({ stdout: names.map((name) => `Remv ${name} [1]\n`).join("") }));
      }
      ran.push(line);
      return Promise.resolve(outcomeOf({}));
    },
    startDetached: () => undefined,
    sleep: () => Promise.resolve(),
  };
  return { machine, ran };
}

function placesIn(folder: string): ToolchainPaths {
  return {
    root: join(folder, "project"),
    pulumiHome: join(folder, ".pulumi"),
    cache: join(folder, "cache", "toolchain"),
  };
}

test("parts that the toolchain has installed, its caches and the packages of the project", async () => {
  const folder = temporaryFolder("removal");
  const places = placesIn(folder);
  const own = join(places.pulumiHome, "plugins", "resource-hcloud-v1.0.0");
  const pulumis = join(places.pulumiHome, "plugins", "resource-random-v1.0.0");
  const state = join(places.root, ".orion", "state");
  for (const one of [own, pulumis, places.cache, state, join(places.root, "node_modules")])
    mkdirSync(one, { recursive: true });
  writeFileSync(join(own, "orion-origin.json"), '{"from":"build"}');
  const { removals, kept } = await removalsOf(places, machineWith({}).machine);
  expect([removals.map(({ what }) => what), kept]).toEqual([
    [own, join(folder, "cache"), join(places.root, "node_modules")],
    [],
  ]);
  for (const { remove } of removals) await remove();
  expect([own, places.cache, pulumis, state].map((one) => existsSync(one))).toEqual([false, false, true, true]);
});

test("the Docker Engine that it has installed and started, with exactly the packages that were new", async () => {
  const { machine, ran } = machineWith({ log, daemon: "dockerd" });
  const [docker] = (await removalsOf(placesIn(temporaryFolder("removal")), machine)).removals;
  expect(docker?.what).toBe(`Docker Engine: ${packages.join(" ")}`);
  await docker?.remove();
  expect(ran).toEqual(["kill 4711", `apt-get remove -y ${packages.join(" ")}`, ...files]);
});

test("a process that has got the number of the engine's since then is left alone", async () => {
  const { machine, ran } = machineWith({ log, daemon: "postgres" });
  await (await removalsOf(placesIn(temporaryFolder("removal")), machine)).removals[0]?.remove();
  expect(ran).toEqual([`apt-get remove -y ${packages.join(" ")}`, ...files]);
});

test.each<[Given, string | undefined]>([
  [{}, undefined],
  [{ log, containers: "a\nb\n" }, "it has 2 containers"],
  [{ log, volumes: "data\n" }, "it has 1 volumes"],
  [{ log, alsoRemoved: "kind" }, "other packages need it: kind"],
])("it stays where something needs it, or the setup has not installed it: %j", async (given, why) => {
  const { removals, kept } = await removalsOf(placesIn(temporaryFolder("removal")), machineWith(given).machine);
  expect(removals).toEqual([]);
  expect(kept).toEqual(why === undefined ? [] : [`Docker Engine (${packages.join(" ")}): ${why}`]);
});
