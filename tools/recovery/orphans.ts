/** Removes containers and networks that an interrupted update created without recording them; the next update creates them. */
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
 * The containers and networks whose creation was under way. Not volumes: creating an existing volume succeeds in Docker, so
 * none has to be removed and no data can be lost.
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

/** The longest first start of a container: a database that is killed during its initialisation may never start again. */
const firstStartSeconds = 150;

/**
 * Removes the orphans.
 *
 * @returns the operations that could not be cleared, because their Docker Engine does not answer
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
      say(`  ${host} does not answer (${stderr.trim().split("\n").at(-1) ?? ""}); it is cleared next time`);
      continue;
    }
    const orphans = [...orphansOf(own), ...(host.startsWith("ssh:") ? unnoted(engine, stack, ids) : [])];
    await remove(orphans, ids, engine, say);
  }
  return left;
}

/** The stack's containers on a server that are not in the state. Only for servers: each belongs to one stack. */
function unnoted(engine: Engine, stack: string, ids: ReadonlySet<string | undefined>): Orphan[] {
  return engine
    .serviceContainers(stack, "{{.ID}} {{.Names}}")
    .stdout.split("\n")
    .map((line) => line.split(" "))
    .flatMap(([id = "", name = ""]) => (id === "" || ids.has(id) ? [] : [{ kind: "container" as const, name }]));
}

/** Removes them in parallel, since some take long to stop. */
async function remove(
  orphans: readonly Orphan[],
  ids: ReadonlySet<string | undefined>,
  engine: Engine,
  say: (line: string) => void,
): Promise<void> {
  const found = new Map<string, Orphan>();
  for (const orphan of orphans) {
    const { code, stdout } = engine.capture(orphan.kind, "inspect", "--format", "{{.ID}}", orphan.name);
    // It is in the state: the interrupted creation was that of its replacement, which does not exist.
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
    say(`  ${kind} ${name}: was created but not recorded; it was removed and will be created again`);
}

/** Stops containers with their timeouts, since they may have running requests, tasks or unwritten data. */
async function end(containers: readonly string[], engine: Engine): Promise<void> {
  const health = ["--format", "{{with .State.Health}}{{.Status}}{{end}}"];
  const areStarting = () =>
    engine.capture("container", "inspect", ...health, ...containers).stdout.includes("starting");
  for (let waited = 0; waited < firstStartSeconds && areStarting(); waited++) await sleep(1000);
  engine.capture("container", "stop", ...containers);
}
