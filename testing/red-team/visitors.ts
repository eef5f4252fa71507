/**
 * The edge as visitors find it: through the zone at Cloudflare, and at the server itself from Cloudflare's addresses, which all of
 * its customers share. A customer can choose host name, path, headers and client certificate; so does this.
 */
import { readFileSync } from "node:fs";
import { request as plainRequest, type RequestOptions } from "node:http";
import { request as secureRequest } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { cloudAddresses, cloudFolder } from "../../rehearsal/cloud/settings.ts";
import type { RehearsalCloud } from "../cloud.ts";
import type { Line } from "../golden.ts";

const domain = "orion.example.com";
/** What is closed gives no answer at all; what is open may be slow while everything else is tried. */
const [closedSeconds, openSeconds] = [8, 60];

interface Visit {
  readonly host: string;
  /** @default 443, with TLS */
  readonly port?: number;
  readonly servername?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly path?: string;
  readonly body?: string;
  /** Where the connection comes from. */
  readonly localAddress?: string;
  readonly ca?: string;
  readonly client?: ClientCertificate;
  /** @default - an answer may never come */
  readonly seconds?: number;
}

interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** The status of the answer, or `no answer`. */
function visit({
  port = 443,
  body,
  headers,
  servername = "",
  client,
  seconds = closedSeconds,
  ...more
}: Visit): Promise<number | "no answer"> {
  const options: RequestOptions = { port, agent: false, timeout: seconds * 1000, ...more, headers: { ...headers } };
  return new Promise((resolve) => {
    const call =
      port === 443
        ? secureRequest({ ...options, ...client, servername, rejectUnauthorized: more.ca !== undefined })
        : plainRequest(options);
    call.once("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? "no answer");
    });
    call.once("timeout", () => call.destroy());
    call.once("error", () => {
      resolve("no answer");
    });
    call.end(body);
  });
}

/** The ports that accept a connection. */
async function openPorts({
  ports,
  ...from
}: Pick<Visit, "host" | "localAddress"> & { readonly ports: readonly number[] }): Promise<number[]> {
  const tried = ports.map(
    (port) =>
      new Promise<number[]>((resolve) => {
        const socket = connect({ port, ...from });
        const end = (open: number[]) => {
          socket.destroy();
          resolve(open);
        };
        // What has been answered is read before this process gives up: it may have been busy with something else.
        socket.setTimeout(3000, () => {
          setTimeout(end, 500, []);
        });
        socket.once("connect", () => {
          end([port]);
        });
        socket.once("error", () => {
          end([]);
        });
      }),
  );
  return (await Promise.all(tried)).flat();
}

/** Paths, with the method in front where it is not GET. */
const paths = [
  ...["/", "/health", "/orders/count", "/static/red-team", "/edge-health"],
  ...["/metrics", "/metrics/", "//metrics", "/%6Detrics", "/ready", "/docs", "/redoc", "/openapi.json"],
  ...["/static/../metrics", "/flower", "/nginx_status", "/.env", "/tasks/red-team", "POST /tasks/send_password_reset"],
];

/** Headers in which programs look for a visitor's address. */
const forgedAddress = {
  "cf-connecting-ip": "6.6.6.1",
  "true-client-ip": "6.6.6.2",
  "x-real-ip": "6.6.6.3",
  "x-forwarded-for": "6.6.6.4",
  forwarded: "for=6.6.6.5",
  "x-client-ip": "6.6.6.6",
  "x-cluster-client-ip": "6.6.6.7",
  "fastly-client-ip": "6.6.6.8",
};

/** The user of the session whose address the app has noted. */
const forger = "red-team";

/** Through the zone, as every visitor. @param notedAddress the address that the app has noted for a user */
export async function visitorsOfZone(
  root: string,
  { settings: { instance, block } }: RehearsalCloud,
  notedAddress: (user: string) => Promise<string>,
): Promise<Line[]> {
  const ca = readFileSync(join(cloudFolder(root, instance), "edge-authority.pem"), "utf8");
  const edge = { host: cloudAddresses(block).edge, servername: domain, ca, seconds: openSeconds };
  const json = { host: domain, "content-type": "application/json" };
  const asked = paths.map(async (text): Promise<[string, unknown]> => {
    const [path = "", method = "GET"] = text.split(" ").reverse();
    const body = method === "POST" ? { body: "{}" } : {};
    return [text, await visit({ ...edge, method, path, headers: json, ...body })];
  });
  const foreign = await visit({ ...edge, headers: { host: "evil.example" } });
  const session = { method: "POST", path: "/session", body: JSON.stringify({ user: forger }) };
  const forged = await visit({ ...edge, ...session, headers: { ...json, ...forgedAddress } });
  return [
    ...[...(await Promise.all(asked)), ["/ for another Host", foreign] as const].map(([what, answer]) =>
      line("visitor-of-the-zone", what, { answer }),
    ),
    line("visitor-of-the-zone", "POST /session with forged addresses", {
      answer: forged,
      address: await notedAddress(forger),
    }),
  ];
}

/** Where visitors of an address of the platform come from. */
export type Origin = "internet" | "cloudflare";

/**
 * At an address of the platform itself: from an operator's address in the Internet, or from Cloudflare's.
 *
 * @param others the client certificate of another customer
 */
export async function visitorsFrom(
  origin: Origin,
  { settings: { block } }: RehearsalCloud,
  { name, address }: { readonly name: string; readonly address: string },
  ports: readonly number[],
  others: ClientCertificate,
): Promise<Line[]> {
  const from = { host: address, ...(origin === "cloudflare" && { localAddress: cloudAddresses(block).edge }) };
  const own = { servername: domain, headers: { host: domain } };
  const visits: Readonly<Record<string, Omit<Visit, "host">>> = {
    "without a client certificate": own,
    "with another tenant's certificate": { ...own, client: others },
    "with another tenant's certificate for /metrics": { ...own, client: others, path: "/metrics" },
    "with another tenant's certificate and forged addresses": {
      ...{ ...own, client: others, headers: { host: domain, ...forgedAddress } },
    },
    "for another Host": { servername: domain, headers: { host: "evil.example" }, client: others },
    "for another name": { servername: "evil.example", headers: { host: "evil.example" }, client: others },
    "for the address": { headers: { host: address }, client: others },
    "on port 80": { port: 80, headers: { host: domain } },
    "on port 80 for /metrics": { port: 80, headers: { host: domain }, path: "/metrics" },
    "on port 80 for another Host": { port: 80, headers: { host: "evil.example" } },
    "on port 8081": { port: 8081, headers: { host: domain }, path: "/edge-health" },
  };
  const open = await openPorts({ ...from, ports });
  const answers = Object.entries(open.includes(443) ? visits : {}).map(async ([what, one]) =>
    line(`${origin}->${name}`, what, { answer: await visit({ ...from, ...one }) }),
  );
  return [line(`${origin}->${name}`, "ports", { ports: open }), ...(await Promise.all(answers))];
}

const line = (kind: string, what: string, value: object): Line => ({
  ...{ kind, name: what.replaceAll(" ", "-"), values: [value] },
});
