/** The two clouds' APIs with the tokens of a stack: for looking, and for switching a server of Hetzner's off. */
import { z } from "zod";
import { ownEnvironment } from "../toolchain/src/environment.ts";
import { type Apis, type Get } from "./cloud-objects.ts";
import { capture } from "./run.ts";
import { UserError } from "./user-error.ts";

const configSchema = z.record(z.string(), z.object({ value: z.string().optional() }));

/** A busy or faulty API is asked again so many times, the pause growing from a second. */
const tries = 5;

/** The APIs that the stack's providers speak to, by its configuration and the variables that those know, too. */
export function apisOf(root: string, stack: string): Apis {
  const { hetzner, cloudflare } = placesOf(root, stack);
  const unknown =
    "Whether the interrupted update has made something there is not known; run it again when the API answers.";
  return { hetzner: getter(hetzner, unknown), cloudflare: getter(cloudflare, unknown) };
}

/** Hetzner's API, as far as a server is looked at and switched off. */
export interface ServerPower {
  readonly get: Get;
  /** Resolves when the API has taken the action on; whether it is done by then is another question. */
  readonly act: (path: string) => Promise<void>;
}

/** @param unknown what is not known when the API does not answer, and what to do then */
export function serverPowerOf(root: string, stack: string, unknown: string): ServerPower {
  const { hetzner } = placesOf(root, stack);
  return {
    get: getter(hetzner, unknown),
    act: async (path) => {
      await answerOf(hetzner, "POST", path, unknown);
    },
  };
}

/** Where an API is, and what opens it. */
interface Place {
  readonly base: string;
  readonly token: string;
}

function placesOf(root: string, stack: string): { readonly hetzner: Place; readonly cloudflare: Place } {
  const { code, stdout, stderr } = capture("pulumi", [
    ...["config", "--json", "--show-secrets", "--stack", stack, "--cwd", root],
  ]);
  if (code !== 0) throw new UserError(`The configuration of '${stack}' could not be read:\n${stderr.trim()}`);
  const config = configSchema.parse(JSON.parse(stdout));
  const env = ownEnvironment(root, process.env);
  const setting = (key: string, variable: string, otherwise = "") => config[key]?.value ?? env[variable] ?? otherwise;
  return {
    hetzner: {
      base: setting("hcloud:endpoint", "HCLOUD_ENDPOINT", "https://api.hetzner.cloud/v1"),
      token: setting("hcloud:token", "HCLOUD_TOKEN"),
    },
    cloudflare: {
      base: setting("cloudflare:baseUrl", "CLOUDFLARE_BASE_URL", "https://api.cloudflare.com/client/v4"),
      token: setting("cloudflare:apiToken", "CLOUDFLARE_API_TOKEN"),
    },
  };
}

const getter =
  (place: Place, unknown: string): Get =>
  (path) =>
    answerOf(place, "GET", path, unknown);

type Method = "GET" | "POST";

/** The body of an answer; undefined where there is no such thing. @throws {UserError} when the API does not answer well */
async function answerOf({ base, token }: Place, method: Method, path: string, unknown: string): Promise<unknown> {
  const url = base.replace(/\/$/, "") + path;
  for (let attempt = 1; ; attempt++) {
    const answer = await ask(url, method, token);
    if (answer.status === 404) return undefined;
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    // 409 and 423: something else is being done to it.
    const isBusy = [0, 409, 423, 429].includes(answer.status) || answer.status >= 500;
    if (!isBusy || attempt === tries) {
      throw new UserError(
        `${url} answers ${answer.status === 0 ? "nothing" : String(answer.status)}: ${answer.text.slice(0, 300)}\n${unknown}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, attempt * 1000));
  }
}

async function ask(
  url: string,
  method: Method,
  token: string,
): Promise<{ status: number; text: string; body?: unknown }> {
  try {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(url, { method, headers, signal: AbortSignal.timeout(20_000) });
    const text = await response.text();
    return { status: response.status, text, ...(response.ok && { body: JSON.parse(text) as unknown }) };
  } catch (error) {
    return { status: 0, text: error instanceof Error ? error.message : String(error) };
  }
}
