/** The cloud's clock: that of this machine, plus the time by which it was moved forward. */
import type { Store } from "./store.ts";

export interface ClockObjects {
  /** The one object is called `clock`. */
  "rehearsal.clock": { readonly aheadMilliseconds: number };
}

const kind = "rehearsal.clock";
const only = "clock";

export class Clock {
  readonly #store: Pick<Store<ClockObjects>, "get" | "put">;

  constructor(store: Pick<Store<ClockObjects>, "get" | "put">) {
    this.#store = store;
  }

  /** Milliseconds by which it is ahead of this machine's clock. */
  get ahead(): number {
    return this.#store.get(kind, only)?.aheadMilliseconds ?? 0;
  }

  readonly now = (): Date => new Date(Date.now() + this.ahead);

  /** Moves it forward, for good: what has expired does not become valid again. */
  forward(milliseconds: number): void {
    this.#store.put(kind, only, { aheadMilliseconds: this.ahead + milliseconds });
  }
}
