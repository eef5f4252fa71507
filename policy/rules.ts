/** Rules for the graphs of all protected stacks: data is protected, servers are not replaced, containers have time to stop. Pure. */
import { type Graph, keyOf, madeIn, type Recorded } from "./graph.ts";
import { hasServersIn, holdingIn, roleOf, types } from "./stateful.ts";

/** Inputs whose change would replace a server, so that they must be ignored. */
const keptForLife = ["image", "userData", "sshKeys", "location"];

/** Types with Hetzner's own delete protection. */
const protectable = new Set<string>([types.volume, types.server, types.primaryIp, types.network]);

/** Violations of the rules in a stack with `orion:protection`, one line each. */
export function brokenRules(graph: Graph): string[] {
  const holds = holdingIn(graph);
  const onServers = hasServersIn(graph);
  return madeIn(graph).flatMap((resource) => {
    const broken = [
      ...(holds(resource) === undefined ? [] : unprotected(resource)),
      ...(resource.type === types.server ? replaceable(resource) : []),
      ...(resource.type === types.container ? hurried(resource) : []),
      ...(onServers && resource.type.startsWith("docker:") && resource.options.deletedWith === undefined
        ? ["would be deleted by a call to a server that may be gone: deletedWith is missing"]
        : []),
    ];
    return broken.map((what) => `${keyOf(resource)}: ${what}`);
  });
}

function unprotected(resource: Recorded): string[] {
  const { type, inputs, options } = resource;
  // They hold no data themselves, and are deleted with their server only.
  if (type === types.attachment || type === types.serverNetwork) return [];
  // A stack may leave its caches out; their volumes are kept for when they come back.
  if (type === types.dockerVolume && roleOf(resource) !== "database" && options.retainOnDelete) return [];
  return [
    ...(options.protect ? [] : ["holds data and is not protected"]),
    ...(protectable.has(type) && inputs["deleteProtection"] !== true ? ["deleteProtection is off"] : []),
    ...((type === types.volume || type === types.bucket) && !options.retainOnDelete
      ? ["would be deleted with its resource: retainOnDelete is missing"]
      : []),
  ];
}

const replaceable = ({ options }: Recorded): string[] =>
  keptForLife
    .filter((input) => !options.ignoreChanges?.includes(input))
    .map((input) => `a change of ${input} would replace the server`);

/** A container without a stop timeout is killed at once. */
const hurried = ({ inputs }: Recorded): string[] =>
  Number(inputs["destroyGraceSeconds"] ?? 0) > 0 ? [] : ["would be killed at once: destroyGraceSeconds is missing"];
