/**
 * Judges what an image of the platform has said about itself: what a stack needs of it and does not find, each with the setting or
 * the line of its Dockerfile that mends it. Pure.
 */
import { posix } from "node:path";
import { reachesOwnDatabase } from "../topology/database-access.ts";
import type { Settings } from "../config/schema.ts";
import { asAgreed, danger, type Finding, refused } from "./findings.ts";
import { driverAdvice, importAdvice, urlAdvice } from "./image-advice.ts";
import { ofCelery } from "./image-celery.ts";
import { type Failure, type ImageFacts, isFailure, type Unasked } from "./image-facts.ts";

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

/** A program may be a path, and orion:agreed takes names alone. */
const shortName = (program: string): string => posix.basename(program).replaceAll(/[^\w.-]/g, "-");

function ofPrograms({ programs, entrypoint }: ImageFacts): Finding[] {
  const missing = Object.entries(programs).filter(([, isThere]) => !isThere);
  return [
    ...missing.map(([program]) =>
      refused(
        `image.${shortName(program)}`,
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
    const instead = importAdvice(facts.app.error, app.module, "orion:app.module", facts);
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

function ofDrivers({ drivers, urls }: ImageFacts, settings: Settings): Finding[] {
  const { app } = settings;
  const isExternal = !reachesOwnDatabase(settings);
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
      return [refused(`app.environment.${name}`, happens, urlAdvice(answer.error, Object.keys(drivers), isExternal))];
    }),
  ];
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

const ofFolders = ({ folders, uid }: ImageFacts, { app }: Settings): Finding[] =>
  Object.entries(folders).flatMap(([path, answer]) => {
    if (!isFailure(answer)) return [];
    const name = `folder.${path.slice(1).replaceAll("/", ".")}`;
    const happens = `the image's user (${uid}) cannot write to ${path}: ${answer.error}`;
    const instead = `in its Dockerfile, before USER: RUN mkdir -p ${path} && chown ${uid} ${path}`;
    // That of uploads is there for every app; whether it keeps files is not known.
    return [app.writable.includes(path) ? refused(name, happens, instead) : danger(name, happens, instead)];
  });
