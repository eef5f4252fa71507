/** Judges the Celery of an image: its application, its queues, its broker, and Flower. Pure. */
import type { Settings } from "../config/schema.ts";
import { danger, type Finding, refused } from "./findings.ts";
import { importAdvice } from "./image-advice.ts";
import { type Failure, type ImageFacts, isFailure, type Tasks } from "./image-facts.ts";

export function ofCelery(facts: ImageFacts, { workers }: Settings): Finding[] {
  const { celery, flower } = facts;
  if (celery === undefined) return [];
  const noFlower =
    flower === false
      ? [
          refused(
            "image.flower",
            "the image has no Flower",
            "add flower to its requirements, or set orion:workers.commands.flower to []",
          ),
        ]
      : [];
  if (isFailure(celery)) {
    const happens = `Celery's application ${workers.celery} cannot be imported in ${facts.folder}: ${celery.error}`;
    const instead = /No module named 'celery'/.test(celery.error)
      ? "add celery[redis] to the image's requirements, or set orion:workers.enabled to false"
      : importAdvice(celery.error, workers.celery, "orion:workers.celery", facts);
    return [
      celery.connects ? danger("workers.celery", happens) : refused("workers.celery", happens, instead),
      ...noFlower,
    ];
  }
  return [
    ...ofQueues(celery, workers),
    ...ofBroker(celery),
    ...ofLostConnections(celery),
    ...ofLostTasks(celery),
    ...noFlower,
  ];
}

type Celery = Exclude<NonNullable<ImageFacts["celery"]>, Failure>;

const named = ({ count, some }: Tasks): string =>
  `${count === 1 ? "the task" : `${count} tasks, such as`} ${some[0] ?? ""}`;

function ofQueues({ declared, unknown, tasks, default: usual }: Celery, { queues }: Settings["workers"]): Finding[] {
  const list = (names: readonly string[]) => `[${names.join(", ")}]`;
  if (unknown.length > 0)
    return [
      refused(
        "workers.queues",
        `Celery's application does not define ${unknown.join(", ")}: its workers would not start`,
        `set orion:workers.queues to ${list(declared)}`,
      ),
    ];
  const served = (queue: string) => queues.includes(queue);
  const lost = Object.entries(tasks).filter(([queue]) => !served(queue));
  const all = lost.length > 0 && lost.length === Object.keys(tasks).length;
  const found = lost.map(([queue, each]) => {
    const happens = `no worker takes tasks from the queue ${queue}, to which ${named(each)} would go`;
    const instead = `add it: orion:workers.queues ${list([...queues, queue])}`;
    return all ? refused("workers.queues", happens, instead) : danger("workers.queues", happens, instead);
  });
  // Without a list of its own, Celery declares the default queue alone.
  const more = declared.filter(
    (queue) => !served(queue) && !(queue in tasks) && (declared.length > 1 || queue !== usual),
  );
  return [
    ...found,
    ...more.map((queue) =>
      danger(
        "workers.queues",
        `no worker takes tasks from the queue ${queue}, which the application defines`,
        `add it: orion:workers.queues ${list([...queues, queue])}`,
      ),
    ),
  ];
}

function ofBroker({ version, kombu, redis, broker }: Celery): Finding[] {
  if (!isFailure(broker)) return [];
  const versions = `Celery ${version} with kombu ${kombu ?? "missing"} and redis ${redis ?? "missing"}`;
  const [, missing] = /No module named '([\w.]+)'/.exec(broker.error) ?? [];
  const instead =
    missing !== undefined && redis !== null
      ? `add ${missing} to the image's requirements, or pin another version of kombu`
      : redis === null
        ? "add celery[redis] to the image's requirements"
        : "pin versions that belong together: celery[redis] chooses them";
  return [refused("image.celery", `${versions} cannot use the stack's CELERY_BROKER_URL: ${broker.error}`, instead)];
}

/**
 * redis-py opens a connection again that was cut, and kombu does not notice: the one for broadcasts has no subscription any more. Seen with
 * kombu 5.7.0 and redis-py 8.1.0, which reads there without a limit of time; earlier versions of redis-py go on after `socket_timeout`.
 */
const ofLostConnections = ({ reopens, kombu, redis }: Celery): Finding[] =>
  reopens
    ? [
        danger(
          "image.celery",
          `broker_transport_options has retry_on_timeout: a worker whose connection to the broker is cut can take no task any more (kombu ${kombu ?? "?"}, redis ${redis ?? "?"})`,
          "leave it out: Celery itself connects again",
        ),
      ]
    : [];

/** Celery's default: a task is acknowledged when it begins, and the broker forgets it. A danger, since an app may not want a task to run twice. */
const ofLostTasks = ({ early }: Celery): Finding[] =>
  early.count > 0
    ? [
        danger(
          "image.celery",
          `a task that runs when its worker is killed would be lost: Celery's application has no task_acks_late (${named(early)})`,
          "set task_acks_late and task_reject_on_worker_lost to True in Celery's configuration, and acks_late=False on a task that must not run twice",
        ),
      ]
    : [];
