/** Checks that a Celery worker answers, that few tasks wait in its queues, and that no task is held by nobody. */
import { redisDatabases } from "../../../common/app-contract.ts";
import { isRecord } from "../../../common/record.ts";
import { redisMonitor } from "../../../common/redis-contract.ts";
import { servicesOf } from "../../../topology/topology.ts";
import type { Checked } from "../advice.ts";
import type { Question } from "../question.ts";

/** More waiting tasks in one queue than this are a problem. */
const manyTasks = 1000;

/** A task that was taken so long ago is in what its worker says that it holds. */
const settledSeconds = 60;

export function checkWorker(question: Question): Checked {
  const { service, exec } = question;
  if (service.kind !== "worker") return { detail: "no worker" };
  const { queues, celery } = service;
  const lengths = queues.map((queue) => ({ queue, length: askBroker(question, "llen", queue) }));
  const waiting = lengths.filter(({ length }) => length > 0).map(({ queue, length }) => `${queue} ${length}`);
  const answers = exec(service, ...celery, "inspect", "ping", "--timeout", "5");
  const detail = waiting.length > 0 ? `waiting: ${waiting.join(", ")}` : "no task waits";
  if (!answers.ok || !answers.output.includes("pong")) return { problem: "worker-silent", detail };
  const orphans = isFirst(question) ? orphansOf(question) : 0;
  if (orphans > 0)
    return { problem: "tasks-orphaned", detail: `${detail}; ${orphans} were taken and no worker holds them` };
  return lengths.some(({ length }) => length > manyTasks) ? { problem: "tasks-pile-up", detail } : { detail };
}

/** The answer of a Redis command about Celery's database of the broker, which is a number; 0 when there is none. */
function askBroker({ topology, exec }: Question, ...command: string[]): number {
  const [broker] = [...servicesOf(topology, "broker"), ...servicesOf(topology, "cache")];
  if (!broker) return 0;
  const { output } = exec(broker, ...redisMonitor.split(" "), "-n", String(redisDatabases.broker), ...command);
  return Number(output) || 0;
}

/** The tasks of all workers are asked for once. */
const isFirst = ({ service, topology }: Question): boolean => servicesOf(topology, "worker")[0]?.name === service.name;

/**
 * How many tasks were taken from the broker, are not acknowledged, and are held by no worker: one that was killed leaves them
 * behind, and they wait until the app's visibility timeout (an hour, unless the app sets another) gives them to a worker again.
 *
 * The workers are asked first: a task that ends between the two questions is then in none of the numbers.
 */
function orphansOf(question: Question): number {
  if (askBroker(question, "hlen", "unacked") === 0) return 0;
  const held = heldTasks(question);
  const before = Math.floor(Date.now() / 1000) - settledSeconds;
  return held === undefined
    ? 0
    : Math.max(0, askBroker(question, "zcount", "unacked_index", "-inf", String(before)) - held);
}

/** The tasks that workers run, have reserved, or keep for later; undefined when not every worker says so. */
function heldTasks({ service, topology, exec }: Question): number | undefined {
  if (service.kind !== "worker") return undefined;
  const workers = servicesOf(topology, "worker").length;
  const counts = ["active", "reserved", "scheduled"].map((what) => {
    const { output } = exec(service, ...service.celery, "inspect", what, "--json", "--timeout", "5");
    return countsOf(output);
  });
  if (counts.some((each) => each === undefined || each.length < workers)) return undefined;
  return counts.flatMap((each) => each ?? []).reduce((sum, each) => sum + each, 0);
}

/** The number of tasks of each worker in what `celery inspect --json` prints; undefined for anything else. */
function countsOf(output: string): number[] | undefined {
  const text = output.split("\n").find((line) => line.startsWith("{"));
  try {
    const answer: unknown = JSON.parse(text ?? "");
    return isRecord(answer)
      ? Object.values(answer).map((tasks) => (Array.isArray(tasks) ? tasks.length : 0))
      : undefined;
  } catch {
    return undefined;
  }
}
