/** The ways from Cloudflare to an origin: the zone's own, and those that other customers of Cloudflare can make for themselves. */
import { request } from "node:https";
import fastify from "fastify";
import { registerCloudflare } from "../../../rehearsal/cloudflare/api.ts";
import { CertificateAuthority } from "../../../rehearsal/cloudflare/authority.ts";
import { Edge } from "../../../rehearsal/cloudflare/edge/edge.ts";
import { noObjects } from "../../../rehearsal/cloudflare/objects/storage.ts";
import type { CloudflareObjects } from "../../../rehearsal/cloudflare/state.ts";
import { Store } from "../../../rehearsal/store.ts";
import { freePort } from "../../../common/ports.ts";
import { selfSigned } from "../../../testing/certificate.ts";
import { clientOf, EdgeBench, hostname, ofMvp } from "./edges.ts";

jest.setTimeout(60_000);

/** Addresses of loopback for this file, so that the origin can have port 443. */
const block = `127.${200 + (process.pid % 50)}.${Math.floor(process.pid / 50) % 250}`;
const [originAddress, edgeAddress] = [`${block}.11`, `${block}.1`];
const bench = new EdgeBench();
const authority = selfSigned("client authority");
const accountId = "0".repeat(32);
const token = "0123456789abcdef".repeat(4);

let now = new Date();
const app = fastify();
const world = registerCloudflare(app, {
  ...{ store: new Store<CloudflareObjects>(":memory:"), now: () => now, token, accountId, objects: noObjects },
  zones: [
    { name: "example.com", plan: "free" },
    { name: "attacker.org", plan: "business" },
  ],
});
let api: string;
let https = 0;
let edge: Edge;
let ca: string;

async function call(method: "POST" | "PUT" | "PATCH", path: string, payload: object): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(`${api}/client/v4${path}`, { method, headers, body: JSON.stringify(payload) });
  const body = (await answer.json()) as { result: Record<string, unknown> };
  if (!answer.ok) throw new Error(`${path}: ${JSON.stringify(body)}`);
  return body.result;
}
const zonePath = (zone: string) => `/zones/${world.zoneOf(zone)?.id ?? ""}`;

/** A visitor's request to a host name at Cloudflare. */
const visit = (host: string, path = "/page"): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const options = { host: edgeAddress, port: https, servername: host, headers: { host }, path, ca, agent: false };
    const sent = request(options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => (body += part));
      response.once("end", () => {
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
    sent.once("error", reject);
    sent.end();
  });

/** Uploads a client certificate and switches it on. */
async function presentCertificate(zone: string, signer: { readonly folder: string }): Promise<void> {
  const { cert, key } = clientOf(signer, zone);
  await call("POST", `${zonePath(zone)}/origin_tls_client_auth`, { certificate: cert, private_key: key });
  await call("PUT", `${zonePath(zone)}/origin_tls_client_auth/settings`, { enabled: true });
}

beforeAll(async () => {
  bench.start();
  api = await app.listen({ host: "127.0.0.1", port: 0 });
  https = await freePort();
  edge = new Edge({ world, address: edgeAddress, ports: { https, http: await freePort() } });
  await edge.start();
  ca = await edge.authority();
  const issued = await (await CertificateAuthority.open(world.store, "origin-ecc")).issue([hostname], 30, now);
  const files = {
    "edge.crt": issued.certificate,
    "edge.key": issued.key,
    "client-authority.crt": authority.certificate,
  };
  const tls = { port: 8443, certificate: "edge.crt", key: "edge.key", clientAuthority: "client-authority.crt" };
  await bench.edge("origin", { ...ofMvp, tls, trustedProxies: [bench.range()] }, files, `${originAddress}:443`);
  for (const [zone, name] of [
    ["example.com", hostname],
    ["attacker.org", "attacker.org"],
  ] as const) {
    await call("PATCH", `${zonePath(zone)}/settings/ssl`, { value: zone === "example.com" ? "strict" : "full" });
    const record = { type: "A", name, content: originAddress, proxied: true, ttl: 1 };
    await call("POST", `${zonePath(zone)}/dns_records`, record);
  }
});
afterAll(async () => {
  await edge.stop();
  await app.close();
  bench.stop();
});

test("until the zone presents its certificate, its visitors are refused; then they reach the app with their address", async () => {
  expect((await visit(hostname)).status).toBe(400);
  await presentCertificate("example.com", authority);
  now = new Date(now.getTime() + 60_000);
  const { status, body } = await visit(hostname);
  expect([status, body]).toEqual([200, expect.stringContaining(`X-Real-IP: 127.0.0.1`)]);
});

test("a record of another zone does not reach the origin", async () => {
  const { status, body } = await visit("attacker.org", "/?q=union%20select%201");
  expect(status).toBeGreaterThanOrEqual(520);
  expect(body).toMatch(/unrecognized name/);
});

describe("a load balancer of another zone, which asks the origin for this host name,", () => {
  beforeAll(async () => {
    const origins = [{ name: "origin", address: originAddress, header: { Host: [hostname] } }];
    const pool = await call("POST", `/accounts/${accountId}/load_balancers/pools`, { name: "stolen", origins });
    const pools = { default_pools: [pool["id"]], fallback_pool: pool["id"] };
    await call("POST", `${zonePath("attacker.org")}/load_balancers`, {
      name: "lb.attacker.org",
      proxied: true,
      ...pools,
    });
  });

  const refused = async (): Promise<void> => {
    const { status, body } = await visit("lb.attacker.org", "/?q=union%20select%201");
    expect([status, body]).toEqual([400, expect.not.stringContaining("GET /")]);
  };

  test("is refused without a certificate", refused);

  test("is refused with the certificate that Cloudflare shares between its customers", async () => {
    await call("PATCH", `${zonePath("attacker.org")}/settings/tls_client_auth`, { value: "on" });
    await refused();
  });

  test("is refused with a certificate of that zone's own", async () => {
    await presentCertificate("attacker.org", selfSigned("another authority"));
    now = new Date(now.getTime() + 60_000);
    await refused();
    // The zone's own visitors are not disturbed.
    expect((await visit(hostname)).status).toBe(200);
  });
});
