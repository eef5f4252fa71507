/** Checks that a Celery worker answers, and that few tasks wait in its queues. */
import { redisDatabases } from "../../../common/app-contract.ts";
import { redisMonitor } from "../../../common/redis-contract.ts";
import { servicesOf } from "../../../topology/topology.ts";
import type { Checked } from "../advice.ts";
import type { Question } from "../question.ts";

/** More waiting tasks in one queue than this are a problem. */
const manyTasks = 1000;

export function checkWorker({ service, topology, exec }: Question): Checked {
  const [broker] = [...servicesOf(topology, "broker"), ...servicesOf(topology, "cache")];
  if (service.kind !== "worker") return { detail: "no worker" };
  const { queues, celery } = service;
  const lengths = queues.map((queue) => {
    const database = String(redisDatabases.broker);
    const { output } = broker
      ? exec(broker, ...redisMonitor.split(" "), "-n", database, "llen", queue)
      : { output: "0" };
    return { queue, length: Number(output) || 0 };
  });
  const waiting = lengths.filter(({ length }) => length > 0).map(({ queue, length }) => `${queue} ${length}`);
  const answers = exec(service, ...celery, "inspect", "ping", "--timeout", "5");
  const detail = waiting.length > 0 ? `waiting: ${waiting.join(", ")}` : "no task waits";
  if (!answers.ok || !answers.output.includes("pong")) return { problem: "worker-silent", detail };
  return lengths.some(({ length }) => length > manyTasks) ? { problem: "tasks-pile-up", detail } : { detail };
}
