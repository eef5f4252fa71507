/** Hetzner's actions: asynchronous work with a status that clients poll; resumed after a crash. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Action, HetznerStore } from "./state.ts";
import { HetznerError } from "./errors.ts";

export interface Subject {
  readonly id: number;
  /** `server`, `network`, `volume`, ... */
  readonly type: string;
}

/** Injects a fault into an action: extra seconds, and optionally a failure. */
export type ActionFault = (
  command: string,
  subjects: readonly Subject[],
) => {
  readonly seconds: number;
  readonly failure: Failure | undefined;
};
type Failure = NonNullable<Action["error"]>;

export class Actions {
  readonly #store: HetznerStore;
  readonly #now: () => Date;
  readonly #faultOf: ActionFault;
  readonly #running = new Set<Promise<void>>();
  /** The last work queued for each subject: work on the same resource runs one after the other. */
  readonly #queues = new Map<string, Promise<void>>();
  readonly #perAction = new Map<number, Promise<void>>();
  /** Number of running actions for each subject. */
  readonly #busy = new Map<string, number>();

  constructor(store: HetznerStore, now: () => Date, faultOf: ActionFault) {
    this.#store = store;
    this.#now = now;
    this.#faultOf = faultOf;
  }

  /** Whether an action on the subject is running. */
  isBusy(subject: Subject): boolean {
    return this.#busy.has(keyOf(subject));
  }

  /**
   * Stores an action and starts its work in the background.
   *
   * @param subjects resources that it concerns, the main one first
   * @param change writes the new desired state into the store; skipped when the action will fail
   * @param work brings the machines to the stored state; its error becomes the action's
   */
  start(command: string, subjects: readonly Subject[], change: () => void, work: () => Promise<void>): Action {
    return this.#start(command, subjects, change, (failure) => (failure ? Promise.reject(errorOf(failure)) : work()));
  }

  /** Like `start`, for creations: the reply shows the resource, so it exists and the work runs even when the action fails. */
  create(command: string, subjects: readonly Subject[], change: () => void, work: () => Promise<void>): Action {
    return this.#start(command, subjects, change, (failure) => thenFail(work, failure));
  }

  /**
   * Resumes every action that a crash interrupted. An action that was to fail changed nothing, and still fails once the
   * machines match the store.
   *
   * @returns the interrupted actions
   */
  resume(work: (action: Action) => Promise<void>): Action[] {
    const interrupted = this.#store.list("hetzner.action").filter(({ status }) => status === "running");
    for (const action of interrupted) {
      const failure = this.#store.get("hetzner.failure", action.id);
      this.#run(action, () => thenFail(() => work(action), failure));
    }
    return interrupted;
  }

  /** Stores an action that has already succeeded, for changes without work. */
  done(command: string, subjects: readonly Subject[]): Action {
    const action = this.#new(command, subjects);
    this.#store.put("hetzner.action", action.id, action);
    return action;
  }

  get(id: number): Action | undefined {
    return this.#store.get("hetzner.action", id);
  }

  list(): Action[] {
    return this.#store.list("hetzner.action");
  }

  /** Queues work on a subject: it runs after everything queued before it. */
  enqueue(subject: Subject, work: () => Promise<void>): Promise<void> {
    const queue = keyOf(subject);
    const done = (this.#queues.get(queue) ?? Promise.resolve()).then(work);
    const last = done
      .catch(() => undefined)
      .finally(() => {
        if (this.#queues.get(queue) === last) this.#queues.delete(queue);
      });
    this.#queues.set(queue, last);
    return done;
  }

  /** Resolves when an action has succeeded or failed. */
  async hasEnded({ id }: Action): Promise<void> {
    await this.#perAction.get(id);
  }

  /** Resolves when no action is running. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #start(
    command: string,
    subjects: readonly Subject[],
    change: () => void,
    work: (failure: Failure | undefined) => Promise<void>,
  ): Action {
    const { seconds, failure } = this.#faultOf(command, subjects);
    const action: Action = { ...this.#new(command, subjects), status: "running", progress: 0, finished: null };
    if (failure === undefined) change();
    else this.#store.put("hetzner.failure", action.id, failure);
    this.#store.put("hetzner.action", action.id, action);
    this.#run(action, async () => {
      if (seconds > 0) await sleep(seconds * 1000);
      await work(failure);
    });
    return action;
  }

  #new(command: string, subjects: readonly Subject[]): Action {
    const now = this.#stamp();
    const resources = subjects.map(({ id, type }) => ({ id, type }));
    const id = this.#store.nextId("hetzner.action");
    return { id, command, status: "success", progress: 100, started: now, finished: now, resources, error: null };
  }

  #run(action: Action, work: () => Promise<void>): void {
    const keys = action.resources.map(keyOf);
    for (const key of keys) this.#busy.set(key, (this.#busy.get(key) ?? 0) + 1);
    const [subject = { id: action.id, type: "action" }] = action.resources;
    const running = this.enqueue(subject, () => this.#perform(action, work, keys)).finally(() => {
      this.#running.delete(running);
      this.#perAction.delete(action.id);
    });
    this.#running.add(running);
    this.#perAction.set(action.id, running);
  }

  async #perform(action: Action, work: () => Promise<void>, keys: readonly string[]): Promise<void> {
    let error: Action["error"] = null;
    try {
      await work();
    } catch (thrown) {
      error = {
        code: thrown instanceof HetznerError ? thrown.code : "action_failed",
        message: thrown instanceof Error ? thrown.message : String(thrown),
      };
    }
    const status = error === null ? "success" : "error";
    this.#store.put("hetzner.action", action.id, { ...action, status, progress: 100, finished: this.#stamp(), error });
    this.#store.delete("hetzner.failure", action.id);
    for (const key of keys) {
      const left = (this.#busy.get(key) ?? 1) - 1;
      if (left > 0) this.#busy.set(key, left);
      else this.#busy.delete(key);
    }
  }

  #stamp(): string {
    return stampOf(this.#now());
  }
}

const errorOf = ({ code, message }: Failure) => new HetznerError(422, code, message);
async function thenFail(work: () => Promise<void>, failure: Failure | undefined): Promise<void> {
  await work();
  if (failure) throw errorOf(failure);
}
export const keyOf = ({ id, type }: Subject): string => `${type}/${id}`;

/** Formats a time as the API does: RFC 3339 with seconds. */
export const stampOf = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, "+00:00");
