/** Clients of Hetzner's and Cloudflare's APIs, with a stack's endpoints and tokens. */
import { type Hetzner, hetznerBy } from "../common/hetzner.ts";
import { UserError } from "../common/user-error.ts";
import { ownEnvironment } from "../toolchain/src/environment.ts";
import { readConfig } from "./stack-config.ts";
import type { Apis, Get } from "./recovery/cloud-objects.ts";

/** Attempts at a busy or faulty API; the pause between them grows from a second. */
const tries = 5;

/** The APIs of the stack's providers, from its configuration and the providers' environment variables. */
export function apisOf(root: string, stack: string): Apis {
  const { hetzner, cloudflare } = endpointsOf(root, stack);
  const unknown =
    "It is not known whether the interrupted update created something there; run it again when the API answers.";
  return { hetzner: getter(hetzner, unknown), cloudflare: getter(cloudflare, unknown) };
}

/** Hetzner's API, to power off a server of the stack. */
export function hetznerOf(root: string, stack: string): Hetzner {
  const { base, token } = endpointsOf(root, stack).hetzner;
  return hetznerBy({ endpoint: base, token });
}

/** URL and token of an API. */
interface Endpoint {
  /** Without a slash at the end. */
  readonly base: string;
  readonly token: string;
}

function endpointsOf(root: string, stack: string): { readonly hetzner: Endpoint; readonly cloudflare: Endpoint } {
  const config = readConfig(root, stack);
  const env = ownEnvironment(root, process.env);
  const setting = (key: string, variable: string, otherwise = "") => config(key) ?? env[variable] ?? otherwise;
  return {
    hetzner: {
      base: setting("hcloud:endpoint", "HCLOUD_ENDPOINT", "https://api.hetzner.cloud/v1").replace(/\/$/, ""),
      token: setting("hcloud:token", "HCLOUD_TOKEN"),
    },
    cloudflare: {
      base: setting("cloudflare:baseUrl", "CLOUDFLARE_BASE_URL", "https://api.cloudflare.com/client/v4").replace(
        /\/$/,
        "",
      ),
      token: setting("cloudflare:apiToken", "CLOUDFLARE_API_TOKEN"),
    },
  };
}

const getter =
  (endpoint: Endpoint, unknown: string): Get =>
  (path) =>
    answerOf(endpoint, path, unknown);

/** The body of an answer; undefined for status 404. @throws {UserError} when the API fails */
async function answerOf({ base, token }: Endpoint, path: string, unknown: string): Promise<unknown> {
  const url = base + path;
  for (let attempt = 1; ; attempt++) {
    const answer = await ask(url, token);
    if (answer.status === 404) return undefined;
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    const isBusy = [0, 429].includes(answer.status) || answer.status >= 500;
    if (!isBusy || attempt === tries) {
      throw new UserError(
        `${url} answers ${answer.status === 0 ? "nothing" : String(answer.status)}: ${answer.text.slice(0, 300)}\n${unknown}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, attempt * 1000));
  }
}

async function ask(url: string, token: string): Promise<{ status: number; text: string; body?: unknown }> {
  try {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(20_000) });
    const text = await response.text();
    return { status: response.status, text, ...(response.ok && { body: JSON.parse(text) as unknown }) };
  } catch (error) {
    return { status: 0, text: error instanceof Error ? error.message : String(error) };
  }
}
