/** What every graph must keep to, whatever the phase: plain predicates, for the tests and for the guard. Pure. */
import { type Graph, keyOf, madeIn, type Recorded } from "./graph.ts";
import { holdingIn, roleOf, types } from "./stateful.ts";

/** What a server keeps for life; a change of it would make Hetzner replace the server. */
const keptForLife = ["image", "userData", "sshKeys", "location"];

/** What the provider itself can protect. */
const protectable = new Set<string>([types.volume, types.server, types.primaryIp, types.network]);

/** What breaks the rules of a stack with `orion:protection`, one line each. */
export function brokenRules(graph: Graph): string[] {
  const holds = holdingIn(graph);
  const onServers = graph.resources.some(({ type }) => type === types.server);
  return madeIn(graph).flatMap((resource) => {
    const broken = [
      ...(holds(resource) === undefined ? [] : unprotected(resource)),
      ...(resource.type === types.server ? replaceable(resource) : []),
      ...(resource.type === types.container ? hurried(resource) : []),
      ...(onServers && resource.type.startsWith("docker:") && resource.options.deletedWith === undefined
        ? ["is asked for on a machine that may be gone: deletedWith is missing"]
        : []),
    ];
    return broken.map((what) => `${keyOf(resource)}: ${what}`);
  });
}

function unprotected(resource: Recorded): string[] {
  const { type, inputs, options } = resource;
  // They hold nothing themselves, and are as lasting as the server that they belong to.
  if (type === types.attachment || type === types.serverNetwork) return [];
  // A stack may leave its caches out; what they hold waits for whoever takes them in again.
  if (type === types.dockerVolume && roleOf(resource) !== "database" && options.retainOnDelete) return [];
  return [
    ...(options.protect ? [] : ["holds data and is not protected"]),
    ...(protectable.has(type) && inputs["deleteProtection"] !== true ? ["deleteProtection is off"] : []),
    ...((type === types.volume || type === types.bucket) && !options.retainOnDelete
      ? ["would go away with its resource: retainOnDelete is missing"]
      : []),
  ];
}

const replaceable = ({ options }: Recorded): string[] =>
  keptForLife
    .filter((input) => !options.ignoreChanges?.includes(input))
    .map((input) => `a change of ${input} would replace the server`);

/** A container without time to end is killed at once. */
const hurried = ({ inputs }: Recorded): string[] =>
  Number(inputs["destroyGraceSeconds"] ?? 0) > 0 ? [] : ["has no time to end: destroyGraceSeconds is missing"];
