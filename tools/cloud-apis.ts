/** The two clouds' APIs with the tokens of a stack. */
import { z } from "zod";
import { type Hetzner, hetznerBy } from "../common/hetzner.ts";
import { runSync } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import { ownEnvironment } from "../toolchain/src/environment.ts";
import type { Apis, Get } from "./recovery/cloud-objects.ts";

const configSchema = z.record(z.string(), z.object({ value: z.string().optional() }));

/** A busy or faulty API is asked again so many times, the pause growing from a second. */
const tries = 5;

/** The APIs that the stack's providers speak to, by its configuration and the variables that those know, too. */
export function apisOf(root: string, stack: string): Apis {
  const { hetzner, cloudflare } = toolchainPaths(root, stack);
  const unknown =
    "Whether the interrupted update has made something there is not known; run it again when the API answers.";
  return { hetzner: getter(hetzner, unknown), cloudflare: getter(cloudflare, unknown) };
}

/** Hetzner's API, to switch a server of the stack off. */
export function hetznerOf(root: string, stack: string): Hetzner {
  const { base, token } = toolchainPaths(root, stack).hetzner;
  return hetznerBy({ endpoint: base, token });
}

/** Where an API is, and what opens it. */
interface Place {
  /** Without a slash at the end. */
  readonly base: string;
  readonly token: string;
}

function toolchainPaths(root: string, stack: string): { readonly hetzner: Place; readonly cloudflare: Place } {
  const { code, stdout, stderr } = runSync("pulumi", [
    ...["config", "--json", "--show-secrets", "--stack", stack, "--cwd", root],
  ]);
  if (code !== 0) throw new UserError(`The configuration of '${stack}' could not be read:\n${stderr.trim()}`);
  const config = configSchema.parse(JSON.parse(stdout));
  const env = ownEnvironment(root, process.env);
  const setting = (key: string, variable: string, otherwise = "") => config[key]?.value ?? env[variable] ?? otherwise;
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
  (place: Place, unknown: string): Get =>
  (path) =>
    answerOf(place, path, unknown);

/** The body of an answer; undefined where there is no such thing. @throws {UserError} when the API does not answer well */
async function answerOf({ base, token }: Place, path: string, unknown: string): Promise<unknown> {
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
