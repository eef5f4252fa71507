/** The authority of a stack on servers. */
import type { Context } from "../context.ts";
import type { Authority } from "./authority.ts";

/** @throws {Error} on a local Docker Engine, which has none */
export function requiredAuthority({ authority }: Pick<Context, "authority">): Authority {
  if (authority) return authority;
  throw new Error("A service whose clients are on other machines needs an authority; a stack on servers has one.");
}
