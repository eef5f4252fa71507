/** The cloud's store without a file. */
import { type CloudflareObjects, type CloudflareStore } from "../../../../rehearsal/cloudflare/state.ts";

type Kinds = { [Kind in keyof CloudflareObjects]?: Map<string, CloudflareObjects[Kind]> };

export class MemoryStore implements CloudflareStore {
  readonly #kinds: Kinds = {};

  get<Kind extends keyof CloudflareObjects>(kind: Kind, id: string): CloudflareObjects[Kind] | undefined {
    return this.#kinds[kind]?.get(id);
  }

  list<Kind extends keyof CloudflareObjects>(kind: Kind): CloudflareObjects[Kind][] {
    return [...(this.#kinds[kind]?.values() ?? [])];
  }

  put<Kind extends keyof CloudflareObjects>(kind: Kind, id: string, value: CloudflareObjects[Kind]): void {
    const all: Map<string, CloudflareObjects[Kind]> = this.#kinds[kind] ?? new Map<string, CloudflareObjects[Kind]>();
    all.set(id, structuredClone(value));
    Object.assign(this.#kinds, { [kind]: all });
  }

  delete(kind: keyof CloudflareObjects, id: string): void {
    this.#kinds[kind]?.delete(id);
  }

  transaction<T>(work: () => T): T {
    return work();
  }
}
