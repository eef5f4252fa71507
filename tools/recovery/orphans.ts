/** Containers and networks that an interrupted update made and that no state knows: they are removed, and made again. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Engine, enginesIn } from "../engines.ts";
import type { Deployment, Operation } from "../state.ts";

export interface Orphan {
  readonly kind: "container" | "network";
  /** Its name, or its id. */
  readonly name: string;
}

const orphanKinds: Readonly<Record<string, Orphan["kind"]>> = {
  "docker:index/container:Container": "container",
  "docker:index/network:Network": "network",
};

/**
 * The containers and networks whose creation was under way. Volumes are not among them: Docker gives an existing one
 * of that name to whoever creates it, so nothing has to go and no data can.
 */
export function orphansOf(operations: readonly Operation[]): Orphan[] {
  return operations
    .filter(({ type }) => type === "creating")
    .flatMap(({ resource }) => {
      const kind = orphanKinds[resource.type];
      const name = resource.inputs["name"];
      return kind && typeof name === "string" ? [{ kind, name }] : [];
    });
}

/** How long a container may take to be through with its first start: a database that is cut off in it may never get up. */
const firstStartSeconds = 150;

/**
 * Removes what is there.
 *
 * @returns the operations that could not be looked into, since their Docker Engine does not answer
 */
export async function removeOrphans(
  { resources, pending_operations: operations }: Deployment,
  stack: string,
  say: (line: string) => void,
): Promise<Operation[]> {
  const ids = new Set(resources.map(({ id }) => id));
  const left: Operation[] = [];
  for (const { provider, host, engine } of enginesIn(resources)) {
    const own = operations.filter(({ resource }) => resource.provider === provider);
    const { code, stderr } = engine.capture("version", "--format", "{{.Server.Version}}");
    if (code !== 0) {
      left.push(...own);
      say(`  ${host} does not answer (${stderr.trim().split("\n").at(-1) ?? ""}); it is looked into next time`);
      continue;
    }
    const orphans = [...orphansOf(own), ...(host.startsWith("ssh:") ? unnoted(engine, stack, ids) : [])];
    await remove(orphans, ids, engine, say);
  }
  return left;
}

/** The stack's containers on a server that the state does not know. A server is one stack's alone; this machine is not. */
function unnoted(engine: Engine, stack: string, ids: ReadonlySet<string | undefined>): Orphan[] {
  return engine
    .serviceContainers(stack, "{{.ID}} {{.Names}}")
    .stdout.split("\n")
    .map((line) => line.split(" "))
    .flatMap(([id = "", name = ""]) => (id === "" || ids.has(id) ? [] : [{ kind: "container" as const, name }]));
}

/** All at once: some take their time to end. */
async function remove(
  orphans: readonly Orphan[],
  ids: ReadonlySet<string | undefined>,
  engine: Engine,
  say: (line: string) => void,
): Promise<void> {
  const found = new Map<string, Orphan>();
  for (const orphan of orphans) {
    const { code, stdout } = engine.capture(orphan.kind, "inspect", "--format", "{{.ID}}", orphan.name);
    // Known to the state: the creation was that of its successor, which did not come to be.
    if (code === 0 && !ids.has(stdout.trim())) found.set(stdout.trim(), orphan);
  }
  const idsOf = (kind: Orphan["kind"]) => [...found].flatMap(([id, one]) => (one.kind === kind ? [id] : []));
  const [containers, networks] = [idsOf("container"), idsOf("network")];
  if (containers.length > 0) {
    await end(containers, engine);
    engine.capture("container", "rm", "--force", ...containers);
  }
  if (networks.length > 0) engine.capture("network", "rm", ...networks);
  for (const { kind, name } of found.values())
    say(`  ${kind} ${name}: was made but not noted; removed, it will be made again`);
}

/** Lets containers end well, as they may have requests, tasks or data in their hands. */
async function end(containers: readonly string[], engine: Engine): Promise<void> {
  const health = ["--format", "{{with .State.Health}}{{.Status}}{{end}}"];
  const areStarting = () =>
    engine.capture("container", "inspect", ...health, ...containers).stdout.includes("starting");
  for (let waited = 0; waited < firstStartSeconds && areStarting(); waited++) await sleep(1000);
  engine.capture("container", "stop", ...containers);
}
