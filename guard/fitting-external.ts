/** Refuses an update whose external PostgreSQL or Redis does not fit the stack. */
import type { Settings } from "../config/schema.ts";
import { type Finding, lineOf } from "../policy/findings.ts";
import { judgeDatabase } from "../policy/external-database.ts";
import { judgeRedis } from "../policy/external-redis.ts";
import type { Graph } from "../policy/graph.ts";
import { type Asked, askExternal, type Engine, externalKeys, type ExternalUrls } from "./check-external.ts";
import { engineOfApp } from "./fitting-image.ts";
import { refuse } from "./guard.ts";

export interface ExternalArgs extends Pick<Engine, "login" | "appImage"> {
  readonly settings: Settings;
  readonly urls: ExternalUrls;
  /** The stack's state. */
  readonly before: Graph;
  /** The make variables of the stack: `STACK=prod`. */
  readonly variables: string;
  /** Whether the servers are those of a rehearsal cloud, on whose Internet this machine is not. */
  readonly isRehearsal: boolean;
}

/**
 * Asks the external services from where the app runs; before the stack has servers, from this machine, and in a rehearsal not at all.
 *
 * @returns a line for each danger
 * @throws {UserError} with everything that does not fit, and how to mend each
 */
export async function requireFittingExternal({
  settings,
  urls,
  before,
  variables,
  isRehearsal,
  ...engine
}: ExternalArgs): Promise<string[]> {
  if (externalKeys(settings).length === 0) return [];
  const app = engineOfApp(settings, before);
  if (isRehearsal && !app.isHere) return ["External services are asked once the rehearsal has servers."];
  const asked = await askExternal(settings, urls, { ...app, ...engine });
  const findings = judgeExternal(asked, settings);
  refuseExternal(findings, { ...settings, variables });
  return findings.map((one) => `External service: ${lineOf(one)}`);
}

/** The findings about all external services. */
export const judgeExternal = ({ database, redis }: Asked, settings: Settings): Finding[] => [
  ...(database ? judgeDatabase(database, settings) : []),
  ...judgeRedis(redis, settings),
];

/** @throws {UserError} with everything that does not fit */
export function refuseExternal(
  findings: readonly Finding[],
  { agreed, variables }: Pick<Settings, "agreed"> & { readonly variables: string },
): void {
  const headline = "The external services do not fit this stack; nothing was changed:";
  const advice = `docs/external.md has what they need; make check-external ${variables} asks them again.`;
  refuse(findings, { headline, agreed, advice });
}
