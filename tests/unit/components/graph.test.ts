/** The whole of a stack, resource by resource, as it goes to the engine. */
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { Platform } from "../../../components/platform.ts";
import { type Settings } from "../../../config/schema.ts";
import { plan } from "../../../topology/plan.ts";
import { compose, type Recorded } from "../support/compose.ts";
import { expectGolden } from "../support/golden.ts";
import { settingsOf } from "../support/settings.ts";

const composed = (settings: Settings, mode: "preview" | "up") =>
  compose(mode, () => {
    const topology = plan("dev", settings);
    const builtImages = { app: "orion/sample-app:test", docs: "orion/docs:test" };
    return new Platform("orion", { settings, topology, builtImages, secret: () => undefined });
  });

/** What Pulumi.dev.yaml says. */
function developmentSettings(): Settings {
  const { config } = parse(readFileSync("Pulumi.dev.yaml", "utf8")) as { config: Record<string, unknown> };
  return settingsOf(
    "development",
    Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/^orion:/, ""), value])),
  );
}

describe.each(["preview", "up"] as const)("in mode %s", (mode) => {
  test("the development stack is the graph that was looked at", async () => {
    const { resources } = await composed(developmentSettings(), mode);
    expectGolden(process.cwd(), mode === "up" ? "graph-dev" : "graph-dev-preview", { resources });
  });

  test("the least development stack is PostgreSQL with what it needs", async () => {
    const { resources } = await composed(settingsOf("development", { services: [] }), mode);
    expect(resources.map(({ type, name }) => `${type.split(":").pop() ?? ""} ${name}`)).toEqual([
      "Container database-server",
      "Network local-network",
      "RemoteImage local-image-postgres",
      "Volume database-data",
      "Volume storage-uploads",
      "Database database",
      "DockerPlace local",
      "Platform orion",
      "Storage storage",
      "docker local-docker",
      "RandomPassword database-password",
    ]);
  });
});

test("a preview shows the same resources as an update", async () => {
  const names = ({ resources }: { resources: Recorded[] }) => resources.map(({ type, name }) => `${type} ${name}`);
  const settings = developmentSettings();
  expect(names(await composed(settings, "preview"))).toEqual(names(await composed(settings, "up")));
});

test("every generated password is in the graph, and nowhere but inside secrets", async () => {
  const { resources } = await composed(developmentSettings(), "up");
  const passwords = resources
    .filter(({ type }) => type === "random:index/randomPassword:RandomPassword")
    .map(({ name }) => `generated-${name}`);
  expect(passwords).toHaveLength(4);
  const [hidden, open] = [JSON.stringify(resources), JSON.stringify(withoutSecrets(resources))];
  for (const password of passwords) {
    // Booleans: the whole graph in a message helps nobody.
    expect([password, hidden.includes(password), open.includes(password)]).toEqual([password, true, false]);
  }
});

test("what holds data is protected or outlives its deletion", async () => {
  const { resources } = await composed(developmentSettings(), "up");
  // The edge's files come from the program, each time.
  const volumes = resources.filter(({ type, name }) => type === "docker:index/volume:Volume" && name !== "edge-files");
  expect(volumes.map(({ name }) => name)).toEqual(["cache-data", "database-data", "storage-uploads"]);
  expect(volumes.filter(({ options }) => !options.protect && !options.retainOnDelete)).toEqual([]);
  const password = resources.find(({ name }) => name === "database-password");
  expect(password?.options.protect).toBe(true);
});

test("external services take the place of own ones", async () => {
  const own = settingsOf("development");
  const settings: Settings = {
    ...own,
    database: { ...own.database, mode: "external" },
    cache: { ...own.cache, mode: "external" },
  };
  const { resources } = await compose("up", () => {
    const topology = plan("dev", settings);
    const builtImages = { app: "orion/sample-app:test", docs: "orion/docs:test" };
    const urls = { databaseUrl: "postgresql://managed", redisUrl: "redis://managed", brokerUrl: "redis://broker" };
    return new Platform("orion", {
      settings,
      topology,
      builtImages,
      secret: (key) => (key in urls ? pulumi.secret(urls[key as keyof typeof urls]) : undefined),
    });
  });
  const names = resources.map(({ name }) => name);
  expect(names).not.toContain("database-server");
  expect(names).not.toContain("cache-server");
  const app = resources.find(({ name }) => name === "app-app-1");
  expect(app?.inputs["envs"]).toEqual(
    expect.arrayContaining([
      { "[secret]": "DATABASE_URL=postgresql://managed" },
      { "[secret]": "REDIS_URL=redis://managed" },
      { "[secret]": "CELERY_BROKER_URL=redis://broker" },
      { "[secret]": "CELERY_RESULT_BACKEND=redis://broker" },
    ]),
  );
});

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  if ("[secret]" in value) return "hidden";
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
}
