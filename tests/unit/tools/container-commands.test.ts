import { migratorVariables } from "../../../tools/migrate.ts";
import { plan } from "../../../topology/plan.ts";
import { type Access, accessCommands, accessTo, dockerArguments, masterOf } from "../../../tools/container-commands.ts";
import { explain } from "../../../tools/doctor/advice.ts";
import { imageArguments, whatRunsWhere } from "../../../tools/up.ts";
import { settingsOf } from "../support/settings.ts";

const settings = settingsOf("development");
const topology = plan("dev", settings);
/** The app's role may not migrate: the first line of standard input is the URL of the role that may. */
const asMigrator = 'sh -c while IFS= read -r line && [ -n "$line" ]; do export "$line"; done; exec "$@" sh';
const argumentsOf = (access: Access, terminal: boolean) => dockerArguments(access, access.service.container, terminal);

test.each<[(typeof accessCommands)[number], string | undefined, string]>([
  ["psql", undefined, "exec -i orion-dev-database psql"],
  ["redis-cli", undefined, "exec -i orion-dev-cache sh /etc/orion/redis/current/admin"],
  ["logs", "app", "logs --tail 200 orion-dev-app-1"],
  ["logs", "worker", "logs --tail 200 orion-dev-worker"],
  ["celery-status", undefined, "exec -i orion-dev-worker celery -A app.celery inspect active --timeout 5"],
  ["migrate-up", undefined, `exec -i orion-dev-app-1 ${asMigrator} alembic upgrade head`],
  ["init-prod", undefined, `exec -i orion-dev-app-1 ${asMigrator} python scripts/seed/init_production.py`],
  [
    "celery-purge",
    undefined,
    "exec -i orion-dev-worker celery -A app.celery purge --force --queues default,imports,emails,reports",
  ],
])("make %s of %s", (command, service, expected) => {
  expect(argumentsOf(accessTo(topology, command, service), false).join(" ")).toBe(expected);
});

describe("make redis-cli with Sentinel", () => {
  const watched = plan("prod", settingsOf("scale", { cache: { availability: "sentinel" } }));
  const group = (name?: string) => accessTo(watched, "redis-cli", name).group ?? [];

  test("reaches the master that the Sentinels name, whichever server is asked first", () => {
    const asked: string[] = [];
    const ask = ({ name }: { readonly name: string }) => {
      asked.push(name);
      return name === "broker" ? "" : "10.20.1.33 6382\n";
    };
    expect(masterOf(group("broker"), ask).name).toBe("broker-replica-cache-3");
    expect(asked).toEqual(["broker", "broker-replica-cache-2"]);
  });

  test("says what to name when nobody knows the master, and takes a server by name", () => {
    expect(() => masterOf(group(), () => "")).toThrow("SERVICE=cache|cache-replica-cache-2|cache-replica-cache-3");
    expect(accessTo(watched, "redis-cli", "cache-replica-cache-2").service.name).toBe("cache-replica-cache-2");
    expect(group("cache-replica-cache-2")).toEqual([]);
  });
});

test("on a terminal a shell is interactive, and logs go on", () => {
  expect(argumentsOf(accessTo(topology, "shell", "app"), true).slice(0, 3)).toEqual(["exec", "-it", "orion-dev-app-1"]);
  expect(argumentsOf(accessTo(topology, "logs", "app"), true)).toContain("--follow");
});

test("only what deletes something asks first", () => {
  const asking = accessCommands.filter((command) => accessTo(topology, command, "app").danger !== undefined);
  expect(asking).toEqual(["celery-purge"]);
});

test("an unknown service is an error that lists the services", () => {
  expect(() => accessTo(topology, "logs", "nonsense")).toThrow(/There is no service 'nonsense'. Services: database,/);
  expect(() => accessTo(topology, "logs")).toThrow("Name a service, as in SERVICE=app.");
  const least = plan("dev", settingsOf("development", { services: [] }));
  expect(() => accessTo(least, "redis-cli")).toThrow(
    "make redis-cli needs the service 'cache', which stack 'dev' does not run. Services: database",
  );
});

test("advice names commands for the stack and the service at hand", () => {
  expect(explain("worker-silent", "worker", "STACK=staging").remedy).toContain("make celery-status STACK=staging");
  // Celery's default acknowledges a task before it runs.
  expect(explain("worker-silent", "worker", "STACK=dev").remedy).toMatch(
    /runs again later if the app has Celery's task_acks_late, and is lost otherwise$/,
  );
  expect(explain("unhealthy", "app-1", "STACK=dev").remedy).toBe("make logs STACK=dev SERVICE=app-1");
});

describe("what make up says and gets", () => {
  test("every service with its address and container, and the way in", () => {
    const text = whatRunsWhere(topology);
    expect(text).toMatch(/^cache +127\.0\.0\.1:6380 +orion-dev-cache$/m);
    expect(text).toMatch(/^worker +- +orion-dev-worker$/m);
    expect(text).toContain("Orion is at http://127.0.0.1:8080/");
  });

  test("without an edge the app is the way in", () => {
    const services = ["cache", "app"];
    expect(whatRunsWhere(plan("dev", settingsOf("development", { services })))).toContain("at http://127.0.0.1:8000/");
  });

  test("the images of the services that run, from where the stack says", () => {
    expect(imageArguments({ settings, topology }).sort()).toEqual(["app", "docs", "nginx", "postgres", "redis"]);
    const own = settingsOf("development", {
      services: ["cache"],
      images: { registry: "registry.example.com", redis: "redis:7.4" },
      app: { image: "example.com/app:1" },
    });
    expect(imageArguments({ settings: own, topology: plan("dev", own) })).toEqual([
      ...["--registry", "registry.example.com", "--use", "redis=redis:7.4", "postgres", "redis"],
    ]);
  });
});

test("the role that migrates has its own URL in the variables that the stack makes of it, too", () => {
  const own = {
    DB: "postgresql+asyncpg://${DATABASE_URL#postgresql://}",
    POSTGRES_USER: "${DATABASE_URL.user}",
    OTHER: "${REDIS_URL}",
    DEBUG: "0",
  };
  expect(migratorVariables("postgresql://migrator:x@database/orion", own).split("\n")).toEqual([
    ...["DATABASE_URL=postgresql://migrator:x@database/orion", "DB=postgresql+asyncpg://migrator:x@database/orion"],
    ...["POSTGRES_USER=migrator", ""],
  ]);
});
