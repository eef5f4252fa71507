/** `orion:index:ContainerReady`: waits until a new container is healthy, or says why it does not become healthy. */
import { z } from "zod";
import { type Clock, systemClock } from "../common/clock.ts";
import { redact } from "../common/secrets.ts";
import { describeUnhealthy, shownLines, type Unhealthy } from "../common/unhealthy.ts";
import { judgeStart, type Look } from "./container-start.ts";
import { connectDocker, type DockerApi } from "./docker-api.ts";
import { engineSchema } from "./engine.ts";

export const containerReadySchema = z.strictObject({
  ...engineSchema,
  /** The container's id; with another id the resource waits again. */
  container: z.string().min(1),
  /** Logical name of its service: a container of the version before has the same one. */
  service: z.string().min(1),
  /** Its share of a busy processor once it is healthy. */
  cpuShares: z.int().min(2),
  /** Seconds that it may take, whatever it does meanwhile. @default - as plugin/container-start.ts judges it */
  seconds: z.int().min(1).optional(),
});
export type ContainerReadyInputs = z.infer<typeof containerReadySchema>;

/** Docker's usual share; containers that no visitor waits for have less. */
const usualShares = 1024;

/**
 * A quarter of its share of a busy processor, until it is healthy: a start takes all that it gets, which the containers that serve
 * visitors need first. A sixteenth, if no visitor waits for it: the new apps start before. Docker's least share is 2.
 */
const startingShares = (cpuShares: number): number =>
  Math.max(2, Math.floor(cpuShares / (cpuShares < usualShares ? 16 : 4)));

/** Milliseconds between two looks. */
const betweenLooks = 400;
/** The same for a container that has ended: its exit code is lost when Docker starts it again, a moment later. */
const betweenLooksAtEnds = 100;
/** Milliseconds between two looks at processor time and log, which cost more; a container that starts as usual is healthy before. */
const betweenCloseLooks = 8000;
/** A busy Docker Engine may not answer at once. */
const triesOfEngine = 5;
const betweenTries = 1000;

const inspected = z.object({
  Name: z.string(),
  RestartCount: z.number(),
  State: z.object({
    Running: z.boolean(),
    Restarting: z.boolean(),
    OOMKilled: z.boolean(),
    ExitCode: z.number(),
    StartedAt: z.string(),
    Health: z.object({ Status: z.string(), Log: z.array(z.object({ Output: z.string() })).nullish() }).nullish(),
  }),
  Config: z.object({ Env: z.array(z.string()).nullish(), Labels: z.record(z.string(), z.string()).nullish() }),
  HostConfig: z.object({ Memory: z.number() }),
});
type Inspected = z.infer<typeof inspected>;
const statistics = z.object({ cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }) });
const processesSchema = z.object({ Processes: z.array(z.array(z.string())) });
const listed = z.array(z.object({ Id: z.string(), Names: z.array(z.string()), Status: z.string() }));

/** Connects to a Docker Engine. */
export type Connect = typeof connectDocker;

/**
 * Resolves when the container is healthy. Until then it gets a small share of the processor.
 *
 * @throws {Error} when it is given up, with what its health check got, the end of its log, and whether another one of its service runs
 */
export async function waitForContainer(
  inputs: ContainerReadyInputs,
  connect: Connect = connectDocker,
  clock: Clock = systemClock,
): Promise<void> {
  const api = connect(inputs);
  const slow = connect(inputs, "slow");
  try {
    const start = await patiently(() => inspect(api, inputs.container), clock);
    if (!isHealthy(start)) {
      // A Docker Engine without such shares starts it with what it has.
      await giveShares(api, inputs.container, startingShares(inputs.cpuShares)).catch(() => undefined);
      if (hasFailed(start)) await restart(inputs, connect);
      await untilReady(inputs, api, new CloseLooks(slow, inputs.container, clock), clock);
    }
    await giveShares(api, inputs.container, inputs.cpuShares);
  } finally {
    api.close();
    slow.close();
  }
}

