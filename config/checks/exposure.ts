/**
 * Checks of settings that open a stack with servers to strangers, or leave its data without a copy: each is refused unless a
 * second setting confirms it. Pure.
 */
import { line } from "../line.ts";
import type { Settings } from "../schema.ts";
import { tlsFor } from "./servers.ts";

/** @returns the problems, one line each */
export function checkExposure({ admin, cloudflare, edge, storage }: Settings): string[] {
  const wide = admin.cidrs.filter(isWholeInternet);
  const said = (key: string, allowed: string, why: string) =>
    `${allowed}; ${why}. If that is what you want, set orion:${key} to true`;
  const problems: string[] = [];
  if (wide.length > 0 && admin.openToInternet !== true) {
    const allowed = "the address ranges of the people who log in, such as 203.0.113.7/32";
    const why = "these let everybody on the Internet try to log in over SSH";
    problems.push(line("admin.cidrs", wide, said("admin.openToInternet", allowed, why)));
  }
  if (edge.tls === "none" && edge.clearText !== true) {
    const why = "without TLS, passwords and session cookies cross the Internet in clear text";
    problems.push(line("edge.tls", edge.tls, said("edge.clearText", tlsFor(edge, cloudflare), why)));
  }
  if (storage.backend === "local" && storage.noBackups !== true) {
    const why = "with local there is no bucket for backups, and the database's only copy is on its Volume";
    problems.push(line("storage.backend", storage.backend, said("storage.noBackups", "r2", why)));
  }
  if (storage.endpoint?.startsWith("http:") === true && storage.clearText !== true) {
    const why = "over http, files and backups can be read and changed on their way";
    const allowed = "an address that starts with https://";
    problems.push(line("storage.endpoint", storage.endpoint, said("storage.clearText", allowed, why)));
  }
  return problems;
}

/** The fewest leading bits of a range that can be one organisation's network; a larger range is no single network. */
const leastBits = { v4: 8, v6: 16 } as const;

/** Whether a range is so large that it names nobody: 0.0.0.0/0, ::/0, and large parts of them. */
function isWholeInternet(cidr: string): boolean {
  const [address = "", bits = ""] = cidr.split("/");
  return Number(bits) < (address.includes(":") ? leastBits.v6 : leastBits.v4);
}
