/** The whole of a stack, resource by resource, as it goes to the engine. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { Platform } from "../../../components/platform.ts";
import { keyFingerprint } from "../../../config/public-key.ts";
import type { Phase, Settings } from "../../../config/schema.ts";
import { type Graph, keyOf, unknown } from "../../../policy/graph.ts";
import { changesBetween } from "../../../policy/changes.ts";
import { types } from "../../../policy/stateful.ts";
import { plan } from "../../../topology/plan.ts";
import { expectGolden, graphLines } from "../../../testing/golden.ts";
import { compose } from "../support/compose.ts";
import { images, sharedGraph } from "../support/graphs.ts";
import { settingsOf } from "../support/settings.ts";

const composed = (settings: Settings, mode: "preview" | "up", stack = "dev"): Promise<Graph> =>
  sharedGraph({ settings, topology: plan(stack, settings), secrets: [] }, mode);

/** What a stack's file says. */
function settingsIn(file: string, phase: Phase): Settings {
  const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
  return settingsOf(
    phase,
    Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(/^orion:/, ""), value])),
  );
}
const developmentSettings = (): Settings => settingsIn("Pulumi.dev.yaml", "development");
const productionSettings = (): Settings => settingsIn("Pulumi.prod.yaml", "mvp");

/** Stacks that differ in which resources they have. */
const variants: readonly (readonly [name: string, stack: string, settings: () => Settings])[] = [
  ["the development stack", "dev", developmentSettings],
  ["the least development stack", "dev", () => settingsOf("development", { services: [] })],
  ["the production stack", "prod", productionSettings],
  ["phase mvp", "prod", () => settingsOf("mvp")],
  [
    "phase mvp with files on its server",
    "prod",
    () => settingsOf("mvp", { storage: { backend: "local", noBackups: true } }),
  ],
  ["phase mvp without protection", "prod", () => settingsOf("mvp", { protection: false })],
  ["phase scale", "prod", () => settingsOf("scale")],
  ["phase scale without a replica", "prod", () => settingsOf("scale", { database: { availability: "single" } })],
  ["phase scale after a promotion", "prod", () => settingsOf("scale", { database: { primary: "db-2" } })],
];

test.each([
  ["the development stack", "graph-dev", "dev", developmentSettings],
  ["the production stack", "graph-prod", "prod", productionSettings],
  ["phase scale", "graph-scale", "prod", () => settingsOf("scale")],
] as const)("%s is the graph that was looked at", async (_name, golden, stack, settings) => {
  const { resources } = await composed(settings(), "up", stack);
  expectGolden(golden, graphLines(resources));
});

/** A value of an update as a preview knows it: what the preview calls unknown is unknown, the rest is as it is. */
function asPreviewed(updated: unknown, previewed: unknown): unknown {
  if (previewed === unknown) return unknown;
  if (Array.isArray(updated) && Array.isArray(previewed)) {
    return updated.map((one, index) => asPreviewed(one, (previewed as unknown[])[index]));
  }
  if (!isObject(updated) || !isObject(previewed)) return updated;
  return Object.fromEntries(Object.entries(updated).map(([key, one]) => [key, asPreviewed(one, previewed[key])]));
}
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

test.each(variants)(
  "%s: a preview registers the same resources as an update, and differs only where an input is unknown",
  async (_name, stack, settings) => {
    const [preview, update] = [await composed(settings(), "preview", stack), await composed(settings(), "up", stack)];
    const previewed = new Map(preview.resources.map((one) => [keyOf(one), one.inputs]));
    expect(preview.resources).toEqual(
      update.resources.map((one) => ({ ...one, inputs: asPreviewed(one.inputs, previewed.get(keyOf(one))) })),
    );
    // An update knows every input.
    expect(JSON.stringify(update.resources)).not.toContain(unknown);
    expect(JSON.stringify(preview.resources)).toContain(unknown);
  },
);

