/** Tells clients apart by their User-Agent, and counts their calls; those with errors come first. Pure. */
import type { Call } from "./call-log.ts";

/** Calls of one client that are kept. */
const kept = 20;
/** Clients that are kept apart; the calls of all others are counted as `others`. */
const most = 30;

export interface ClientCalls {
  readonly client: string;
  /** User-Agents that it has sent, newest first. */
  readonly agents: readonly string[];
  readonly total: number;
  readonly errors: number;
  readonly lastError: Call | null;
  /** Newest first. */
  readonly last: readonly Call[];
}

/**
 * User-Agents of known clients, the most specific first: a Terraform provider names the library, too. Pulumi's plugin has
 * Terraform's provider in it, without a version: `hcloud-terraform/not build yet`.
 */
const families: readonly (readonly [RegExp, string])[] = [
  [/hcloud-terraform\/not build yet|pulumi.*hcloud/i, "Pulumi hcloud"],
  [/terraform-provider-hcloud|hcloud-terraform/i, "Terraform hcloud"],
  [/terraform-provider-cloudflare|terraform.*cloudflare/i, "Terraform Cloudflare"],
  [/pulumi/i, "Pulumi"],
  [/terraform|opentofu/i, "Terraform"],
  [/hcloud-cli/i, "hcloud command line"],
  [/ansible/i, "Ansible"],
  [/octodns/i, "octoDNS"],
  [/wrangler/i, "Wrangler"],
  [/hcloud-python/i, "hcloud-python"],
  [/cloudflare\/python|python-cloudflare/i, "cloudflare-python"],
  [/hcloud-go/i, "hcloud-go"],
  [/cloudflare-go|cloudflare\/go/i, "cloudflare-go"],
  [/^curl\b/i, "curl"],
  [/^orion-cloudflare\b/i, "Orion's Cloudflare plugin"],
  [/boto|aws-cli|rclone/i, "S3 client"],
  [/python|urllib|aiohttp|httpx/i, "Python"],
  [/^go-http-client/i, "Go program"],
  [/^(node|undici)\b/i, "Node.js"],
  [/mozilla/i, "browser"],
];

/** The client's name for people: a known one, or what its User-Agent begins with. */
export function clientOf(agent: string): string {
  const known = families.find(([pattern]) => pattern.test(agent));
  if (known) return known[1];
  if (agent.trim() === "") return "no User-Agent";
  const [product = ""] = agent.trim().split(/[\s/(]/);
  return /^[\w.-]{1,40}$/.test(product) ? product : "unknown client";
}

export const isError = ({ status }: Pick<Call, "status">): boolean => status === 0 || status >= 400;

/** The calls of each client since the cloud's process started. */
export class Clients {
  readonly #clients = new Map<string, ClientCalls>();

  add(call: Call): void {
    const name = clientOf(call.agent);
    const client = this.#clients.has(name) || this.#clients.size < most ? name : "others";
    const { total, errors, lastError, last, agents } = this.#clients.get(client) ?? {
      ...{ total: 0, errors: 0, lastError: null, last: [], agents: [] },
    };
    this.#clients.set(client, {
      client,
      agents: [call.agent, ...agents.filter((one) => one !== call.agent)].slice(0, 5),
      total: total + 1,
      errors: errors + (isError(call) ? 1 : 0),
      lastError: isError(call) ? call : lastError,
      last: [call, ...last].slice(0, kept),
    });
  }

  /** Those with errors first, the latest error at the top; then those that called last. */
  get all(): ClientCalls[] {
    return [...this.#clients.values()].sort(
      (a, b) =>
        latest(b.lastError).localeCompare(latest(a.lastError)) || latest(b.last[0]).localeCompare(latest(a.last[0])),
    );
  }
}

const latest = (call: Call | null | undefined): string => call?.time ?? "";
