/** The archive of the database's changes: what PostgreSQL and its server are given, and what a stack without it is spared. */
import {
  archiveEnvironment,
  archiveSettings,
  configurationText,
} from "../../../../components/database/archive-config.ts";
import { archiveScript, archiveSettingsText } from "../../../../components/database/archive-script.ts";
import { plan } from "../../../../topology/plan.ts";
import { imageRecipes, imageReferences } from "../../../../topology/images.ts";
import { tryRun } from "../../../../common/process.ts";
import { settingsOf } from "../../support/settings.ts";
import { images, sharedGraph } from "../../support/graphs.ts";

const repository = {
  ...{
    bucket: "files-archive",
    endpoint: "https://0.r2.cloudflarestorage.com",
    accessKeyId: "id",
    secretAccessKey: "secret",
  },
  ...{ cipherKey: "key", days: 14, queueGb: 4 },
};
const stackWith = (phase: "mvp" | "scale" | "development", backups: object = { pointInTime: true }) => {
  const settings = settingsOf(phase, { backups });
  return { settings, topology: plan("prod", settings), secrets: [] };
};

test("pgBackRest's configuration names the bucket, the key and the limits", () => {
  const text = configurationText(repository);
  for (const line of [
    ...["repo1-type=s3", "repo1-s3-bucket=files-archive", "repo1-s3-endpoint=0.r2.cloudflarestorage.com"],
    ...[
      "repo1-cipher-type=aes-256-cbc",
      "repo1-cipher-pass=key",
      "repo1-retention-full=14",
      "archive-push-queue-max=4GiB",
    ],
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  expect(text).not.toContain("storage-port");
  expect(configurationText({ ...repository, endpoint: "https://storage.example.com:8443" })).toContain(
    "repo1-storage-port=8443\n",
  );
});

test("an object storage without TLS is refused: pgBackRest speaks nothing else", () => {
  expect(() => configurationText({ ...repository, endpoint: "http://127.0.0.1:9000" })).toThrow(
    "orion:storage.endpoint: got 'http://127.0.0.1:9000', allowed: an https:// URL, or orion:backups.pointInTime false",
  );
});

test("the server's command is a script that a shell reads", async () => {
  const { code, output } = await tryRun("sh", ["-n"], { input: archiveScript });
  expect([code, output]).toEqual([0, ""]);
  const settings = { container: "c", image: "i", filesVolume: "f", data: "/d", database: "it's" };
  expect(archiveSettingsText(settings)).toContain(String.raw`DATABASE='it'\''s'`);
});

test("a stack that archives runs the image with pgBackRest on all servers of PostgreSQL, and no other", () => {
  const { settings, topology } = stackWith("scale");
  const on = (server: string) => topology.services.filter((service) => service.server === server);
  const keys = (server: string) => [...imageReferences(on(server), settings, images).keys()];
  expect(keys("core-1")).toEqual(expect.arrayContaining(["database"]));
  expect(keys("db-2")).toEqual(expect.arrayContaining(["database", "postgres"]));
  expect(keys("app-nbg1-1")).not.toContain("database");
  expect(imageRecipes(on("core-1"), settings, images).get("database")).toEqual({
    ...images.database,
    ...{ base: "postgres:15-bookworm", argument: "POSTGRES_IMAGE" },
  });
  // Another base, and an image that has everything already.
  const recipeWith = (more: object) =>
    imageRecipes(on("core-1"), settingsOf("scale", { backups: { pointInTime: true }, images: more }), images).get(
      "database",
    );
  expect(recipeWith({ postgres: "pgvector/pgvector:pg15" })?.base).toBe("pgvector/pgvector:pg15");
  expect(recipeWith({ database: "registry.example.com/orion/postgres:15" })).toBeUndefined();
});

test("a local stack, an external database and local files archive nothing", () => {
  const kinds = (settings: ReturnType<typeof settingsOf>) => plan("prod", settings).services.map(({ kind }) => kind);
  const { settings } = stackWith("mvp");
  expect(kinds(settings)).toContain("archive");
  expect(kinds(stackWith("development").settings)).not.toContain("archive");
  expect(kinds({ ...settings, database: { ...settings.database, mode: "external" } })).not.toContain("archive");
  expect(kinds({ ...settings, storage: { backend: "local" } })).not.toContain("archive");
  expect(kinds(stackWith("mvp", { pointInTime: false }).settings)).not.toContain("archive");
});

test("primary and replica archive with the same settings, and the credentials reach these two alone", async () => {
  const { resources } = await sharedGraph(stackWith("scale"));
  const inputs = (name: string) => resources.find((one) => one.name === name)?.inputs ?? {};
  for (const name of ["database-server", "replica-1-server"]) {
    const { command, envs } = inputs(name) as { command: string[]; envs: string[] };
    for (const [setting, value] of Object.entries(archiveSettings)) expect(command).toContain(`${setting}=${value}`);
    expect(envs).toEqual(
      expect.arrayContaining(Object.entries(archiveEnvironment).map(([key, value]) => `${key}=${value}`)),
    );
  }
  const holders = resources.filter(({ inputs: all }) => JSON.stringify(all).includes("repo1-s3-key-secret"));
  expect(holders.map(({ name }) => name).sort()).toEqual(["database-files-live", "replica-1-files-live"]);
  expect(resources.find(({ name }) => name === "archive-key")?.options.protect).toBe(true);
  expect(resources.find(({ name }) => name === "storage-archive-bucket")?.options).toMatchObject({
    ...{ protect: true, retainOnDelete: true },
  });
  // The replica's server copies the image from the primary's: both run the same files.
  expect(inputs("core-1-image-database-build")).not.toHaveProperty("from");
  expect(inputs("db-2-image-database-build")).toHaveProperty("from");
});
