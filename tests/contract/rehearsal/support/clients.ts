/**
 * Which calls each real client made that were answered with success, as its User-Agent says. What they are is kept in
 * clients/records/: the fidelity page shows it, and the tests compare it with what they see. UPDATE_RECORDS=1 writes it.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { z } from "zod";

/** Clients by the names of their records, with the start or a part of their User-Agent. */
const agents = {
  "hcloud-python": /^hcloud-python\//,
  hcloud: /^hcloud-cli\//,
  "cloudflare-python": /^Cloudflare\/Python/,
  ansible: /^ansible-module\//,
  wrangler: /^wrangler\//,
  octodns: /^octodns\//,
  boto3: /^Boto3\//,
  awscli: /^aws-cli\//,
  rclone: /^rclone\//,
  // Pulumi's plugin is this provider, too: which of them it is, the test file says.
  "terraform-hcloud": /^hcloud-terraform\//,
  "pulumi-hcloud": /^hcloud-terraform\//,
} as const;
export type Client = keyof typeof agents;

const isClient = (name: string): name is Client => Object.hasOwn(agents, name);
const seen = new Map<Client, Set<string>>();

/** Asking whether an action is over: how often depends on how fast this machine is. */
const isPolling = (call: string): boolean => /^hetzner GET .*\/actions/.test(call);

/** @param call `<api> <METHOD> <route>` */
export function noteCall(agent: string | undefined, call: string, status: number): void {
  if (agent === undefined || status >= 400) return;
  for (const client of Object.keys(agents).filter(isClient)) {
    if (agents[client].test(agent)) seen.set(client, (seen.get(client) ?? new Set()).add(call));
  }
}

/** Notes the calls below a prefix. @param api its name in the records */
export function noteCalls(app: FastifyInstance, api: "hetzner" | "cloudflare", prefix: string): void {
  app.addHook("onResponse", (request, reply, done) => {
    const { url } = request.routeOptions;
    if (url?.startsWith(`${prefix}/`)) {
      noteCall(request.headers["user-agent"], `${api} ${request.method} ${url.replace(prefix, "")}`, reply.statusCode);
    }
    done();
  });
}

const schema = z.object({ name: z.string(), version: z.string(), calls: z.array(z.string()) });

/** Compares what was seen of a client in this test file with its record. @param name as people call it */
export function expectRecord(client: Client, name: string, version: string): void {
  const path = join(__dirname, "..", "clients", "records", `${client}.json`);
  const calls = [...(seen.get(client) ?? [])].sort();
  if (process.env["UPDATE_RECORDS"] === "1") {
    writeFileSync(path, `${JSON.stringify({ name, version, calls }, null, 2)}\n`);
    return;
  }
  if (!existsSync(path)) throw new Error(`${path} is missing: UPDATE_RECORDS=1 writes it`);
  const record = schema.parse(JSON.parse(readFileSync(path, "utf8")));
  const steady = (all: readonly string[]) => all.filter((call) => !isPolling(call));
  expect({ ...record, calls: steady(record.calls) }).toEqual({ name, version, calls: steady(calls) });
}
