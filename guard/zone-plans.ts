/** Compares the plans that a stack names with those of its zones at Cloudflare, before an update has registered anything. */
import { getZone } from "@pulumi/cloudflare/getZone.js";
import * as pulumi from "@pulumi/pulumi";
import { planProblem } from "../components/ingress/cloudflare/rules.ts";
import { zonePlans } from "../config/host-names.ts";
import type { Settings } from "../config/schema.ts";

/**
 * Without it the component that looks up the zone finds the difference, when an update without a preview creates servers already.
 * A zone that is not found is left to that component as well.
 *
 * @param find a zone by its name, as the provider returns it; tests replace it
 * @throws {pulumi.RunError} with both plans of each zone and what to do
 */
export async function refuseOtherPlans(
  settings: Settings,
  find: (name: string) => Promise<unknown> = (name) => getZone({ filter: { name } }),
): Promise<void> {
  const problems = await Promise.all(
    [...zonePlans(settings)].map(async ([zone, plan]) => planProblem(await find(zone).catch(() => undefined), plan)),
  );
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length > 0) throw new pulumi.RunError(`${found.join(".\n")}. Nothing was changed.`);
}
