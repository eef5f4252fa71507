import type { Authority } from "../authority/authority.ts";
import type { Context } from "../context.ts";

/** The authority of a stack on servers. @throws {Error} on a local Docker Engine, which has none */
export function requiredAuthority({ authority }: Pick<Context, "authority">): Authority {
  if (authority) return authority;
  throw new Error("A database whose clients are on other machines needs an authority; a stack on servers has one.");
}
