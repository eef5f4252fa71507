/** Checks that a Celery worker answers, that few tasks wait in its queues, and that no task is held by a worker that is gone. */
import { z } from "zod";
import { redisDatabases } from "../../../common/app-contract.ts";
import { redisMonitor } from "../../../common/redis-contract.ts";
import { servicesOf } from "../../../topology/topology.ts";
import type { Service } from "../../../topology/service.ts";
import type { Checked } from "../advice.ts";
import { pythonCommand } from "../python.ts";
import type { Question } from "../question.ts";

/** More waiting tasks in one queue than this are a problem. */
const manyTasks = 1000;

/** After so many seconds a worker names each task that it has taken, when asked what it holds. */
const settledSeconds = 60;

/** What Celery's workers answer. */
export interface WorkersAnswer {
  /** The names of the workers that answer, such as `worker-emails@0123456789ab`. */
  readonly answering: readonly string[];
  /** How many tasks they run, have reserved or keep for later; undefined when not every worker says so. */
  readonly held: number | undefined;
  /** What a provider's broker has, which Celery alone reaches. @default - the broker is the stack's own, or it was not asked */
  readonly broker?: z.infer<typeof brokerSchema>;
}

const brokerSchema = z.object({
  /** The length of each queue. */
  waiting: z.record(z.string(), z.number()),
  /** How many tasks were taken a while ago and are not acknowledged. */
  overdue: z.number(),
});

/** A worker, and the host name of its container: its name in Celery is made of both. */
export interface NamedWorker {
  readonly service: Service;
  readonly host: string;
}

export async function checkWorker(question: Question): Promise<Checked> {
  const { service, workers } = question;
  if (service.kind !== "worker") return { detail: "no worker" };
  const isExternal = brokerOf(question.topology) === undefined;
  const [own, said] = await Promise.all([
    Promise.all(isExternal ? [] : service.queues.map((queue) => askBroker(question, "llen", queue))),
    workers(),
  ]);
  const lengths = service.queues.map((queue, index) => ({
    queue,
    length: said.broker?.waiting[queue] ?? own[index] ?? 0,
  }));
  const waiting = lengths.filter(({ length }) => length > 0).map(({ queue, length }) => `${queue} ${length}`);
  const isKnown = !isExternal || said.broker !== undefined;
  const none = isKnown ? "no task waits" : "what waits is not known: Celery could not ask the external broker";
  const detail = waiting.length > 0 ? `waiting: ${waiting.join(", ")}` : none;
  if (!said.answering.some((name) => name.startsWith(`${service.name}@`))) return { problem: "worker-silent", detail };
  const orphans = isFirst(question) ? await orphansOf(question, said) : 0;
  if (orphans > 0)
    return { problem: "tasks-orphaned", detail: `${detail}; ${orphans} were taken and no worker holds them` };
  return lengths.some(({ length }) => length > manyTasks) ? { problem: "tasks-pile-up", detail } : { detail };
}

/** The stack's own Redis with Celery's tasks; undefined where it is a provider's. */
const brokerOf = (topology: Question["topology"]): Service | undefined =>
  [...servicesOf(topology, "broker"), ...servicesOf(topology, "cache")][0];

/** The answer of a Redis command about Celery's database of the broker, which is a number; 0 when there is none. */
async function askBroker(
  { topology, exec }: Pick<Question, "topology" | "exec">,
  ...command: string[]
): Promise<number> {
  const broker = brokerOf(topology);
  if (!broker) return 0;
  const { output } = await exec(broker, ...redisMonitor.split(" "), "-n", String(redisDatabases.broker), ...command);
  return Number(output) || 0;
}

/** The tasks of all workers are counted once. */
const isFirst = ({ service, topology }: Question): boolean => servicesOf(topology, "worker")[0]?.name === service.name;

/**
 * How many tasks were taken from the broker, are not acknowledged, and are held by no worker: one that was killed leaves them
 * behind, and they wait until the app's visibility timeout (an hour, unless the app sets another) gives them to a worker again.
 *
 * The workers were asked before: a task that ends between the two questions is then in none of the numbers.
 */
async function orphansOf(question: Question, { held, broker }: WorkersAnswer): Promise<number> {
  if (held === undefined) return 0;
  if (broker) return Math.max(0, broker.overdue - held);
  const before = Math.floor(Date.now() / 1000) - settledSeconds;
  return Math.max(0, (await askBroker(question, "zcount", "unacked_index", "-inf", String(before))) - held);
}

/**
 * Asks workers by their names, as `celery inspect` does, which would start Celery once for each question, and wait for its whole time
 * without names. The second argument is how many tasks are not acknowledged, or a list of queues: then the broker is asked from here.
 */
const askScript = `import json, sys, time
from celery.app.utils import find_app
app, unacknowledged, names = find_app(sys.argv[1]), sys.argv[2], sys.argv[3:]
ask = app.control.inspect(destination=names, timeout=5)
answer = {"answering": sorted(ask.ping() or {})}
redis = app.connection_for_read().default_channel.client if unacknowledged.startswith("[") else None
if (str(redis.hlen("unacked")) if redis else unacknowledged) != "0":
    said = [each() or {} for each in (ask.active, ask.reserved, ask.scheduled)]
    if all(name in each for each in said for name in names):
        answer["held"] = sum(len(each[name] or []) for each in said for name in names)
if redis:
    waiting = {queue: redis.llen(queue) for queue in json.loads(unacknowledged)}
    answer["broker"] = {"waiting": waiting, "overdue": redis.zcount("unacked_index", "-inf", time.time() - ${settledSeconds})}
print("orion-workers " + json.dumps(answer))`;

const answerSchema = z.object({
  answering: z.array(z.string()),
  held: z.number().optional(),
  broker: brokerSchema.optional(),
});

/** Asks all workers that run, from the container of one of them. What they hold is asked only when something is not acknowledged. */
export async function askWorkers(
  workers: readonly NamedWorker[],
  question: Pick<Question, "topology" | "exec">,
): Promise<WorkersAnswer> {
  const [first] = workers;
  if (first?.service.kind !== "worker") return { answering: [], held: undefined };
  const queues = [...new Set(servicesOf(question.topology, "worker").flatMap((worker) => worker.queues))];
  const unacknowledged = brokerOf(question.topology)
    ? String(await askBroker(question, "hlen", "unacked"))
    : JSON.stringify(queues);
  const names = workers.map(({ service, host }) => `${service.name}@${host}`);
  const application = first.service.celery.at(-1) ?? "";
  const { output } = await question.exec(
    first.service,
    ...pythonCommand(askScript, application, unacknowledged, ...names),
  );
  const line = output.split("\n").find((each) => each.startsWith("orion-workers "));
  const said = answerSchema.safeParse(JSON.parse(line?.slice("orion-workers ".length) ?? "null")).data;
  const every = workers.length === servicesOf(question.topology, "worker").length;
  return {
    ...{ answering: said?.answering ?? [], held: every ? said?.held : undefined },
    ...(said?.broker && { broker: said.broker }),
  };
}
