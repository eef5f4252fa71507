/** The one place where names and labels are made, so that nothing is called two things. */
import { type Phase } from "../config/schema.ts";

export interface Naming {
  readonly stack: string;
  readonly phase: Phase;
}

/**
 * The name of a thing in the world outside the state: `orion-<stack>-<role>[-<n>]`.
 *
 * @param role what it is, in lower-case words joined by hyphens
 * @param index its number, from 1; left out for what exists once
 */
export function physicalName(naming: Naming, role: string, index?: number): string {
  return ["orion", naming.stack, role, ...(index === undefined ? [] : [index])].join("-");
}

/** The logical name of a part that several machines have; where everything was at first, it keeps its plain name. */
export const partName = (part: string, server: string): string =>
  server === "local" || server === "core-1" ? part : `${server}-${part}`;

/** The labels of what can be labelled anew while it exists: everything at Hetzner. */
export function labels(naming: Naming, role: string): Readonly<Record<string, string>> {
  return { ...lastingLabels(naming, role), phase: naming.phase };
}

/**
 * The labels of what is replaced when a label changes: everything in Docker.
 * The phase is not among them, or a move to the next one would restart the database.
 */
export function lastingLabels(naming: Naming, role: string): Readonly<Record<string, string>> {
  return { app: "orion", stack: naming.stack, role };
}
