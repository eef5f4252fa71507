/** Chooses the images of this machine that a rehearsal's servers pull under their production names. */
import { run } from "../../common/process.ts";
import { builtImages } from "../../images/built.ts";
import { localImages } from "../../images/engine.ts";
import { imageReferences } from "../../topology/images.ts";
import type { StackFile } from "../stack-file.ts";

/** An image on its way into the cloud's registry. */
export interface Delivery {
  /** Its name for images/build.ts; undefined for an image of the user. */
  readonly built: string | undefined;
  /** Its name in the local Docker Engine. */
  readonly image: string;
  /** Its name for the servers. */
  readonly reference: string;
}

/** Whether the default image replaces an image that this machine does not have. */
export const isStandIn = ({ image, reference }: Delivery): boolean => image !== reference;

/**
 * The image of this machine for each image of a stack. Pure.
 *
 * @param wanted references that the stack runs, by name
 * @param defaults references of a stack with default images; this machine can get all of them
 * @param here references that the local Docker Engine has
 */
export function deliveriesOf(
  wanted: ReadonlyMap<string, string>,
  defaults: ReadonlyMap<string, string>,
  here: ReadonlySet<string>,
): Delivery[] {
  return [...wanted].map(([name, reference]) => {
    const usual = defaults.get(name) ?? reference;
    const isOwn = reference !== usual && here.has(reference);
    return isOwn ? { built: undefined, image: reference, reference } : { built: name, image: usual, reference };
  });
}

/**
 * The images of a stack, as this machine can deliver them.
 *
 * @param root folder of the project
 * @throws {Error} when no Docker Engine answers
 */
export async function findDeliveries(root: string, { settings, topology }: StackFile): Promise<Delivery[]> {
  const usual = { ...settings, images: {} };
  const built = builtImages(root, usual);
  const wanted = imageReferences(topology.services, settings, builtImages(root, settings));
  const defaults = new Map([...imageReferences(topology.services, usual, built), ...Object.entries(built)]);
  const here = await localImages(run, [...wanted.values()]);
  return deliveriesOf(wanted, defaults, new Set(here.keys()));
}
