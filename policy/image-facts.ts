/**
 * Judges what an image of the platform has said about itself (guard/image-check.py): what a stack needs of it and does not find,
 * each with the setting or the line of its Dockerfile that mends it. Pure.
 */
import { z } from "zod";
import type { Settings } from "../config/schema.ts";
import { asAgreed, danger, type Finding, refused } from "./findings.ts";

/** An error in the image's own words, and whether the reason is that nothing answers in the check's container. */
const failure = z.object({ error: z.string(), connects: z.boolean() });
const orFailure = <Shape extends z.ZodRawShape>(shape: Shape) => z.union([failure, z.object(shape)]);
const tried = orFailure({ tried: z.literal(true) });

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
    tasks: z.record(z.string(), z.object({ count: z.number(), some: z.array(z.string()) })),
    /** Whether redis-py opens lost connections to the broker again without kombu (`retry_on_timeout`). */
    reopens: z.boolean(),
    broker: tried,
  }).optional(),
  flower: z.boolean().optional(),
});
export type ImageFacts = z.infer<typeof factsSchema>;
type Failure = z.infer<typeof failure>;

/** An image that could not be asked: it is not there, or has no shell or Python. */
export interface Unasked {
  /** `absent`: no engine has it; `unfit`: it does not start as every container of the stack does; `silent`: the reason is unknown. */
  readonly kind: "absent" | "unfit" | "silent";
  readonly reason: string;
}

const isFailure = (answer: object | undefined): answer is Failure => answer !== undefined && "error" in answer;

/** Everything that the stack needs and the image lacks; `refused` where it cannot run, `danger` where it is not known. */
export function judgeImage(facts: ImageFacts | Unasked, settings: Settings): Finding[] {
  if ("kind" in facts) return [ofUnasked(facts)];
  const findings = [
    ...ofPrograms(facts),
    ...ofApp(facts, settings),
    ...ofDrivers(facts, settings),
    ...ofCommands(facts, settings),
    ...ofCelery(facts, settings),
    ...ofFolders(facts, settings),
  ];
  return asAgreed(findings, settings.agreed);
}

function ofUnasked({ kind, reason }: Unasked): Finding {
  if (kind !== "absent" && /unable to find (user|group)/.test(reason))
    return refused(
      "app.user",
      `is none of the image's: ${reason}`,
      "set orion:app.user to a number, such as 1000:1000",
    );
  switch (kind) {
    case "absent":
      return refused(
        "app.image",
        `cannot be pulled: ${reason}`,
        "check its name, and its registry's login (orion:images.login)",
      );
    case "unfit":
      return /exec format error/.test(reason)
        ? refused("app.image", `is built for another processor: ${reason}`, "build it with --platform linux/amd64")
        : refused(
            "app.image",
            `does not start: ${reason}`,
            "its base image needs sh and Python, as python:3.12-slim has them",
          );
    case "silent":
      return danger("app.image", `could not be asked what it has: ${reason}`);
  }
}

/** What to install for a program that is missing. */
const packages: Readonly<Record<string, string>> = {
  uvicorn: "add uvicorn[standard] to the image's requirements",
  celery: "add celery[redis] to the image's requirements, or set orion:workers.enabled to false",
};

function ofPrograms({ programs, entrypoint }: ImageFacts): Finding[] {
  const missing = Object.entries(programs).filter(([, isThere]) => !isThere);
  return [
    ...missing.map(([program]) =>
      refused(
        `image.${program}`,
        `the image has no program ${program} on its PATH`,
        packages[program] ?? "add it to the image, or change the command that starts with it",
      ),
    ),
    ...(entrypoint === false
      ? [
          refused(
            "image.entrypoint",
            "the image's ENTRYPOINT does not run the command that it is given",
            'end it with exec "$@", or make it the CMD',
          ),
        ]
      : []),
  ];
}

function ofApp(facts: ImageFacts, { app }: Settings): Finding[] {
  if (facts.programs["uvicorn"] === undefined) return [];
  if (isFailure(facts.app)) {
    const instead = ofImport(facts.app.error, app.module, "orion:app.module", facts);
    const happens = `${app.module} cannot be imported in ${facts.folder}: ${facts.app.error}`;
    return [
      facts.app.connects
        ? danger("app.module", `${happens} (the check has no network)`)
        : refused("app.module", happens, instead),
    ];
  }
  const { paths, start } = facts.app;
  // Nothing answers in the check, which some libraries report as an error of another kind: so nothing is refused because of it.
  const fails = isFailure(start) && !start.connects;
  return [
    ...(["healthPath", "readyPath"] as const).flatMap((key) => ofPath(key, app[key], paths)),
    ...(fails
      ? [
          danger(
            "app.module",
            `${app.module} does not start in the check, where nothing answers: ${start.error}`,
            startAdvice,
          ),
        ]
      : []),
  ];
}

const startAdvice =
  "where it is not for that reason: a library may not take the form of a URL, such as rediss:// with user and password (docs/image.md#redis)";

function ofPath(
  key: "healthPath" | "readyPath",
  path: string,
  paths: Readonly<Record<string, Failure | { readonly status: number }>>,
): Finding[] {
  const answer = paths[path];
  // Without a database or a lifespan it may fail here, and work on the platform.
  if (answer === undefined || isFailure(answer) || answer.status >= 500 || isGood(answer.status)) return [];
  const { status } = answer;
  const good = Object.entries(paths).find(([, other]) => !isFailure(other) && isGood(other.status))?.[0];
  const other = `set orion:app.${key} to a path that answers 200${good === undefined ? "" : `, such as ${good}`}`;
  const why: Readonly<Record<number, string>> = {
    400: `let the app answer for the host name 127.0.0.1, which the health check asks; or ${other}`,
    401: `let it answer without a login; or ${other}`,
    403: `let it answer without a login; or ${other}`,
  };
  return [refused(`app.${key}`, `GET ${path} answers ${status}`, why[status] ?? other)];
}

