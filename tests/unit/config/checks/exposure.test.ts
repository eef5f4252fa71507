/** What opens a stack with servers to strangers, or leaves it without backups, must be said aloud. */
import type { Settings } from "../../../../config/schema.ts";
import { leastValues, publicKey, refusalOf, settingsOf } from "../../support/settings.ts";

const admin = (cidrs: readonly string[], more = {}) => ({
  admin: { cidrs, sshPublicKeys: [publicKey("someone")], ...more },
});
const withoutCloudflare = { cloudflare: { enabled: false, accountId: "0".repeat(32) } };

test.each([
  ["0.0.0.0/0", 'orion:admin.cidrs: got ["0.0.0.0/0"], allowed: the address ranges of the people who log in'],
  ["::/0", 'orion:admin.cidrs: got ["::/0"]'],
  ["0.0.0.0/1", 'orion:admin.cidrs: got ["0.0.0.0/1"]'],
  ["2000::/3", "If that is what you want, set orion:admin.openToInternet to true"],
])("SSH that is open to %s is refused", (cidr, expected) => {
  expect(refusalOf({ ...leastValues("mvp"), ...admin([cidr, "203.0.113.0/24"]) })).toContain(expected);
});

test.each(["10.0.0.0/8", "203.0.113.7/32", "2001:db8::/32"])("%s is somebody's network", (cidr) => {
  expect(settingsOf("mvp", admin([cidr])).admin.cidrs).toEqual([cidr]);
});

type Case = [
  key: string,
  refused: Record<string, unknown>,
  aloud: Record<string, unknown>,
  read: (s: Settings) => unknown,
];
const cases: Case[] = [
  [
    "admin.openToInternet",
    admin(["0.0.0.0/0"]),
    admin(["0.0.0.0/0"], { openToInternet: true }),
    (settings) => settings.admin.cidrs,
  ],
  [
    "edge.clearText",
    { ...withoutCloudflare, edge: { tls: "none" } },
    { ...withoutCloudflare, edge: { tls: "none", clearText: true } },
    (settings) => settings.edge.tls,
  ],
  [
    "storage.noBackups",
    { storage: { backend: "local" } },
    { storage: { backend: "local", noBackups: true } },
    (settings) => settings.storage.backend,
  ],
  [
    "storage.clearText",
    { storage: { bucket: "files", endpoint: "http://minio.example.com" } },
    {
      storage: { bucket: "files", endpoint: "http://minio.example.com", clearText: true },
      backups: { pointInTime: false },
    },
    (settings) => settings.storage.endpoint,
  ],
];

test.each(cases)("without orion:%s it is refused, with it accepted", (key, refused, aloud, read) => {
  expect(refusalOf({ ...leastValues("mvp"), ...refused })).toContain(`set orion:${key} to true`);
  expect(read(settingsOf("mvp", aloud))).toBeDefined();
});

test("all of them are reported at once", () => {
  const values = {
    ...leastValues("mvp"),
    ...admin(["0.0.0.0/0"]),
    ...withoutCloudflare,
    ...{ edge: { tls: "none" }, storage: { backend: "local" } },
  };
  const message = refusalOf(values);
  for (const key of ["admin.openToInternet", "edge.clearText", "storage.noBackups"]) expect(message).toContain(key);
});

test("a local stack has no address to protect", () => {
  expect(settingsOf("development", { admin: { cidrs: ["0.0.0.0/0"] } }).edge.tls).toBe("none");
});

test("files on a server's disk are for one server: with several, each would have files of its own", () => {
  expect(refusalOf({ ...leastValues("scale"), storage: { backend: "local", noBackups: true } })).toContain(
    'orion:storage.backend: got "local", allowed: r2 while orion:app.servers and orion:workers.servers are set',
  );
});
