/** Actions: what takes time, and whose end clients wait for. */
import { type HetznerStore, type Action } from "./state.ts";
import { HetznerError } from "./errors.ts";

export interface Subject {
  readonly id: number;
  /** `server`, `network`, `volume`, ... */
  readonly type: string;
}

/** A change of how an action goes on: it waits before its end, and fails when it says so. */
export type Disturb = (
  command: string,
  subjects: readonly Subject[],
) => {
  readonly seconds: number;
  readonly failure: { readonly code: string; readonly message: string } | undefined;
};

export class Actions {
  readonly #store: HetznerStore;
  readonly #now: () => Date;
  readonly #disturb: Disturb;
  readonly #running = new Set<Promise<void>>();
  /** The last work on each subject: what touches the same thing goes one after the other. */
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(store: HetznerStore, now: () => Date, disturb: Disturb) {
    this.#store = store;
    this.#now = now;
    this.#disturb = disturb;
  }

  /** Whether an action on the subject is under way. */
  isBusy({ id, type }: Subject): boolean {
    return this.#store
      .list("hetzner.action")
      .some(
        ({ status, resources }) => status === "running" && resources.some((one) => one.id === id && one.type === type),
      );
  }

  /**
   * Notes an action and starts its work; the reply need not wait for it.
   *
   * @param subjects what it is about, the main one first
   * @param work brings the machines to what the store says; its error is the action's
   */
  start(command: string, subjects: readonly Subject[], work: () => Promise<void>): Action {
    const action: Action = {
      id: this.#store.nextId("hetzner.action", 1),
      command,
      status: "running",
      progress: 0,
      started: this.#stamp(),
      finished: null,
      resources: subjects.map(({ id, type }) => ({ id, type })),
      error: null,
    };
    this.#store.put("hetzner.action", action.id, action);
    this.#run(action, work);
    return action;
  }

  /** Takes up an action that a crash interrupted. */
  resume(action: Action, work: () => Promise<void>): void {
    this.#run(action, work);
  }

  /** One that is over already: for what takes no time. */
  done(command: string, subjects: readonly Subject[]): Action {
    const action: Action = {
      id: this.#store.nextId("hetzner.action", 1),
      command,
      status: "success",
      progress: 100,
      started: this.#stamp(),
      finished: this.#stamp(),
      resources: subjects.map(({ id, type }) => ({ id, type })),
      error: null,
    };
    this.#store.put("hetzner.action", action.id, action);
    return action;
  }

  get(id: number): Action | undefined {
    return this.#store.get("hetzner.action", id);
  }

  list(): Action[] {
    return this.#store.list("hetzner.action");
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #run(action: Action, work: () => Promise<void>): void {
    const [main] = action.resources;
    const key = main ? `${main.type}/${main.id}` : `action/${action.id}`;
    const before = this.#queues.get(key) ?? Promise.resolve();
    const running = before
      .then(() => this.#perform(action, work))
      .finally(() => {
        this.#running.delete(running);
        if (this.#queues.get(key) === running) this.#queues.delete(key);
      });
    this.#queues.set(key, running);
    this.#running.add(running);
  }

  async #perform(action: Action, work: () => Promise<void>): Promise<void> {
    const { seconds, failure } = this.#disturb(action.command, action.resources);
    let error: Action["error"] = failure ?? null;
    try {
      if (seconds > 0) await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      if (error === null) await work();
    } catch (thrown) {
      error = {
        code: thrown instanceof HetznerError ? thrown.code : "action_failed",
        message: thrown instanceof Error ? thrown.message : String(thrown),
      };
    }
    const status = error === null ? "success" : "error";
    this.#store.put("hetzner.action", action.id, { ...action, status, progress: 100, finished: this.#stamp(), error });
  }

  #stamp(): string {
    return stampOf(this.#now());
  }
}

/** A time as the API writes it: RFC 3339, to the second. */
export const stampOf = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, "+00:00");
