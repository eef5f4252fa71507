/** Remembers what has changed in the cloud since its process started: the last changes, for people. */
import type { ChangedObject, Store } from "../store.ts";
import { type Change, type CloudObjects, type Said, sayingOf } from "./changes.ts";
import { namesIn } from "./fault-targets.ts";

const kept = 500;

export class ChangeLog {
  /** Oldest first. */
  readonly #changes = new Map<string, Change>();
  readonly #now: () => Date;
  #count = 0;

  constructor(now: () => Date = () => new Date()) {
    this.#now = now;
  }

  add({ hidden, ...said }: Said): void {
    const key = said.key === "" ? `change-${++this.#count}` : said.key;
    // A key that comes again moves to the end.
    this.#changes.delete(key);
    if (hidden) return;
    this.#changes.set(key, { ...said, key, time: this.#now().toISOString() });
    const [oldest] = this.#changes.keys();
    if (this.#changes.size > kept && oldest !== undefined) this.#changes.delete(oldest);
  }

  /** Newest first. */
  get last(): readonly Change[] {
    return [...this.#changes.values()].toReversed();
  }

  /** Hears of every change of a store from now on. */
  follow(store: Store<CloudObjects>): void {
    const nameOf = namesIn(store);
    store.watch((changed) => {
      // Each kind is written with values of its own type only.
      const said = sayingOf(changed as ChangedObject<CloudObjects>, nameOf);
      if (said) this.add(said);
    });
  }
}