/** Over a connection of its own: one that hangs takes ten seconds to end, and a failed update leaves many of them at once. */
async function restart(inputs: ContainerReadyInputs, connect: Connect): Promise<void> {
  const api = connect(inputs, "own");
  try {
    await post(api, `${pathOf(inputs.container)}/restart?t=10`);
  } finally {
    api.close();
  }
}

async function untilReady(
  inputs: ContainerReadyInputs,
  api: DockerApi,
  closeLooks: CloseLooks,
  clock: Clock,
): Promise<void> {
  const looks: Look[] = [];
  for (;;) {
    const state = await patiently(() => inspect(api, inputs.container), clock);
    looks.push({ ...lookOf(state), ...closeLooks.seen(state), at: clock.now() });
    const verdict = judgeStart(looks, inputs.seconds);
    if (verdict?.ready === true) return;
    if (verdict) throw new Error(await explain(inputs, verdict.why, state, api));
    await clock.sleep(state.RestartCount > 0 ? betweenLooksAtEnds : betweenLooks);
  }
}

const lookOf = ({ RestartCount: restarts, State: state, HostConfig }: Inspected): Omit<Look, "at"> => ({
  isHealthy: state.Running && state.Health?.Status === "healthy",
  restarts,
  ...((!state.Running || state.Restarting) && { ended: howItEnded(state, HostConfig.Memory) }),
  answer: state.Health?.Log?.at(-1)?.Output,
});

const howItEnded = ({ OOMKilled, ExitCode }: Inspected["State"], memory: number): string =>
  OOMKilled ? `killed: its memory limit is ${Math.round(memory / 1024 / 1024)} MiB` : `with exit code ${ExitCode}`;

/** What an app with several processes says when one of them has ended. */
const death = /Child process \[\d+\] died/g;

type CloseLook = Pick<Look, "cpuSeconds" | "isBusy" | "deaths">;

/**
 * Looks at processor time, processes and log every {@link betweenCloseLooks}, beside the other looks and without making them wait: a Docker
 * Engine takes a second to measure a container's processor time, which for eight containers that start at once would leave no time for the rest.
 */
class CloseLooks {
  readonly #api: DockerApi;
  readonly #container: string;
  readonly #clock: Clock;
  #from: number;
  #isLooking = false;
  #seen: CloseLook = {};

  constructor(api: DockerApi, container: string, clock: Clock) {
    this.#api = api;
    this.#container = container;
    this.#clock = clock;
    this.#from = clock.now();
  }

  /** What was seen since the last call; looks again if it is time to. @param state the container's last known state */
  seen(state: Inspected): CloseLook {
    const seen = this.#seen;
    this.#seen = {};
    if (!this.#isLooking && this.#clock.now() - this.#from >= betweenCloseLooks) void this.#look(state);
    return seen;
  }

  async #look({ State: { StartedAt } }: Inspected): Promise<void> {
    this.#isLooking = true;
    this.#from = this.#clock.now();
    // A Docker Engine that does not answer is noticed by the other looks.
    this.#seen = await lookClosely(this.#api, this.#container, StartedAt).catch(() => ({}));
    this.#isLooking = false;
  }
}

/** @param startedAt the log of earlier runs is left out: what has ended there says nothing of this one */
async function lookClosely(api: DockerApi, id: string, startedAt: string): Promise<CloseLook> {
  const { status, body } = await api.ask("GET", `${pathOf(id)}/stats?stream=false&one-shot=true`);
  const stats = status === 200 ? statistics.safeParse(JSON.parse(body.toString())).data : undefined;
  const log = await logOf(api, id, 200, Date.parse(startedAt));
  return {
    ...(stats && { cpuSeconds: stats.cpu_stats.cpu_usage.total_usage / 1e9, isBusy: await isBusy(api, id) }),
    deaths: log.match(death)?.length ?? 0,
  };
}

/** Whether one of its processes runs, waits for a processor (R) or for a disk (D); true where they cannot be listed. */
async function isBusy(api: DockerApi, id: string): Promise<boolean> {
  const { status, body } = await api.ask("GET", `${pathOf(id)}/top?ps_args=${encodeURIComponent("-eo pid,stat")}`);
  const processes = status === 200 ? processesSchema.safeParse(JSON.parse(body.toString())).data?.Processes : undefined;
  return processes?.some(([, state = "R"]) => /^[RD]/.test(state)) ?? true;
}

