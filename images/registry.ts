/** Official images from their registries: pulled where one answers, and quickly given up where none does. */
import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Run } from "../common/process.ts";

export type Pull =
  | { readonly kind: "pulled" }
  /** Nothing of that name can be fetched there at all: no network, no address, no answer. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** The registry answered and refused. */
  | { readonly kind: "refused"; readonly reason: string };

/** A registry that has said nothing for so long counts as unreachable. */
export const answerSeconds = 8;

const noConnection =
  /no such host|connection refused|network is unreachable|no route to host|i\/o timeout|deadline exceeded|server misbehaving|connection reset|TLS handshake|x509|proxyconnect|request canceled|temporary failure|: EOF/i;

/** Host of a reference; a name without one is Docker Hub's. */
export function registryOf(reference: string): string {
  const first = reference.split("/")[0] ?? "";
  const isHost = reference.includes("/") && (/[.:]/.test(first) || first === "localhost");
  return isHost ? first : "docker.io";
}

/** Reads what `docker pull` said when it failed. */
export function judgePull(output: string): Exclude<Pull, { kind: "pulled" }> {
  const reason = output.trim().split("\n").at(-1)?.trim() ?? "";
  return { kind: noConnection.test(reason) ? "unreachable" : "refused", reason };
}

/**
 * Pulls images, asking each registry only until it proves unreachable: later pulls from it fail at once.
 *
 * The engine is asked to pull instead of the registry being asked from here, because proxies and mirrors are settings of the engine.
 */
export class Registries {
  readonly #runner: Run;
  readonly #unreachable = new Map<string, string>();
  /** The first pull from each registry, which the others wait for. */
  readonly #first = new Map<string, Promise<unknown>>();

  constructor(runner: Run) {
    this.#runner = runner;
  }

  async pull(reference: string, log: string): Promise<Pull> {
    const host = registryOf(reference);
    const first = this.#first.get(host);
    if (first) {
      await first;
      return this.#pull(host, reference, log);
    }
    const attempt = this.#pull(host, reference, log);
    this.#first.set(host, attempt);
    return attempt;
  }

  async #pull(host: string, reference: string, log: string): Promise<Pull> {
    const known = this.#unreachable.get(host);
    if (known !== undefined) return { kind: "unreachable", reason: known };
    mkdirSync(dirname(log), { recursive: true });
    rmSync(log, { force: true });
    const { code, output } = await this.#runner("docker", ["pull", reference], { log, silenceSeconds: answerSeconds });
    if (code === 0) return { kind: "pulled" };
    const verdict: Pull =
      code === undefined
        ? { kind: "unreachable", reason: `${host} did not answer within ${answerSeconds} s` }
        : judgePull(output);
    if (verdict.kind === "unreachable") this.#unreachable.set(host, verdict.reason);
    return verdict;
  }
}