test("the least development stack is PostgreSQL with what it needs", async () => {
  const { resources } = await composed(settingsOf("development", { services: [] }), "up");
  expect(resources.map(({ type, name }) => `${type.split(":").pop() ?? ""} ${name}`)).toEqual([
    "Container database-server",
    "Network local-network",
    "Network local-network-edge",
    "RemoteImage local-image-postgres",
    "Volume database-data",
    "Volume database-server-files",
    "Volume storage-uploads",
    "Database database",
    "DatabaseRoles database-roles",
    "ContainerLimits database-server-limits",
    "Platform orion",
    "SqlScript database-roles-former-clients",
    "SqlScript database-roles-script",
    "VolumeFiles database-server-written",
    "DockerRuntime local",
    "Storage storage",
    "docker local-docker",
    "RandomPassword database-password",
    ...["app", "backup", "migrator", "monitor", "pooler", "reader", "replication"].map(
      (client) => `RandomPassword database-roles-${client}-password`,
    ),
  ]);
});

/** The form in which Redis' users have their passwords. */
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

test("every generated password is in the graph, and nowhere but inside secrets", async () => {
  const { resources } = await composed(developmentSettings(), "up");
  const passwords = resources
    .filter(({ type }) => type === "random:index/randomPassword:RandomPassword")
    .map(({ name }) => `generated-${name}`);
  expect(passwords).toHaveLength(17);
  const [hidden, open] = [JSON.stringify(resources), JSON.stringify(withoutSecrets(resources))];
  for (const password of passwords) {
    // Booleans: the whole graph in a message helps nobody.
    const has = (text: string) => text.includes(password) || text.includes(sha256(password));
    expect([password, has(hidden), has(open)]).toEqual([password, true, false]);
  }
});

test("the token of the task API goes to the apps and to no other process", async () => {
  const { resources } = await composed(productionSettings(), "up", "prod");
  const having = resources.filter(
    ({ type, inputs }) => /Container$|:Task$/.test(type) && JSON.stringify(inputs).includes("generated-task-api-token"),
  );
  expect(having.map(({ name }) => name)).toEqual(["app-core-1-1", "app-core-1-2"]);
});

test("what holds data is protected or outlives its deletion", async () => {
  const { resources } = await composed(developmentSettings(), "up");
  // Files come from the program, each time.
  const volumes = resources.filter(
    ({ type, name }) => type === "docker:index/volume:Volume" && !name.endsWith("-files"),
  );
  expect(volumes.map(({ name }) => name)).toEqual(["cache-data", "database-data", "storage-uploads"]);
  expect(volumes.filter(({ options }) => !options.protect && !options.retainOnDelete)).toEqual([]);
  const password = resources.find(({ name }) => name === "database-password");
  expect(password?.options.protect).toBe(true);
});

describe("the production stack", () => {
  test("what holds data is protected, here and at the provider", async () => {
    const { resources } = await composed(productionSettings(), "up", "prod");
    const of = (type: string) => resources.filter((one) => one.type === type);
    for (const { inputs, options } of [...of("hcloud:index/volume:Volume"), ...of("hcloud:index/server:Server")]) {
      expect([options.protect, inputs["deleteProtection"]]).toEqual([true, true]);
    }
    const buckets = of("cloudflare:index/r2Bucket:R2Bucket");
    expect(buckets.map(({ inputs }) => inputs["name"])).toEqual([
      ...["orion-files-archive", "orion-files-backups", "orion-files"],
    ]);
    expect(buckets.every(({ options }) => options.protect === true && options.retainOnDelete === true)).toBe(true);
  });

  test("everything in Docker goes away with its server", async () => {
    const { resources } = await composed(productionSettings(), "up", "prod");
    const docker = resources.filter(({ type }) =>
      /^(docker|orion:index\/|orion:index:(Task|LiveFiles|HostFiles|HostReady))/.test(type),
    );
    expect(docker.length).toBeGreaterThan(20);
    expect(docker.filter(({ options }) => options.deletedWith !== "hcloud:index/server:Server core-1-server")).toEqual(
      [],
    );
  });

  test("only the edge is published to everybody; the rest at the private address or on loopback", async () => {
    const { resources } = await composed(productionSettings(), "up", "prod");
    const ports = resources.flatMap(({ name, inputs }) =>
      ((inputs["ports"] ?? []) as { ip: string; external: number }[]).map(
        ({ ip, external }) => `${name} ${ip}:${external}`,
      ),
    );
    expect(ports.sort()).toEqual([
      "broker-server 10.20.1.11:6380",
      "broker-server 10.20.1.11:6382",
      "cache-server 10.20.1.11:6379",
      "cache-server 10.20.1.11:6381",
      "database-server 10.20.1.11:5432",
      "edge-core-1-nginx 0.0.0.0:443",
      "edge-core-1-nginx 0.0.0.0:80",
      "workers-flower 127.0.0.1:5555",
    ]);
  });

  test("every container has time to end, a limit of memory and an image by its digest", async () => {
    const { resources } = await composed(productionSettings(), "up", "prod");
    const containers = resources.filter(({ type }) => type === "docker:index/container:Container");
    for (const { inputs } of containers) {
      expect(Number(inputs["destroyGraceSeconds"])).toBeGreaterThan(0);
      expect(Number(inputs["memory"])).toBeGreaterThan(0);
      expect(inputs["image"]).toMatch(/^sha256:/);
    }
  });
});

