/** The calls of a cloud that are its own, beside those of the two APIs. */
import { z } from "zod";
import { UserError } from "../../toolchain/src/run.ts";
import { type CloudSettings } from "./settings.ts";
import { readStatus, type Status } from "./status.ts";

const errorSchema = z.object({ error: z.string() });

/** Milliseconds that a cloud has to answer, and that an image may take on its way. */
const patience = { call: 10_000, image: 600_000 };

export class CloudClient {
  readonly #settings: CloudSettings;

  constructor(settings: CloudSettings) {
    this.#settings = settings;
  }

  /**
   * The status, when this very cloud answers.
   *
   * @throws {UserError} when something else does
   */
  async ask(): Promise<Status | undefined> {
    const response = await this.#call("GET", "/rehearsal/status").catch(() => undefined);
    if (response?.status === 401) {
      throw new UserError(
        `Something else answers on port ${this.#settings.port}. End it, or choose another port: make cloud-up PORT=8480`,
      );
    }
    return response?.ok ? readStatus(await response.json()) : undefined;
  }

  /** @throws {UserError} when the cloud does not answer */
  async status(): Promise<Status> {
    const found = await this.ask();
    if (found) return found;
    throw new UserError(`The rehearsal cloud '${this.#settings.instance}' does not answer. Start it: make cloud-up`);
  }

  /**
   * Puts an image of the local Docker Engine into the cloud's registry.
   *
   * @param image what it is called here
   * @param reference what servers pull it as
   * @throws {UserError} when that is not possible
   */
  async pushImage(image: string, reference: string): Promise<void> {
    const response = await this.#call("POST", "/rehearsal/images", { image, reference }, patience.image);
    if (response.ok) return;
    const { data } = errorSchema.safeParse(await response.json());
    throw new UserError(data?.error ?? `${image} could not be put into the registry: HTTP ${response.status}`);
  }

  /** Has the cloud end itself, with everything in it. */
  async end(): Promise<void> {
    await this.#call("POST", "/rehearsal/down");
  }

  #call(method: string, path: string, body?: unknown, milliseconds = patience.call): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#settings.port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#settings.token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(milliseconds),
    });
  }
}
