/** Certificates when the cloud's time passes: an origin's ends, and the edge's own is renewed and valid for clients of today. */
import { readFileSync } from "node:fs";
import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { Edge } from "../../../../rehearsal/cloudflare/edge/edge.ts";
import { newKey, openssl } from "../../../../testing/certificate.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { freePort } from "../../../../common/ports.ts";
import { accountId, Api } from "../support/api.ts";

const day = 86_400_000;
const hostname = "www.example.com";

let api: Api;
let edge: Edge;
let origin: Server;
let port: number;
/** When the origin's certificate ends, as the API says. */
let expires: unknown;

beforeEach(async () => {
  api = new Api([{ name: "example.com", plan: "enterprise" }]);
  api.now = new Date();
  const folder = temporaryFolder("certificates");
  const csr = openssl(folder, "csr.pem", "req", ...newKey, "-subj", "/CN=origin");
  const asked = { csr, hostnames: [hostname], request_type: "origin-rsa", requested_validity: 7 };
  const { result } = await api.call("POST", "/certificates", asked);
  expires = result["expires_on"];
  const key = readFileSync(join(folder, "key.pem"), "utf8");
  origin = createServer({ key, cert: String(result["certificate"]) }, (_, response) => response.end("content"));
  await new Promise<void>((listening) => origin.listen(0, "127.0.0.1", listening));
  const { port: at } = origin.address() as AddressInfo;
  const origins = [{ name: "o", address: "127.0.0.1", port: at, enabled: true }];
  const pool = await api.call("POST", `/accounts/${accountId}/load_balancers/pools`, { name: "p", origins });
  const pools = { default_pools: [pool.result["id"]], fallback_pool: pool.result["id"] };
  const balancer = { name: hostname, proxied: true, ...pools };
  expect((await api.call("POST", `/zones/${api.zone()}/load_balancers`, balancer)).status).toBe(200);
  await api.call("PATCH", `/zones/${api.zone()}/settings/ssl`, { value: "strict" });
  port = await freePort();
  edge = new Edge({ world: api.world, address: "127.0.0.1", ports: { https: port, http: await freePort() } });
  await edge.start();
});
afterEach(async () => {
  await edge.stop();
  origin.closeAllConnections();
  await new Promise((closed) => origin.close(closed));
});

/** A request to the edge, whose certificate is verified by this machine's clock. */
async function visit(): Promise<{ readonly status: number; readonly text: string; readonly validFor: number }> {
  const tls = { host: "127.0.0.1", port, servername: hostname, ca: await edge.authority(), agent: false };
  return new Promise((settle, fail) => {
    const call = request({ ...tls, headers: { host: hostname } }, (answer) => {
      const end = answer.socket instanceof TLSSocket ? answer.socket.getPeerCertificate().valid_to : "";
      let text = "";
      answer.setEncoding("utf8").on("data", (part: string) => (text += part));
      answer.on("end", () => {
        settle({ status: answer.statusCode ?? 0, text, validFor: (Date.parse(end) - Date.now()) / day });
      });
    });
    call.once("error", fail);
    call.end();
  });
}

test("an origin whose certificate has ended is refused, also when its TLS session is known", async () => {
  expect(await visit()).toMatchObject({ status: 200, text: "content" });
  expect((Date.parse(String(expires).replace(" +0000 UTC", "Z").replace(" ", "T")) - Date.now()) / day).toBeCloseTo(
    7,
    2,
  );
  api.now = new Date(Date.now() + 6.9 * day);
  expect(await visit()).toMatchObject({ status: 200, text: "content" });
  api.now = new Date(Date.now() + 7.1 * day);
  const late = await visit();
  expect(late.status).toBe(526);
  expect(late.text).toMatch(/the origin's certificate was valid until/);
  // Without verification its age does not matter.
  await api.call("PATCH", `/zones/${api.zone()}/settings/ssl`, { value: "full" });
  expect(await visit()).toMatchObject({ status: 200 });
});

test("the edge renews its own certificate, and clients with another clock take it", async () => {
  expect((await visit()).validFor).toBeCloseTo(90, 1);
  api.now = new Date(Date.now() + 50 * day);
  expect((await visit()).validFor).toBeCloseTo(90, 1);
  api.now = new Date(Date.now() + 200 * day);
  expect((await visit()).validFor).toBeCloseTo(290, 1);
});

test("a certificate that origin CA makes later is valid from today to the later time", async () => {
  api.now = new Date(Date.now() + 40 * day);
  const folder = temporaryFolder("later");
  const csr = openssl(folder, "csr.pem", "req", ...newKey, "-subj", "/CN=origin");
  const asked = { csr, hostnames: [hostname], request_type: "origin-rsa", requested_validity: 7 };
  const { result } = await api.call("POST", "/certificates", asked);
  expect(String(result["expires_on"])).toMatch(
    new RegExp(`^${new Date(Date.now() + 47 * day).toISOString().slice(0, 10)}`),
  );
});
