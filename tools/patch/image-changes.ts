/** Which images of services that hold data an update would change, in which order, and what it replaces. Pure. */
import { imageReferences, type BuiltImages } from "../../topology/images.ts";
import type { Settings } from "../../config/schema.ts";
import { servicesOf, type Topology } from "../../topology/topology.ts";
import { types } from "../../policy/stateful.ts";
import type { Resource } from "../state.ts";

/** An image of a server whose reference in the state is not the one that the program asks for. */
export interface ImageChange {
  readonly server: string;
  /** The image's key: `postgres`, `redis`. */
  readonly key: string;
  readonly from: string;
  readonly to: string;
}

const nameOf = ({ urn }: Pick<Resource, "urn">): string => urn.slice(urn.lastIndexOf("::") + 2);

/** @param resources of the state */
export function imageChanges(
  resources: readonly Resource[],
  { settings, topology }: { readonly settings: Settings; readonly topology: Topology },
  built: BuiltImages,
): ImageChange[] {
  return topology.servers.flatMap(({ name: server }) => {
    const here = topology.services.filter((service) => service.server === server);
    return [...imageReferences(here, settings, built)].flatMap(([key, to]) => {
      const image = resources.find((one) => one.type === types.image && nameOf(one) === `${server}-image-${key}`);
      const from = image?.inputs["name"];
      return typeof from !== "string" || from === to ? [] : [{ server, key, from, to }];
    });
  });
}

/** Whether it is the key of an image that PostgreSQL's servers run. */
export const isPostgres = (key: string): boolean => key === "postgres" || key === "database";

/** Servers with a standby whose image changes while the primary's does too: they get it first, and prove it. */
export const standbysFirst = (changes: readonly ImageChange[], topology: Topology): string[] => {
  const changed = changes.filter(({ key }) => isPostgres(key)).map(({ server }) => server);
  const primaries = servicesOf(topology, "database").map(({ server }) => server);
  return servicesOf(topology, "replica")
    .map(({ server }) => server)
    .filter((server) => changed.includes(server) && primaries.some((primary) => changed.includes(primary)));
};

/** The resources of a server's images and containers, for an update of that server alone. */
export function targetsOn(resources: readonly Resource[], server: string): string[] {
  const image = resources.find((one) => one.type === types.image && nameOf(one).startsWith(`${server}-image-`));
  return resources
    .filter(
      (one) =>
        (one.provider === image?.provider && (one.type === types.image || one.type === types.container)) ||
        (one.type === types.imageBuild && nameOf(one).startsWith(`${server}-image-`)),
    )
    .map(({ urn }) => urn);
}

/** A reference as people read it: its digest shortened. */
export const shortly = (reference: string): string => reference.replace(/@sha256:([0-9a-f]{12})[0-9a-f]+$/, "@$1…");
