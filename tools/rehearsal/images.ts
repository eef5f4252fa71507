/** Chooses the images of this machine that a rehearsal's servers pull under their production names. */
import { run } from "../../common/process.ts";
import { type ImageKey, madeOnServers, withoutDigest } from "../../config/images.ts";
import { builtImages } from "../../images/built.ts";
import { localImages } from "../../common/images/engine.ts";
import { imageReferences } from "../../topology/images.ts";
import type { StackFile } from "../stack-file.ts";

/** An image on its way into the cloud's registry. */
export interface Delivery {
  /** The image that it is for the stack's services. */
  readonly key: ImageKey;
  /** Its name for images/build.ts; undefined for an image of the user. */
  readonly built: string | undefined;
  /** Its name in the local Docker Engine. */
  readonly image: string;
  /** Its name for the servers, without a digest: in the cloud's registry an image has a digest of its own. */
  readonly reference: string;
}

/** Whether the default image replaces an image that this machine does not have. */
export const isStandIn = ({ image, reference }: Delivery): boolean => withoutDigest(image) !== reference;

/**
 * The image of this machine for each image of a stack. Pure.
 *
 * @param wanted references that the stack runs, by name
 * @param defaults references of a stack with default images; this machine can get all of them
 * @param here references that the local Docker Engine has
 */
export function deliveriesOf(
  wanted: ReadonlyMap<ImageKey, string>,
  defaults: ReadonlyMap<ImageKey, string>,
  here: ReadonlySet<string>,
): Delivery[] {
  return [...wanted].map(([key, image]) => {
    const usual = defaults.get(key) ?? image;
    const isOwn = image !== usual && here.has(image);
    const reference = withoutDigest(image);
    return isOwn ? { key, built: undefined, image, reference } : { key, built: key, image: usual, reference };
  });
}

/**
 * The images of a stack, as this machine can deliver them.
 *
 * @param root folder of the project
 * @throws {Error} when no Docker Engine answers
 */
export async function findDeliveries(root: string, { settings, topology }: StackFile): Promise<Delivery[]> {
  const usual = { ...settings, images: { pinned: false } };
  const built = builtImages(root, usual);
  const wanted = imageReferences(topology.services, settings, builtImages(root, settings));
  const defaults = new Map<ImageKey, string>([
    ...imageReferences(topology.services, usual, built),
    ["app", built.app],
    ["docs", built.docs],
    ...madeOnServers.map((key) => [key, built[key].reference] as const),
  ]);
  const here = await localImages(run, [...wanted.values()]);
  return deliveriesOf(wanted, defaults, new Set(here.keys()));
}
