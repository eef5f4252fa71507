/** Machines that do more, or less, than a test's own would. */
import type { Machines } from "../../../../rehearsal/machines/machines.ts";

type Around = (call: keyof Machines, args: readonly unknown[], proceed: () => Promise<unknown>) => Promise<unknown>;

/** Machines whose every call goes through a test's hands. */
export const hooked = (machines: Machines, around: Around): Machines =>
  new Proxy(machines, {
    get: (target, key: keyof Machines) => {
      const found: unknown = Reflect.get(target, key, target);
      if (typeof found !== "function") return found;
      return (...args: unknown[]) => around(key, args, () => Reflect.apply(found, target, args) as Promise<unknown>);
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
