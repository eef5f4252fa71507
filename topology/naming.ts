/** Builds every name and label: of services, and of resources at Hetzner and in Docker. Pure. */
import type { Phase } from "../config/schema.ts";

/** What names depend on. */
export interface Named {
  readonly stack: string;
}

/** What labels at Hetzner depend on. */
export interface Naming extends Named {
  readonly phase: Phase;
}

/** The name of a resource at Hetzner or in Docker: `orion-<stack>-<what>`. @param what lower-case words joined by hyphens */
export const physicalName = ({ stack }: Named, what: string): string => `orion-${stack}-${what}`;

/**
 * The name of a service by its kind and its server: `edge-core-1`; on a server of the same role the server's name,
 * `app-nbg1-1`; on the local Docker Engine the kind alone.
 *
 * @param part suffix that distinguishes several on one machine: `app-nbg1-1-2`, `worker-core-1-emails`
 */
export function serviceName(kind: string, server: string, part?: string): string {
  const place = server === "local" ? [] : [server.replace(new RegExp(`^${kind}-`), "")];
  return [kind, ...place, ...(part === undefined ? [] : [part])].join("-");
}

/** Labels of resources at Hetzner, which can be changed in place. */
export const labels = (naming: Naming, role: string): Readonly<Record<string, string>> => ({
  ...lastingLabels(naming, role),
  phase: naming.phase,
});

/**
 * Labels of resources in Docker, which are replaced when a label changes.
 * The phase is not one of them, or a move to another phase would restart the database.
 */
export const lastingLabels = ({ stack }: Named, role: string): Readonly<Record<string, string>> => ({
  app: "orion",
  stack,
  role,
});

/**
 * Leaves room for the longest names that have to be host names: of servers, and of services that others connect to, such as
 * `orion-<stack>-pgbouncer-worker-nbg1-10`. A worker's name ends in its queue's, may be longer and have other characters: nothing connects to
 * it, and Docker takes it as the name and the label of a container.
 */
export const longestStackName = 32;

/** Why host names cannot be made of a stack's name, as one line; undefined when they can. */
export function stackNameProblem(stack: string): string | undefined {
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(stack) && stack.length <= longestStackName) return undefined;
  return (
    `the stack's name: got "${stack}", allowed: up to ${longestStackName} lower-case letters, digits and hyphens, a hyphen ` +
    "neither first nor last, because servers are called orion-<stack>-core-1 and that has to be a host name; " +
    "make a stack with another name, or rename one that has nothing yet: " +
    `npx pulumi stack rename ${allowedName(stack)} --stack ${stack}`
  );
}

/** The allowed name that is most like another one. */
const allowedName = (stack: string): string =>
  stack
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, longestStackName)
    .replaceAll(/^-+|-+$/g, "") || "prod";