const isGood = (status: number): boolean => status >= 200 && status < 300;

/** What to do about an error of an import. */
function ofImport(error: string, wanted: string, setting: string, { drivers }: Pick<ImageFacts, "drivers">): string {
  const [, missing] = /No module named '([\w.]+)'/.exec(error) ?? [];
  if (
    missing !== undefined &&
    (wanted === missing || wanted.startsWith(`${missing}.`) || wanted.startsWith(`${missing}:`))
  )
    return `set ${setting} to where the image has it`;
  if (missing !== undefined && /^psycopg2?$|^asyncpg$/.test(missing)) return driverAdvice(Object.keys(drivers));
  if (missing !== undefined) return `add the package that has ${missing} to the image's requirements`;
  if (/has no attribute|is not found/.test(error) && !/^Settings|ValidationError/.test(error))
    return `set ${setting} to a module and an object in it`;
  const [, file] = /(?:Read-only file system|Permission denied): '([^']+)'/.exec(error) ?? [];
  if (file !== undefined) return `let it write elsewhere, or add the folder of ${file} to orion:app.writable`;
  if (/ValidationError|KeyError|validation error|environment/i.test(error))
    return "give it the variables that it asks for in orion:app.environment (a value such as ${REDIS_URL} is that of a generated one) or orion:app.secrets";
  return `correct it in the image, or set ${setting}`;
}

/** How a URL names an installed driver. */
function driverAdvice(installed: readonly string[]): string {
  const scheme = installed.includes("psycopg") ? "psycopg" : installed.includes("asyncpg") ? "asyncpg" : undefined;
  if (scheme === undefined) return "add psycopg[binary], psycopg2-binary or asyncpg to the image's requirements";
  return `give the app's own variable the installed driver: postgresql+${scheme}://\${DATABASE_URL#postgresql://} in orion:app.environment`;
}

function ofDrivers({ drivers, urls }: ImageFacts, { app }: Settings): Finding[] {
  const failures = Object.entries(drivers).flatMap(([name, answer]) =>
    isFailure(answer) ? [[name, answer] as const] : [],
  );
  const works = Object.keys(drivers).length > failures.length;
  const own = Object.keys(urls).filter((name) => name in app.environment);
  return [
    ...failures.map(([name, { error }]) => {
      const happens = `the driver ${name} cannot connect with the stack's DATABASE_URL: ${error}`;
      return works
        ? danger(`image.${name}`, happens)
        : refused(`image.${name}`, happens, `install a version of ${name} that works here, such as psycopg[binary]`);
    }),
    ...Object.entries(urls).flatMap(([name, answer]) => {
      if (!isFailure(answer)) return [];
      const happens = `SQLAlchemy cannot connect with ${name}: ${answer.error}`;
      const isOwn = own.includes(name);
      // An app with a variable of its own, or that changes the URL in its code, does not use this one as it is.
      if (!isOwn) return own.length > 0 || works ? [] : [danger(name, happens, driverAdvice(Object.keys(drivers)))];
      return [refused(`app.environment.${name}`, happens, urlAdvice(answer.error, Object.keys(drivers)))];
    }),
  ];
}

function urlAdvice(error: string, installed: readonly string[]): string {
  if (/sslmode|unexpected keyword/.test(error))
    return "leave the parameters out: PGSSLMODE and PGSSLROOTCERT say how the server is verified";
  if (/postgres\b/.test(error) && /plugin|dialect/.test(error)) return "the scheme is postgresql, not postgres";
  return driverAdvice(installed);
}

function ofCommands(facts: ImageFacts, { app }: Settings): Finding[] {
  return (["migrate", "initialise"] as const).flatMap((key) => {
    const answer = facts.commands[key];
    if (!isFailure(answer)) return [];
    const words = app[key].join(" ");
    const instead = /heads:/.test(answer.error)
      ? "set orion:app.migrate to [alembic, upgrade, heads], or merge them"
      : `set orion:app.${key} to the image's own command, or to [] if it has none`;
    return [refused(`app.${key}`, `the command ${words} cannot run: ${answer.error}`, instead)];
  });
}

function ofCelery(facts: ImageFacts, { workers }: Settings): Finding[] {
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
      : ofImport(celery.error, workers.celery, "orion:workers.celery", facts);
    return [
      celery.connects ? danger("workers.celery", happens) : refused("workers.celery", happens, instead),
      ...noFlower,
    ];
  }
  return [...ofQueues(celery, workers), ...ofBroker(celery), ...ofLostConnections(celery), ...noFlower];
}

type Celery = Exclude<NonNullable<ImageFacts["celery"]>, Failure>;

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
  const found = lost.map(([queue, { count, some }]) => {
    const what = `${count === 1 ? "the task" : `${count} tasks, such as`} ${some[0] ?? ""}`;
    const happens = `no worker takes tasks from the queue ${queue}, to which ${what} would go`;
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

const ofFolders = ({ folders, uid }: ImageFacts, { app }: Settings): Finding[] =>
  Object.entries(folders).flatMap(([path, answer]) => {
    if (!isFailure(answer)) return [];
    const name = `folder.${path.slice(1).replaceAll("/", ".")}`;
    const happens = `the image's user (${uid}) cannot write to ${path}: ${answer.error}`;
    const instead = `in its Dockerfile, before USER: RUN mkdir -p ${path} && chown ${uid} ${path}`;
    // That of uploads is there for every app; whether it keeps files is not known.
    return [app.writable.includes(path) ? refused(name, happens, instead) : danger(name, happens, instead)];
  });

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
