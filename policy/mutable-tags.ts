/** Finds images that are named by a tag which moves to other contents with every build, such as `latest`. Pure. */
import type { Finding } from "./findings.ts";
import type { Graph } from "./graph.ts";
import { hasServersIn, types } from "./stateful.ts";

const mutable =
  /^(latest|stable|current|edge|nightly|main|master|trunk|dev|develop|development|staging|prod|production)$/;

/** Whether a reference names no version: no tag, or one that moves by its meaning. A digest names one. */
export function hasMutableTag(reference: string): boolean {
  if (reference.includes("@")) return false;
  // A colon before the last slash is that of a port.
  const tag = /:([^:/]+)$/.exec(reference)?.[1];
  return tag === undefined || mutable.test(tag);
}

/** A danger for each such image of a stack with servers, where an image is pulled once and kept. */
export function mutableTags(after: Graph): Finding[] {
  if (!hasServersIn(after)) return [];
  const images = after.resources.filter(({ type }) => type === types.image);
  const names = new Set(images.map(({ inputs }) => String(inputs["name"])).filter(hasMutableTag));
  return [...names].map((name) => ({
    severity: "danger",
    name,
    happens:
      "is a tag that moves: a server keeps what it pulled first, so that what is pushed there later is not deployed",
    instead: "name a version or a digest",
  }));
}
