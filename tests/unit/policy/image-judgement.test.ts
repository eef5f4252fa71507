/** What an image says about itself, and what is made of it: every message names what is missing and what mends it. */
import type { ImageFacts } from "../../../policy/image-facts.ts";
import { judgeImage } from "../../../policy/image-judgement.ts";
import { settingsOf } from "../support/settings.ts";
import { stackOf } from "./support.ts";

const { settings } = stackOf("mvp");
const none = { error: "ModuleNotFoundError: No module named 'app'", connects: false };

/** An image that has everything. */
const good: ImageFacts = {
  ...{ python: "3.12.4", uid: 1000, folder: "/app", programs: { uvicorn: true, celery: true } },
  ...{ folders: { "/app/cache": {} }, commands: { migrate: { heads: ["1"] }, initialise: {} }, entrypoint: null },
  app: {
    type: "fastapi.applications.FastAPI",
    paths: { "/health": { status: 200 }, "/ready": { status: 503 } },
    start: {},
  },
  ...{ drivers: { asyncpg: { tried: true } }, urls: { DATABASE_URL: none }, flower: true },
  celery: {
    ...{ version: "5.5.0", kombu: "5.5.0", redis: "5.2.0", default: "default", declared: ["default"], unknown: [] },
    ...{ tasks: { default: { count: 2, some: ["a", "b"] } }, broker: { tried: true }, reopens: false },
    early: { count: 0, some: [] },
  },
};
type Celery = Extract<NonNullable<ImageFacts["celery"]>, { version: string }>;
const celery = good.celery as Celery;
const refusals = (facts: ImageFacts, own = settings) =>
  judgeImage(facts, own)
    .filter(({ severity }) => severity === "refused")
    .map(({ name, happens, instead = "" }) => `${name} ${happens}. ${instead}`);

test("a user whom the image does not know is refused with what it may be", () => {
  const reason = "docker: Error response from daemon: unable to find user web: no matching entries in passwd file";
  const [finding] = judgeImage({ kind: "silent", reason }, settings);
  expect(finding).toMatchObject({
    severity: "refused",
    name: "app.user",
    instead: expect.stringContaining("1000:1000") as unknown,
  });
});

test("an image that has everything is let through, and so is what cannot be known without a database", () => {
  expect(judgeImage(good, settings)).toEqual([]);
});

