/** Settings that are right one by one and wrong together, or that a server or a provider would refuse. */
import type { Phase } from "../../../config/schema.ts";
import { plan } from "../../../topology/plan.ts";
import { leastValues, publicKey, refusalOf, settingsOf } from "../support/settings.ts";

const admin = (...cidrs: readonly string[]) => ({ admin: { cidrs, sshPublicKeys: [publicKey("someone")] } });
const ownZone = (zone: string) => ({ cloudflare: { accountId: "0".repeat(32), zone } });

test.each<[Phase, Readonly<Record<string, unknown>>, string]>([
  ["mvp", admin("203.0.113.7/24"), 'got "203.0.113.7/24", allowed: 203.0.113.0/24, or 203.0.113.7/32 for one address'],
  ["mvp", admin("2001:db8::1/32"), 'got "2001:db8::1/32", allowed: 2001:db8::/32, or 2001:db8::1/128 for one address'],
  [
    "mvp",
    admin("2001:db8::/32", "2001:DB8::/32"),
    'orion:admin.cidrs: got "2001:DB8::/32", allowed: each address range once',
  ],
  ["mvp", admin(...Array.from({ length: 101 }, (_, at) => `203.0.113.${at}/32`)), "allowed: 100 or less entries"],
  ["mvp", { domain: "orion.corp.local" }, 'orion:domain: got "orion.corp.local", allowed: a host name of the Internet'],
  ["mvp", { domains: { "orion.internal": "serve" } }, "orion:domains.orion.internal: got"],
  ["development", { domain: "orion.example.123" }, "whose last label is no number"],
  ["mvp", { domain: "shop.co.uk", ...ownZone("co.uk") }, "allowed: a zone of your own below co.uk"],
  ["mvp", { domains: { "WWW.example.com": "redirect", "www.example.com": "serve" } }, "it is WWW.example.com as well"],
  ["scale", { images: { haproxy: "haproxy:2.8" } }, "allowed: HAProxy 3.0 or later"],
  ["enterprise", { images: { haproxy: "haproxy:3.0-alpine" } }, "allowed: an image made from Debian 13 or later"],
  [
    "mvp",
    { images: { postgres: "docker.io/library/postgres:15-alpine" } },
    "allowed: an image made from Debian, such as",
  ],
  [
    "mvp",
    { images: { postgres: "postgres:15" }, database: { version: 16 } },
    "orion:database.version: got 16, allowed: 15,",
  ],
  ["mvp", { email: { smtpHost: "localhost" } }, "a container reaches nothing at its own address"],
  ["mvp", { email: { smtpHost: "127.0.0.1" } }, "a container reaches nothing at its own address"],
  ["mvp", { email: { smtpHost: "relay" } }, "with a dot: a single label is not a name of the Internet"],
  [
    "mvp",
    { email: { backend: "mailgun", mailgunDomain: "mg" } },
    'orion:email.mailgunDomain: got "mg", allowed: a host name',
  ],
  ["mvp", { email: { backend: "mailgun", mailgunDomain: "1.2.3.4" } }, "not an address"],
  ["mvp", { database: { primary: "db-10" } }, "orion:database.primary: got"],
  [
    "mvp",
    { app: { servers: { count: 2, types: ["cpx22"] } } },
    "regional or global while orion:app.servers is set; or leave orion:app.servers out, which phase mvp does not have",
  ],
  [
    "mvp",
    { storage: { bucket: "b-1", customDomain: "files.example.org" } },
    "name another zone in orion:cloudflare.zones",
  ],
  ["development", { app: { environment: { VERSION: 1.1 } } }, "--path orion:app.environment.NAME VALUE"],
  ["development", { services: ["cache", "app", "docs"], ports: { docs: 8000 } }, "orion:ports.docs: got 8000"],
  ["mvp", { app: { writable: ["/srv/a", "/srv/a"] } }, "orion:app.writable: got"],
  ["mvp", { workers: { concurrency: { constructor: 2 } } }, "orion:workers.concurrency.constructor: got 2"],
  [
    "mvp",
    { storage: { backend: "local", noBackups: true }, backups: { pointInTime: true } },
    "orion:backups.pointInTime: got true, allowed: false while orion:storage.backend is local",
  ],
])("phase %s with %j is refused", (phase, values, message) => {
  expect(refusalOf({ ...leastValues(phase), ...values })).toContain(message);
});

test.each<[Phase, Readonly<Record<string, unknown>>]>([
  [
    "mvp",
    {
      images: { postgres: "registry.example.com/team/postgres:3", haproxy: "team/haproxy:2" },
      database: { version: 15 },
    },
  ],
  ["mvp", { images: { postgres: "postgres:16-bookworm" } }],
  ["mvp", { email: { smtpHost: "10.20.0.9" } }],
  ["development", { services: ["cache", "app", "edge"], ports: { docs: 8080 } }],
  ["development", { workers: { enabled: false }, ports: { flower: 8080 } }],
  ["scale", { database: { primary: "db-9" } }],
  ["mvp", { storage: { backend: "local", noBackups: true } }],
  [
    "mvp",
    {
      domain: "orion.internal",
      cloudflare: { enabled: false, accountId: "0".repeat(32) },
      edge: { tls: "self-signed" },
    },
  ],
  ["development", { images: { postgres: "postgres:15-alpine" }, backups: { pointInTime: true } }],
])("phase %s with %j is accepted", (phase, values) => {
  expect(settingsOf(phase, values).phase).toBe(phase);
});

test("the zone of a name under a public suffix of two labels is that name's own", () => {
  expect(settingsOf("mvp", { domain: "orion.shop.co.uk" }).cloudflare.zone).toBe("shop.co.uk");
  expect(settingsOf("mvp", { domain: "shop.com.au" }).cloudflare.zone).toBe("shop.com.au");
});

test("a queue may have the name of what every object has", () => {
  const settings = settingsOf("mvp", { workers: { queues: ["default", "constructor"] } });
  const workers = plan("prod", settings).services.filter((service) => service.kind === "worker");
  expect(workers.map(({ queues, concurrency }) => [queues, concurrency])).toContainEqual([["constructor"], 2]);
});

test("a key of another algorithm is refused with those that there are", () => {
  const key = publicKey("someone").replace("ssh-ed25519", "sk-ssh-ed25519@openssh.com");
  expect(refusalOf({ ...leastValues("mvp"), admin: { cidrs: ["203.0.113.0/24"], sshPublicKeys: [key] } })).toContain(
    "of the algorithms ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, 384 or 521",
  );
});

test("a server without apps and workers has no pooler", () => {
  const { services } = plan("prod", settingsOf("enterprise", { workers: { enabled: false } }));
  const poolers = services.filter(({ kind }) => kind === "pgbouncer");
  expect(poolers.length).toBeGreaterThan(0);
  expect(poolers.filter(({ server }) => server === "core-1")).toEqual([]);
});