test("migrations know the URL of the role that may change tables, also in a variable of the stack's own", async () => {
  const settings = settingsOf("development", { app: { environment: { DB: "x+${DATABASE_URL}" } } });
  const { resources } = await compose("up", () => {
    const args = { settings, topology: plan("dev", settings), builtImages: images, secret: () => undefined };
    return new Platform("orion", args);
  });
  const environment = resources.find(({ name }) => name === "release-migrate")?.inputs["environment"];
  const { DATABASE_URL, DB } = environment as Readonly<Record<string, { readonly "[secret]": string }>>;
  expect(DATABASE_URL?.["[secret]"]).toMatch(/^postgresql:\/\/orion_migrator:/);
  expect(DB?.["[secret]"]).toBe(`x+${DATABASE_URL?.["[secret]"] ?? ""}`);
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
    const urls = { databaseUrl: "postgres://managed", redisUrl: "redis://managed", brokerUrl: "redis://broker" };
    return new Platform("orion", {
      settings,
      topology,
      builtImages: images,
      secret: (key) => (key in urls ? pulumi.secret(urls[key as keyof typeof urls]) : undefined),
    });
  });
  const names = resources.map(({ name }) => name);
  expect(names).not.toContain("database-server");
  expect(names).not.toContain("cache-server");
  const app = resources.find(({ name }) => name === "app-1");
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

test("an SSH key that Hetzner has without the stack is used as it is", async () => {
  const settings = settingsOf("mvp");
  const args = { settings, topology: plan("prod", settings), secret: () => undefined, builtImages: images };
  const existingKeys = new Map(settings.admin.sshPublicKeys.map((key) => [keyFingerprint(key), "4711"]));
  const { resources } = await compose("up", () => new Platform("orion", { ...args, existingKeys }));
  expect(resources.filter(({ type }) => type === types.sshKey)).toEqual([]);
  const [server] = resources.filter(({ type }) => type === types.server);
  expect(server?.inputs["sshKeys"]).toEqual(["4711"]);
});

test("on a local Docker Engine, another build of the app's image under the same tag is another image", async () => {
  const settings = settingsOf("development", { app: { image: "my/app:latest" } });
  const args = { settings, topology: plan("dev", settings), secret: () => undefined };
  const graphWith = (appId: string) =>
    compose("up", () => new Platform("orion", { ...args, builtImages: { ...images, appId } }));
  const [first, second] = [await graphWith("sha256:1"), await graphWith("sha256:2")];
  const changes = changesBetween(first, second).map(({ action, resource }) => `${action} ${resource.name}`);
  expect(changes).toContain("replace local-image-app");
  expect(changesBetween(first, await graphWith("sha256:1"))).toEqual([]);
});
