/** Machines that do more, or less, than a test's own would. */
import { type Machines } from "../../../../rehearsal/machines/machines.ts";

/** Machines that do something before each call; when that rejects, the call fails and has done nothing. */
export const hooked = (machines: Machines, before: (call: keyof Machines) => Promise<void>): Machines =>
  new Proxy(machines, {
    get: (target, key: keyof Machines) => {
      const found: unknown = Reflect.get(target, key, target);
      if (typeof found !== "function") return found;
      return async (...args: unknown[]): Promise<unknown> => {
        await before(key);
        return Reflect.apply(found, target, args) as unknown;
      };
    },
  });

/** A gate before something; it is open at first. */
export class Gate {
  #closed: Promise<void> | undefined;
  #open: () => void = () => undefined;

  close(): void {
    this.#closed ??= new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
    this.#closed = undefined;
  }

  async pass(): Promise<void> {
    await this.#closed;
  }
}
