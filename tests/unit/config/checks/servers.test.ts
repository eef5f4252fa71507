/** What a stack with servers must say, and what excludes each other; parse.test.ts has the messages as a whole. */
import { checkServers, tlsFor } from "../../../../config/checks/servers.ts";
import { keyFingerprint } from "../../../../config/public-key.ts";
import type { Settings } from "../../../../config/schema.ts";
import { publicKey, settingsOf } from "../../support/settings.ts";

const mvp = settingsOf("mvp");
const scale = settingsOf("scale");
const database = (more: Partial<Settings["database"]>): Settings => ({
  ...scale,
  database: { ...scale.database, ...more },
});
/** The keys that the problems are about. */
const keys = (settings: Settings): string[] =>
  checkServers(settings).map((problem) => /^orion:([\w.]+): /.exec(problem)?.[1] ?? problem);

test("what the presets say has no problem", () => {
  expect([mvp, scale, settingsOf("enterprise"), settingsOf("ha")].flatMap(checkServers)).toEqual([]);
});

test("a key counts once, whatever its comment and its spaces are", () => {
  const key = publicKey("someone");
  const [algorithm = "", body = ""] = key.split(" ");
  const admin = { ...mvp.admin, sshPublicKeys: [key, `${algorithm}   ${body} another-comment`] };
  expect(keys({ ...mvp, admin })).toEqual(["admin.sshPublicKeys"]);
  expect(keyFingerprint(key)).toBe(keyFingerprint(`${algorithm} ${body}`));
  expect(keyFingerprint(key)).toMatch(/^[0-9a-f]{8}$/);
  expect(keyFingerprint(publicKey("another"))).not.toBe(keyFingerprint(key));
});

test("the servers of a database are of one architecture, unless the database is elsewhere", () => {
  expect(keys(database({ servers: ["cax21", "cpx32"] }))).toEqual(["database.servers"]);
  expect(checkServers(database({ servers: ["cpx32", "cax21", "cax31"] }))[0]).toContain("cax21 and cax31 is of ARM");
  expect(keys(database({ servers: ["cax21", "cax31"] }))).toEqual([]);
  expect(keys(database({ mode: "external", servers: ["cax21", "cpx32"] }))).toEqual([]);
  expect(keys(database({ servers: [] }))).toEqual([]);
});

test("another primary is a promoted replica, of a database of the stack's own behind a load balancer", () => {
  expect(keys(database({ primary: "db-2" }))).toEqual([]);
  expect(keys(database({ primary: "db-2", mode: "external" }))).toEqual(["database.primary"]);
  expect(keys({ ...mvp, database: { ...mvp.database, primary: "db-2" } })).toEqual(["database.primary"]);
});

test.each([
  ["direct", true, "cloudflare-origin-ca or acme"],
  ["direct", false, "acme or self-signed"],
  ["regional", true, "cloudflare-origin-ca"],
  ["regional", false, "self-signed"],
  ["global", true, "cloudflare-origin-ca"],
] as const)("certificates with balancing %s and Cloudflare %s: %s", (balancing, enabled, expected) => {
  expect(tlsFor({ balancing }, { enabled })).toBe(expected);
});

test("local files are on one server: the pools that need others are named", () => {
  const storage = { ...scale.storage, backend: "local" } as const;
  expect(checkServers({ ...scale, storage })[0]).toContain(
    "r2 while orion:app.servers and orion:workers.servers are set",
  );
  const app = { ...scale.app, servers: undefined };
  expect(checkServers({ ...scale, storage, app })[0]).toContain("r2 while orion:workers.servers is set");
});

test("a location that is named twice would get the servers of two", () => {
  expect(keys({ ...mvp, hetzner: { ...mvp.hetzner, locations: ["nbg1", "hel1", "nbg1"] } })).toEqual([
    "hetzner.locations",
  ]);
});

test("no service can be left out but those of the development stack, and the cache of an external Redis", () => {
  const services = mvp.services.filter((service) => service !== "cache");
  expect(keys({ ...mvp, services })).toEqual(["services"]);
  expect(keys({ ...mvp, services, cache: { ...mvp.cache, mode: "external" } })).toEqual([]);
  const lasting = mvp.services.filter((service) => service !== "testDatabase" && service !== "docs");
  expect(keys({ ...mvp, services: lasting })).toEqual([]);
  expect(checkServers({ ...mvp, services: [] })[0]).toContain("(missing: ");
});
