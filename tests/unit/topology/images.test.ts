/** The images of a plan: those of the services that run, and where they come from. */
import { resolveImage } from "../../../config/images.ts";
import { imageReferences } from "../../../topology/images.ts";
import { plan } from "../../../topology/plan.ts";
import { settingsOf } from "../support/settings.ts";
import { images as built } from "../support/graphs.ts";

test("are those of the services that run, and no others", () => {
  const settings = settingsOf("development", { services: ["cache"] });
  expect([...imageReferences(plan("dev", settings).services, settings, built).keys()]).toEqual(["postgres", "redis"]);
});

test("a registry is the prefix of official images; an override replaces a whole reference", () => {
  const settings = settingsOf("development", {
    images: { registry: "registry.example.com/mirror", redis: "example.com/redis:7.4" },
    app: { image: "example.com/app:1" },
  });
  expect(Object.fromEntries(imageReferences(plan("dev", settings).services, settings, built))).toEqual({
    postgres: "registry.example.com/mirror/postgres:15-bookworm",
    nginx: "registry.example.com/mirror/nginx:1-bookworm",
    redis: "example.com/redis:7.4",
    app: "example.com/app:1",
    docs: "orion/docs:test",
  });
});

test("on servers, official images have the digests of the catalogue, unless the stack says otherwise", () => {
  const referenceIn = (images: object) => {
    const settings = settingsOf("mvp", { images });
    return imageReferences(plan("prod", settings).services, settings, built).get("postgres");
  };
  expect(referenceIn({})).toBe(resolveImage("postgres", { pinned: true }));
  expect(referenceIn({ pinned: false })).toBe("postgres:15-bookworm");
});

test("the servers of apps have the clients that ask external services, as the stack names them", () => {
  const { database, cache, ...settings } = settingsOf("scale");
  const external = {
    ...{ ...settings, database: { ...database, mode: "external" as const } },
    cache: { ...cache, mode: "external" as const },
  };
  const onAppServer = plan("prod", external).services.filter(({ server }) => server === "app-nbg1-1");
  expect([...imageReferences(onAppServer, external, built).keys()].toSorted()).toEqual([
    "app",
    "nginx",
    "postgres",
    "redis",
  ]);
});

test("backups bring the images of their clients along, also to a server without a database", () => {
  const { database, ...settings } = settingsOf("mvp");
  const external = { ...settings, database: { ...database, mode: "external" as const } };
  const { services } = plan("prod", external);
  expect(services.filter(({ kind }) => kind === "database")).toEqual([]);
  expect(Object.fromEntries(imageReferences(services, external, built))).toMatchObject({
    postgres: resolveImage("postgres", { pinned: true }),
    rclone: resolveImage("rclone", { pinned: true }),
  });
});

test("certbot comes with ACME", () => {
  const keys = (tls: string) => {
    const settings = settingsOf("mvp", { edge: { tls } });
    return [...imageReferences(plan("prod", settings).services, settings, built).keys()];
  };
  expect([keys("acme").includes("certbot"), keys("cloudflare-origin-ca").includes("certbot")]).toEqual([true, false]);
});
