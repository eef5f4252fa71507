/** Removes a lost server and all resources on it from the engine's state, without deleting anything at Hetzner. Pure. */
import { z } from "zod";
import { types } from "../../policy/stateful.ts";
import type { Deployment, Resource } from "../state.ts";

const linksSchema = z.looseObject({
  parent: z.string().optional(),
  deletedWith: z.string().optional(),
  dependencies: z.array(z.string()).nullish(),
  propertyDependencies: z.record(z.string(), z.array(z.string()).nullish()).nullish(),
});

/** A resource at Hetzner that is not in the state any more. */
export interface LeftBehind {
  /** `server`, `volume`, `primary-ip`: as Hetzner's command line calls it. */
  readonly kind: string;
  readonly name: string;
  readonly id: string;
}

export interface Forgotten {
  readonly deployment: Deployment;
  readonly left: readonly LeftBehind[];
}

/**
 * The state without the server, its address, its Volume, its Docker Engine and the resources that are deleted with it.
 * The remaining resources do not refer to them any more.
 */
export function withoutServer(deployment: Deployment, server: string): Forgotten {
  const { resources, pending_operations: operations } = deployment;
  const gone = new Set<string>();
  const isGone = (resource: Resource): boolean => {
    const { parent = "", deletedWith = "" } = linksSchema.parse(resource);
    // `<urn>::<id>`
    const provider = resource.provider?.replace(/::[^:]*$/, "") ?? "";
    return isRoot(resource, server) || [parent, deletedWith, provider].some((urn) => gone.has(urn));
  };
  // A state lists dependencies first, except a server that other resources are deleted with; hence the repetition.
  for (let size = -1; size < gone.size;) {
    size = gone.size;
    for (const resource of resources) if (isGone(resource)) gone.add(resource.urn);
  }
  const stays = (resource: Resource): boolean => !gone.has(resource.urn) && !isGone(resource);
  return {
    deployment: {
      ...deployment,
      resources: resources.filter(stays).map((resource) => withoutLinks(resource, gone)),
      pending_operations: operations
        .filter(({ resource }) => stays(resource))
        .map((operation) => ({ ...operation, resource: withoutLinks(operation.resource, gone) })),
    },
    left: resources
      .filter((resource) => !stays(resource))
      .flatMap(leftOf)
      .sort((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind)),
  };
}

/** The components of the server and of its Docker Engine, and the drain that would call the server before its deletion. */
const isRoot = ({ urn, type }: Resource, server: string): boolean =>
  (componentTypes.has(type) && urn.endsWith(`::${server}`)) ||
  (type === "orion:index:ServerDrain" && urn.endsWith(`::${server}-drain`)) ||
  (type === "orion:index:Farewell" && urn.endsWith(`::${server}-farewell`));

/** The components of a server and of its Docker Engine, with the types of older versions that a state may still have. */
const componentTypes = new Set([
  ...["orion:fleet:CloudServer", "orion:runtime:DockerRuntime"],
  ...["orion:host:CloudServer", "orion:host:DockerPlace"],
]);

function withoutLinks(resource: Resource, gone: ReadonlySet<string>): Resource {
  const { dependencies, propertyDependencies } = linksSchema.parse(resource);
  const known = (urns: readonly string[] | null | undefined) => (urns ?? []).filter((urn) => !gone.has(urn));
  return {
    ...resource,
    ...(dependencies && { dependencies: known(dependencies) }),
    ...(propertyDependencies && {
      propertyDependencies: Object.fromEntries(
        Object.entries(propertyDependencies).map(([input, urns]) => [input, known(urns)]),
      ),
    }),
  };
}

const kinds: Readonly<Record<string, string>> = {
  [types.server]: "server",
  [types.volume]: "volume",
  [types.primaryIp]: "primary-ip",
};

/** The order of removal: the server first, since its address and Volume are attached to it. */
const order = Object.values(kinds);

function leftOf({ type, id = "", inputs }: Resource): LeftBehind[] {
  const kind = kinds[type];
  return kind === undefined ? [] : [{ kind, name: String(inputs["name"]), id }];
}
