/** Where the load of a rehearsal goes. Pure. */
import { UserError } from "../../common/user-error.ts";
import type { StackFile } from "../stack-file.ts";

/** The platform's URL. @throws {UserError} when the rehearsal's Cloudflare does not answer for it */
export function urlOf({ settings: { domain, cloudflare } }: Pick<StackFile, "settings">): string {
  if (domain !== undefined && cloudflare.enabled) return `https://${domain}`;
  throw new UserError(
    "The load sends its requests through the rehearsal's Cloudflare, which this stack does not use: set orion:cloudflare.enabled to true and orion:domain.",
  );
}
