/** Checks that a Celery worker answers, that few tasks wait in its queues, and that no task is held by a worker that is gone. */
import { z } from "zod";
import { servicesOf } from "../../../topology/topology.ts";
import type { Service } from "../../../topology/service.ts";
import type { Checked } from "../advice.ts";
import { pythonCommand } from "../python.ts";
import type { Question } from "../question.ts";

/** More waiting tasks in one queue than this are a problem. */
const manyTasks = 1000;

/** After so many seconds a worker names each task that it has taken, when asked what it holds. */
const settledSeconds = 60;

const answerSchema = z.object({
  /** The names of the workers that answer, such as `worker-emails@0123456789ab`. */
  answering: z.array(z.string()),
  /** How many tasks they run, have reserved or keep for later; undefined when not every worker says so. */
  held: z.number().optional(),
  /** What the broker has, as Celery in a worker's container sees it; undefined when it could not be asked. */
  broker: z
    .object({
      /** The length of each queue, with the tasks of every priority. */
      waiting: z.record(z.string(), z.number()),
      /** How many tasks were taken, at any time, and are not acknowledged. */
      unacknowledged: z.number(),
      /** How many of them were taken a while ago. */
      overdue: z.number(),
    })
    .optional(),
  /** Why the broker could not be asked. */
  error: z.string().optional(),
});

/** What Celery's workers answer, and what their broker has. */
export type WorkersAnswer = z.infer<typeof answerSchema>;

/** A worker, and the host name of its container: its name in Celery is made of both. */
export interface NamedWorker {
  readonly service: Service;
  readonly host: string;
}

export async function checkWorker(question: Question): Promise<Checked> {
  const { service, workers } = question;
  if (service.kind !== "worker") return { detail: "no worker" };
  const said = await workers();
  const lengths = lengthsOf(service.queues, said);
  const detail = `${waitingIn(lengths, said)}, ${heldIn(said)}`;
  if (!said.answering.some((name) => name.startsWith(`${service.name}@`))) return { problem: "worker-silent", detail };
  if (lengths === undefined) return { problem: "tasks-unknown", detail };
  const orphans = isFirst(question) ? orphansIn(said) : 0;
  if (orphans > 0) return { problem: "tasks-orphaned", detail: `${detail}; no worker has ${orphans} of them` };
  return lengths.some(({ length }) => length > manyTasks) ? { problem: "tasks-pile-up", detail } : { detail };
}

interface QueueLength {
  readonly queue: string;
  readonly length: number;
}

/** The lengths of queues; undefined when the broker has not told that of each: a number that is missing is not 0. */
function lengthsOf(queues: readonly string[], { broker }: WorkersAnswer): readonly QueueLength[] | undefined {
  const lengths = queues.flatMap((queue) => {
    const length = broker?.waiting[queue];
    return length === undefined ? [] : [{ queue, length }];
  });
  return lengths.length === queues.length ? lengths : undefined;
}

function waitingIn(lengths: readonly QueueLength[] | undefined, { error }: WorkersAnswer): string {
  if (lengths === undefined) return `what waits is not known (${error ?? "Celery did not say it"})`;
  const waiting = lengths.filter(({ length }) => length > 0).map(({ queue, length }) => `${queue} ${length}`);
  return waiting.length > 0 ? `waiting: ${waiting.join(", ")}` : "no task waits";
}

/**
 * The tasks of all queues that workers have: those that they have fetched, and those that they run. Without `task_acks_late` a task is
 * acknowledged when it begins, so that the broker does not count it any more while its worker still names it.
 */
function heldIn({ broker, held }: WorkersAnswer): string {
  const count = Math.max(broker?.unacknowledged ?? 0, held ?? 0);
  if (count > 0) return `${count} are held (fetched or running)`;
  return broker === undefined || held === undefined ? "what runs is not known" : "none is held";
}

/** The tasks of all workers are counted once. */
const isFirst = ({ service, topology }: Question): boolean => servicesOf(topology, "worker")[0]?.name === service.name;

/**
 * How many tasks were taken from the broker, are not acknowledged, and are held by no worker: one that was killed leaves them
 * behind, and they wait until the app's visibility timeout (an hour, unless the app sets another) gives them to a worker again.
 */
const orphansIn = ({ broker, held }: WorkersAnswer): number =>
  broker === undefined || held === undefined ? 0 : Math.max(0, broker.overdue - held);

/**
 * Asks the broker, and workers by their names, as `celery inspect` does, which would start Celery once for each question, and wait for
 * its whole time without names. The second argument is a list of queues.
 *
 * Celery's own connection is used, which also a provider's broker takes: it knows the keys of tasks with a priority, which the app
 * may name otherwise (`sep`, `priority_steps`), and leads to the master. Without `connect`, which gives up, Celery would wait for ever for a
 * broker that is away.
 *
 * What waits is counted before what is held, so that a task that is fetched meanwhile is in one of the numbers. What is overdue is
 * counted after the workers were asked: a task that ends between the two is then in none.
 */
const askScript = `import json, sys, time
from celery.app.utils import find_app
app, queues, names = find_app(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
answer = {"answering": []}
try:
    connection = app.connection_for_read()
    connection.connect()
    channel = connection.default_channel
    broker = None
    if hasattr(channel, "unacked_key"):
        redis = channel.client
        length = lambda queue: sum(redis.llen(channel._q_for_pri(queue, step)) for step in channel.priority_steps)
        broker = {"waiting": {queue: length(queue) for queue in queues}, "unacknowledged": redis.hlen(channel.unacked_key)}
    ask = app.control.inspect(destination=names, timeout=5)
    answer["answering"] = sorted(ask.ping() or {})
    if all(name in answer["answering"] for name in names):
        kinds = [ask.active] + ([ask.reserved, ask.scheduled] if broker and broker["unacknowledged"] else [])
        said = [each() or {} for each in kinds]
        if all(name in each for each in said for name in names):
            answer["held"] = sum(len(each[name] or []) for each in said for name in names)
    if broker:
        broker["overdue"] = redis.zcount(channel.unacked_index_key, "-inf", time.time() - ${settledSeconds})
        answer["broker"] = broker
    else:
        answer["error"] = "the broker of Celery is no Redis"
except Exception as error:
    answer["error"] = (type(error).__name__ + ": " + str(error)).split("\\n")[0][:200]
print("orion-workers " + json.dumps(answer))`;

/** Asks all workers that run, from the container of one of them, and their broker. */
export async function askWorkers(
  workers: readonly NamedWorker[],
  question: Pick<Question, "topology" | "exec">,
): Promise<WorkersAnswer> {
  const [first] = workers;
  if (first?.service.kind !== "worker") return { answering: [] };
  const planned = servicesOf(question.topology, "worker");
  const queues = [...new Set(planned.flatMap((worker) => worker.queues))];
  const names = workers.map(({ service, host }) => `${service.name}@${host}`);
  const application = first.service.celery.at(-1) ?? "";
  const { output } = await question.exec(
    first.service,
    ...pythonCommand(askScript, application, JSON.stringify(queues), ...names),
  );
  const answer = readAnswer(output);
  // A worker that does not run says nothing of what it held.
  return workers.length === planned.length ? answer : { ...answer, held: undefined };
}

function readAnswer(output: string): WorkersAnswer {
  const lines = output.trim().split("\n");
  const line = lines.find((each) => each.startsWith("orion-workers "));
  if (line === undefined) return { answering: [], error: (lines.at(-1) || "no answer").slice(0, 200) };
  return answerSchema.parse(JSON.parse(line.slice("orion-workers ".length)));
}
