/** Schema of guard/image-check.py's answers, and the lines about what fits. Pure. */
import { z } from "zod";
import type { Settings } from "../config/schema.ts";

/** An error in the image's own words, and whether the reason is that nothing answers in the check's container. */
const failure = z.object({ error: z.string(), connects: z.boolean() });
const orFailure = <Shape extends z.ZodRawShape>(shape: Shape) => z.union([failure, z.object(shape)]);
const tried = orFailure({ tried: z.literal(true) });
const tasks = z.object({ count: z.number(), some: z.array(z.string()) });
export type Tasks = z.infer<typeof tasks>;

export const factsSchema = z.object({
  python: z.string(),
  uid: z.number(),
  folder: z.string(),
  programs: z.record(z.string(), z.boolean()),
  folders: z.record(z.string(), orFailure({})),
  commands: z.record(z.string(), orFailure({ heads: z.array(z.string()).optional() })),
  /** Whether what the image starts first passes a command on; null where that is not known. */
  entrypoint: z.boolean().nullable(),
  app: orFailure({
    type: z.string(),
    paths: z.record(z.string(), orFailure({ status: z.number() })),
    /** What its startup does, without database and Redis. */
    start: orFailure({}),
  }),
  drivers: z.record(z.string(), tried),
  urls: z.record(z.string(), tried),
  celery: orFailure({
    ...{ version: z.string(), kombu: z.string().nullable(), redis: z.string().nullable() },
    ...{ default: z.string(), declared: z.array(z.string()), unknown: z.array(z.string()) },
    tasks: z.record(z.string(), tasks),
    /** Whether redis-py opens lost connections to the broker again without kombu (`retry_on_timeout`). */
    reopens: z.boolean(),
    /** The tasks that are acknowledged before they run, where the application has no `task_acks_late`. */
    early: tasks,
    broker: tried,
  }).optional(),
  flower: z.boolean().optional(),
});
export type ImageFacts = z.infer<typeof factsSchema>;
export type Failure = z.infer<typeof failure>;

/** An image that could not be asked: it is not there, or has no shell or Python. */
export interface Unasked {
  /** `absent`: no engine has it; `unfit`: it does not start as every container of the stack does; `silent`: the reason is unknown. */
  readonly kind: "absent" | "unfit" | "silent";
  readonly reason: string;
}

export const isFailure = (answer: object | undefined): answer is Failure => answer !== undefined && "error" in answer;

/** A line for each thing that was found, for people. */
export function rowsOf(facts: ImageFacts, { app, workers }: Settings): [what: string, found: string][] {
  const rows: [string, string][] = [
    ["Python", `${facts.python}, user ${facts.uid}, in ${facts.folder}`],
    ...(isFailure(facts.app) ? [] : ([[app.module, facts.app.type]] as [string, string][])),
  ];
  if (!isFailure(facts.app))
    for (const [path, answer] of Object.entries(facts.app.paths))
      rows.push([
        `GET ${path}`,
        isFailure(answer) || answer.status >= 500 ? "known only when it runs" : String(answer.status),
      ]);
  for (const [name, answer] of Object.entries(facts.drivers))
    if (!isFailure(answer)) rows.push([name, "understands DATABASE_URL"]);
  for (const [name, answer] of Object.entries(facts.urls))
    if (!isFailure(answer)) rows.push([name, "SQLAlchemy and its driver take it"]);
  for (const key of ["migrate", "initialise"] as const) {
    const answer = facts.commands[key];
    if (answer !== undefined && !isFailure(answer)) rows.push([app[key].join(" "), "can run"]);
  }
  const { celery } = facts;
  if (celery !== undefined && !isFailure(celery)) {
    const queues = Object.entries(celery.tasks).map(([queue, { count }]) => `${queue} (${count})`);
    rows.push([workers.celery, `Celery ${celery.version}; tasks by queue: ${queues.join(", ") || "none"}`]);
  }
  return rows;
}
