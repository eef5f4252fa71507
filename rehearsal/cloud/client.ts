/** The calls of a cloud that are its own, beside those of the two APIs. */
import { z } from "zod";
import { UserError } from "../../common/user-error.ts";
import type { Json } from "../json.ts";
import type { CloudSettings } from "./settings.ts";
import { readStatus, type Status } from "./status.ts";

const errorSchema = z.object({ error: z.string() });
const addedSchema = z.object({ fault: z.record(z.string(), z.unknown()) });

/** Milliseconds that a cloud has to answer, and that an image may take on its way. */
const patience = { call: 10_000, image: 600_000 };

export class CloudClient {
  readonly #settings: CloudSettings;

  constructor(settings: CloudSettings) {
    this.#settings = settings;
  }

  /**
   * Whether this very cloud answers, and its status, unless it is run by another version of this program.
   *
   * @throws {UserError} when something else answers
   */
  async ask(): Promise<{ readonly isUp: boolean; readonly status: Status | undefined }> {
    const response = await this.#call("GET", "/rehearsal/status").catch(() => undefined);
    if (response?.status === 401) {
      throw new UserError(
        `Something else answers on port ${this.#settings.port}. End it, or choose another port: make cloud-up PORT=8480`,
      );
    }
    return response?.ok
      ? { isUp: true, status: readStatus(await response.json()) }
      : { isUp: false, status: undefined };
  }

  /** @throws {UserError} when the cloud does not answer, or in another way */
  async status(): Promise<Status> {
    const { isUp, status } = await this.ask();
    if (status) return status;
    throw new UserError(
      `The rehearsal cloud '${this.#settings.instance}' ${isUp ? "is run by another version of this program" : "does not answer"}. ` +
        `${isUp ? "Restart it, and keep what is in it" : "Start it"}: make cloud-up`,
    );
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
    throw await refusalOf(response, `${image} could not be put into the registry`);
  }

  /**
   * Makes something go wrong.
   *
   * @param fault of a kind of faults.ts; servers and the like by name or number
   * @throws {UserError} when there is no such fault, or nothing that it could happen to
   */
  async addFault(fault: Json): Promise<Json> {
    const response = await this.#call("POST", "/rehearsal/faults", fault);
    if (!response.ok) throw await refusalOf(response, `Fault ${String(fault["kind"])}`);
    return addedSchema.parse(await response.json()).fault;
  }

  /** Ends one fault, or all. @throws {UserError} when there is none of that number */
  async removeFault(id: number | "all"): Promise<void> {
    const response = await this.#call("DELETE", `/rehearsal/faults${id === "all" ? "" : `/${id}`}`);
    if (!response.ok) throw await refusalOf(response, `Fault ${id} could not be ended`);
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

/** What the cloud says against a call. */
async function refusalOf(response: Response, what: string): Promise<UserError> {
  const { data } = errorSchema.safeParse(await response.json());
  return new UserError(`${what}: ${data?.error ?? `HTTP ${response.status}`}`);
}