const isHealthy = ({ State: { Running, Health } }: Inspected): boolean => Running && Health?.Status === "healthy";

/** A container of a failed update is restarted: what kept it from starting may have been corrected. */
const hasFailed = ({ RestartCount, State }: Inspected): boolean =>
  RestartCount > 0 || !State.Running || State.Health?.Status === "unhealthy";

async function explain(
  { container, service }: ContainerReadyInputs,
  why: string,
  state: Inspected,
  api: DockerApi,
): Promise<string> {
  const secrets = (state.Config.Env ?? []).map((one) => one.slice(one.indexOf("=") + 1));
  const lines = describeUnhealthy({
    name: state.Name.replace(/^\//, ""),
    happens: `does not start: ${why}`,
    // A Docker Engine that does not answer now must not hide the reason.
    before: await otherOf(service, container, state, api).catch(() => undefined),
    answer: state.State.Health?.Log?.at(-1)?.Output ?? "",
    log: await logOf(api, container, shownLines).catch(String),
  });
  return redact(lines.join("\n"), secrets);
}

/** Another container of the service that is healthy: the version before, where versions run side by side. */
async function otherOf(
  service: string,
  id: string,
  { Config }: Inspected,
  api: DockerApi,
): Promise<Unhealthy["before"]> {
  const stack = Config.Labels?.["stack"] ?? "";
  const filters = { label: ["app=orion", `stack=${stack}`, `service=${service}`], health: ["healthy"] };
  const { status, body } = await api.ask(
    "GET",
    `/containers/json?filters=${encodeURIComponent(JSON.stringify(filters))}`,
  );
  const found = status === 200 ? (listed.safeParse(JSON.parse(body.toString())).data ?? []) : [];
  const other = found.find(({ Id }) => Id !== id);
  return other && { name: (other.Names[0] ?? "").replace(/^\//, ""), status: other.Status };
}

/**
 * The end of what it has printed; Docker puts eight bytes before each part, the last four of which are its length.
 *
 * @param since milliseconds since 1970. @default - with what earlier runs have printed
 */
async function logOf(api: DockerApi, id: string, lines: number, since = 0): Promise<string> {
  const from = Math.max(0, since / 1000);
  const { status, body } = await api.ask("GET", `${pathOf(id)}/logs?stdout=1&stderr=1&tail=${lines}&since=${from}`);
  const parts: string[] = [];
  for (let at = 0; status === 200 && at + 8 <= body.length;) {
    const length = body.readUInt32BE(at + 4);
    parts.push(body.subarray(at + 8, at + 8 + length).toString());
    at += 8 + length;
  }
  return parts.join("");
}

const pathOf = (id: string): string => `/containers/${encodeURIComponent(id)}`;

async function inspect(api: DockerApi, id: string): Promise<Inspected> {
  const { status, body } = await api.ask("GET", `${pathOf(id)}/json`);
  if (status === 404) throw new Error(`the container ${id} does not exist any more; run up again`);
  if (status !== 200) throw new Error(`Docker cannot tell the state of ${id}: ${body.toString().trim()}`);
  return inspected.parse(JSON.parse(body.toString()));
}

const giveShares = (api: DockerApi, id: string, CpuShares: number): Promise<void> =>
  post(api, `${pathOf(id)}/update`, { CpuShares });

async function post(api: DockerApi, path: string, body?: unknown): Promise<void> {
  const { status, body: said } = await api.ask("POST", path, body);
  if (status >= 300) throw new Error(`Docker refuses ${path.slice(0, 40)}: ${said.toString().trim()}`);
}

/** Asks again when the Docker Engine did not answer. */
async function patiently<T>(ask: () => Promise<T>, clock: Clock): Promise<T> {
  for (let left = triesOfEngine - 1; ; left--) {
    try {
      return await ask();
    } catch (error) {
      if (left === 0) throw error;
      await clock.sleep(betweenTries);
    }
  }
}