test.each<[string, Partial<ImageFacts>, RegExp]>([
  ["no Uvicorn", { programs: { uvicorn: false } }, /^image\.uvicorn .*\. add uvicorn\[standard\]/],
  ["an entrypoint of its own", { entrypoint: false }, /^image\.entrypoint .*exec "\$@"/],
  [
    "no module",
    { app: { error: "ModuleNotFoundError: No module named 'main'", connects: false } },
    /^app\.module .*set orion:app\.module to where/,
  ],
  [
    "another driver than the URL's",
    { app: { error: "ModuleNotFoundError: No module named 'psycopg2'", connects: false } },
    /postgresql\+asyncpg:\/\/\$\{DATABASE_URL#postgresql:\/\/\}/,
  ],
  [
    "a file beside the code",
    { app: { error: "OSError: [Errno 30] Read-only file system: '/app/celery.log'", connects: false } },
    /add the folder of \/app\/celery\.log to orion:app\.writable/,
  ],
  [
    "a variable",
    { app: { error: "ValidationError: 1 validation error for Settings", connects: false } },
    /orion:app\.environment/,
  ],
  [
    "no health path",
    { app: { type: "x", paths: { "/health": { status: 404 }, "/": { status: 200 } }, start: {} } },
    /^app\.healthPath GET \/health answers 404\. set orion:app\.healthPath to a path that answers 200, such as \/$/,
  ],
  ["a host name", { app: { type: "x", paths: { "/health": { status: 400 } }, start: {} } }, /host name 127\.0\.0\.1/],
  [
    "two heads",
    { commands: { migrate: { error: "the migrations have 2 heads: a, b", connects: false } } },
    /\[alembic, upgrade, heads\]/,
  ],
  [
    "no script",
    { commands: { initialise: { error: "there is no file x in /app", connects: false } } },
    /^app\.initialise .* or to \[\]/,
  ],
  [
    "no Celery",
    { celery: { error: "ModuleNotFoundError: No module named 'celery'", connects: false } },
    /orion:workers\.enabled/,
  ],
  ["Celery elsewhere", { celery: none }, /^workers\.celery .*set orion:workers\.celery to where/],
  ["no Flower", { flower: false }, /orion:workers\.commands\.flower/],
  [
    "other queues",
    { celery: { ...celery, unknown: ["imports"], declared: ["default", "low"] } },
    /^workers\.queues .*imports.*set orion:workers\.queues to \[default, low\]/,
  ],
  [
    "tasks that nobody would take",
    { celery: { ...celery, default: "celery", tasks: { celery: { count: 3, some: ["shop.mail"] } } } },
    /no worker takes tasks from the queue celery, to which 3 tasks, such as shop\.mail would go\. add it: orion:workers\.queues \[default, imports, emails, reports, celery\]/,
  ],
  [
    "versions that do not belong together",
    { celery: { ...celery, broker: { error: "AttributeError: x", connects: false } } },
    /Celery 5\.5\.0 with kombu 5\.5\.0 and redis 5\.2\.0 cannot use/,
  ],
  [
    "a driver that does not work",
    { drivers: { psycopg: { error: "ImportError: no pq wrapper", connects: false } } },
    /^image\.psycopg .*psycopg\[binary\]/,
  ],
  [
    "a folder",
    { folders: { "/app/cache": { error: "Permission denied", connects: false } } },
    /chown 1000 \/app\/cache/,
  ],
])("%s is refused with what mends it", (_, lacks, message) => {
  const own = { ...settings, app: { ...settings.app, writable: ["/app/cache"] } };
  expect(refusals({ ...good, ...lacks }, own)).toEqual([expect.stringMatching(message)]);
});

test("an app that connects when it is imported is not judged, since nothing answers in the check", () => {
  const facts = { ...good, app: { error: "OperationalError: connection refused", connects: true } };
  expect(judgeImage(facts, settings)).toMatchObject([{ severity: "danger", name: "app.module" }]);
});

test("some tasks without a worker are a danger alone: their callers may name another queue", () => {
  const tasks = { ...celery.tasks, celery: { count: 1, some: ["x"] } };
  expect(judgeImage({ ...good, celery: { ...celery, tasks } }, settings)).toMatchObject([{ severity: "danger" }]);
});

test("a worker that may take no task after its connection is cut is a danger, with the setting to leave out", () => {
  expect(judgeImage({ ...good, celery: { ...celery, reopens: true } }, settings)).toEqual([
    expect.objectContaining({ severity: "danger", happens: expect.stringContaining("has retry_on_timeout") as string }),
  ]);
});

test.each([
  [{ count: 1, some: ["shop.mail"] }, "has no task_acks_late (the task shop.mail)"],
  [{ count: 3, some: ["a", "b", "c"] }, "has no task_acks_late (3 tasks, such as a)"],
])("tasks that a killed worker would lose are a danger, with what to set: %j", (early, happens) => {
  expect(judgeImage({ ...good, celery: { ...celery, early } }, settings)).toEqual([
    {
      ...{ severity: "danger", name: "image.celery", happens: expect.stringContaining(happens) as string },
      instead: expect.stringContaining("task_acks_late") as string,
    },
  ]);
});

test("a URL of the app's own with sslmode is refused for asyncpg", () => {
  const own = { ...settings, app: { ...settings.app, environment: { DB: "postgresql+asyncpg://x?sslmode=require" } } };
  const urls = { DB: { error: "TypeError: connect() got an unexpected keyword argument 'sslmode'", connects: false } };
  expect(refusals({ ...good, urls }, own)).toEqual([expect.stringMatching(/^app\.environment\.DB .*PGSSLMODE/)]);
});

test("with an external database, whose URL has sslmode, the refusal says what takes it", () => {
  const app = { environment: { DB: "postgresql+asyncpg://${DATABASE_URL#postgresql://}" } };
  const { settings: own } = stackOf("mvp", { app, database: { mode: "external" } }, ["databaseUrl"]);
  const urls = { DB: { error: "TypeError: connect() got an unexpected keyword argument 'sslmode'", connects: false } };
  expect(refusals({ ...good, urls }, own)).toEqual([
    expect.stringMatching(
      /^app\.environment\.DB .*add psycopg\[binary\] .*postgresql\+psycopg:.*PGSSLMODE and PGSSLROOTCERT/,
    ),
  ]);
});

test("a program with a path is missed by a name that the stack can agree to", () => {
  const [finding] = judgeImage({ ...good, programs: { "/opt/venv/bin/celery": false } }, settings);
  expect(finding).toMatchObject({ name: "image.celery", happens: expect.stringContaining("/opt/venv/bin/") as string });
  expect(() => settingsOf("mvp", { agreed: [finding?.name] })).not.toThrow();
});

test("what the stack agrees to is told, and not refused", () => {
  const facts = { ...good, flower: false };
  expect(judgeImage(facts, { ...settings, agreed: ["image.flower"] })).toMatchObject([{ severity: "danger" }]);
});

test.each([
  ["absent", "manifest unknown", "refused", /cannot be pulled: manifest unknown/],
  ["unfit", "exec /bin/sh: exec format error", "refused", /another processor/],
  ["unfit", "it has no Python", "refused", /does not start/],
  ["silent", "it took too long", "danger", /could not be asked/],
] as const)("an image that is %s (%s) is a finding of its own", (kind, reason, severity, message) => {
  expect(judgeImage({ kind, reason }, settings)).toMatchObject([
    { severity, name: "app.image", happens: expect.stringMatching(message) as string },
  ]);
});

test("a startup that fails without its services is told, one that waits for them is not", () => {
  const app = (start: Extract<ImageFacts["app"], { type: string }>["start"]) => ({
    ...good,
    app: { type: "x", paths: {}, start },
  });
  const error = "AttributeError: 'Broadcast' object has no attribute '_backend'";
  expect(judgeImage(app({ error, connects: false }), settings)).toMatchObject([
    { severity: "danger", name: "app.module", happens: expect.stringContaining(error) as string },
  ]);
  expect(judgeImage(app({ error: "ConnectionError: refused", connects: true }), settings)).toEqual([]);
});

test("the folder of uploads is told alone: not every app keeps files", () => {
  const folders = { "/app/uploads": { error: "Permission denied", connects: false } };
  expect(judgeImage({ ...good, folders }, settings)).toMatchObject([
    { severity: "danger", name: "folder.app.uploads" },
  ]);
});
