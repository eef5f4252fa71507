/** Server types in the stores of clouds from before their ids were Hetzner's. */
import type { HetznerStore } from "./state.ts";

/** Names by the ids that the catalogue gave them. */
const names: Readonly<Record<number, string>> = {
  ...{ 101: "cx23", 102: "cx33", 103: "cx43", 104: "cx53", 105: "cpx12", 106: "cpx22" },
  ...{ 107: "cpx32", 108: "cpx42", 109: "cpx52", 110: "cpx62", 111: "ccx13" },
};

/** Replaces the ids of server types by their names. */
export function nameTypes(store: HetznerStore): void {
  for (const server of store.list("hetzner.server")) {
    const type: unknown = server.type;
    const name = typeof type === "number" ? names[type] : undefined;
    if (name !== undefined) store.put("hetzner.server", server.id, { ...server, type: name });
  }
}
