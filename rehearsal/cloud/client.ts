/** Client of a rehearsal cloud's control API (status, faults, images, deletion: `/rehearsal/...`), and of its zones' plans. */
import { z } from "zod";
import { UserError } from "../../common/user-error.ts";
import type { Json } from "../json.ts";
import { commandFor } from "./commands.ts";
import type { Plan } from "../cloudflare/state.ts";
import type { CloudSettings } from "./settings.ts";
import { readStatus, type Status } from "./status.ts";

const errorSchema = z.object({ error: z.string() });
const pushedSchema = z.object({ digest: z.string() });
const playedSchema = z.object({ scenarios: z.array(z.string()) });
const zonesSchema = z.object({
  result: z.array(z.object({ id: z.string(), plan: z.object({ legacy_id: z.string() }) })),
});
const addedSchema = z.object({ fault: z.record(z.string(), z.unknown()) });

/** Timeouts in milliseconds: of an ordinary call, of a move of the clock, and of the upload of an image. */
const timeouts = { call: 10_000, forward: 120_000, image: 600_000 };

export class CloudClient {
  readonly #settings: CloudSettings;

  constructor(settings: CloudSettings) {
    this.#settings = settings;
  }

  /**
   * Whether this cloud answers, and its status; the status is undefined when another version of this program runs it.
   *
   * @throws {UserError} when another program answers on the port
   */
  async ask(): Promise<{ readonly isUp: boolean; readonly status: Status | undefined }> {
    const response = await this.#call("GET", "/rehearsal/status").catch(() => undefined);
    if (response?.status === 401) {
      throw new UserError(
        `Another program uses port ${this.#settings.port}. End it, or choose another port: ${commandFor("up", { port: "8480" })}`,
      );
    }
    return response?.ok
      ? { isUp: true, status: readStatus(await response.json()) }
      : { isUp: false, status: undefined };
  }

  /** @throws {UserError} when the cloud does not answer, or another version of this program runs it */
  async status(): Promise<Status> {
    const { isUp, status } = await this.ask();
    if (status) return status;
    throw new UserError(
      `The rehearsal cloud '${this.#settings.instance}' ${isUp ? "is run by another version of this program" : "does not answer"}. ` +
        `${isUp ? "Restart it, and keep what is in it" : "Start it"}: ${commandFor("up")}`,
    );
  }

  /**
   * Pushes an image of the local Docker Engine into the cloud's registry.
   *
   * @param image name in the local Docker Engine
   * @param reference name that servers pull
   * @returns the digest that it has there, as `sha256:...`
   * @throws {UserError} when the push fails
   */
  async pushImage(image: string, reference: string): Promise<string> {
    const response = await this.#call("POST", "/rehearsal/images", { image, reference }, timeouts.image);
    if (response.ok) return pushedSchema.parse(await response.json()).digest;
    throw await refusalOf(response, `${image} could not be put into the registry`);
  }

  /**
   * Adds a fault.
   *
   * @param fault one of the kinds in faults.ts; servers, volumes and other resources by name or number
   * @throws {UserError} when the kind or the resource is unknown
   */
  async addFault(fault: Json): Promise<Json> {
    const response = await this.#call("POST", "/rehearsal/faults", fault);
    if (!response.ok) throw await refusalOf(response, `Fault ${String(fault["kind"])}`);
    return addedSchema.parse(await response.json()).fault;
  }

  /** Removes one fault or all. @throws {UserError} when no fault has that number */
  async removeFault(id: number | "all"): Promise<void> {
    const response = await this.#call("DELETE", `/rehearsal/faults${id === "all" ? "" : `/${id}`}`);
    if (!response.ok) throw await refusalOf(response, `Fault ${id} could not be removed`);
  }

  /** Plays scenarios. @param scenarios such as `sold-out location=hel1, slow-boots` @throws {UserError} when one is unknown */
  async play(scenarios: string): Promise<readonly string[]> {
    const response = await this.#call("POST", "/rehearsal/scenarios", { scenarios });
    if (!response.ok) throw await refusalOf(response, "The scenario cannot be played");
    return playedSchema.parse(await response.json()).scenarios;
  }

  /** Ends a scenario, or all. @throws {UserError} when it is not played */
  async endScenario(name: string): Promise<void> {
    const response = await this.#call("DELETE", `/rehearsal/scenarios/${encodeURIComponent(name)}`);
    if (!response.ok) throw await refusalOf(response, `Scenario ${name} could not be ended`);
  }

  /** Lets time pass. @param duration such as `40d` @throws {UserError} when it is not a duration */
  async forward(duration: string): Promise<void> {
    const response = await this.#call("POST", "/rehearsal/time", { forward: duration }, timeouts.forward);
    if (!response.ok) throw await refusalOf(response, "Time could not be moved");
  }

  /**
   * Gives a zone a plan by Cloudflare's API, as its owner does in the dashboard.
   *
   * @returns whether it had another one
   * @throws {UserError} when the cloud has no such zone
   */
  async choosePlan(name: string, plan: Plan): Promise<boolean> {
    const found = await this.#call("GET", `/client/v4/zones?name=${encodeURIComponent(name)}`);
    const [zone] = found.ok ? zonesSchema.parse(await found.json()).result : [];
    if (!zone) throw new UserError(`The rehearsal cloud '${this.#settings.instance}' has no zone ${name}.`);
    if (zone.plan.legacy_id === plan) return false;
    const changed = await this.#call("PUT", `/client/v4/zones/${zone.id}/subscription`, { rate_plan: { id: plan } });
    if (!changed.ok) throw new UserError(`Zone ${name} could not get the plan ${plan}: HTTP ${changed.status}`);
    return true;
  }

  /** Asks the cloud to delete everything in it and exit. */
  async end(): Promise<void> {
    await this.#call("POST", "/rehearsal/down");
  }

  #call(method: string, path: string, body?: unknown, milliseconds = timeouts.call): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#settings.port}${path}`, {
      method,
      // Node.js would use the connection again, without noticing that the cloud has closed it while a command kept this process busy.
      headers: {
        authorization: `Bearer ${this.#settings.token}`,
        connection: "close",
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(milliseconds),
    });
  }
}

/** The error for a call that the cloud refused. */
async function refusalOf(response: Response, what: string): Promise<UserError> {
  const { data } = errorSchema.safeParse(await response.json());
  return new UserError(`${what}: ${data?.error ?? `HTTP ${response.status}`}`);
}
