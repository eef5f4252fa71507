/** Pulls official images and gives up quickly on a registry that cannot be reached. */
import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Run } from "../common/process.ts";

export type Pull =
  | { readonly kind: "pulled" }
  /** The registry cannot be reached: no network, no DNS name, no response. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** The registry responded and refused the pull. */
  | { readonly kind: "refused"; readonly reason: string };

/** Seconds without output after which a registry counts as unreachable. */
const silenceTimeoutSeconds = 8;

const noConnection =
  /no such host|connection refused|network is unreachable|no route to host|i\/o timeout|deadline exceeded|server misbehaving|connection reset|TLS handshake|x509|proxyconnect|request canceled|temporary failure|: EOF/i;

/** Registry host of a reference; without one it is Docker Hub. */
export function registryOf(reference: string): string {
  const first = reference.split("/")[0] ?? "";
  const isHost = reference.includes("/") && (/[.:]/.test(first) || first === "localhost");
  return isHost ? first : "docker.io";
}

/** Classifies the failure of a `docker pull` by its output. */
export function classifyPullFailure(output: string): Exclude<Pull, { kind: "pulled" }> {
  const reason = output.trim().split("\n").at(-1)?.trim() ?? "";
  return { kind: noConnection.test(reason) ? "unreachable" : "refused", reason };
}

/**
 * Pulls images. Once a registry has proved unreachable, further pulls from it fail at once.
 *
 * The Docker Engine does the pull, and this process never contacts the registry itself: proxies and mirrors are Docker's settings.
 */
export class Registries {
  readonly #runner: Run;
  readonly #unreachable = new Map<string, string>();
  /** The first pull from each registry; later ones wait for its outcome. */
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
    const { code, output } = await this.#runner("docker", ["pull", reference], {
      log,
      silenceSeconds: silenceTimeoutSeconds,
    });
    if (code === 0) return { kind: "pulled" };
    const verdict: Pull =
      code === undefined
        ? { kind: "unreachable", reason: `${host} did not respond within ${silenceTimeoutSeconds} s` }
        : classifyPullFailure(output);
    if (verdict.kind === "unreachable") this.#unreachable.set(host, verdict.reason);
    return verdict;
  }
}
