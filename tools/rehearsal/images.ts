/** The images of a rehearsal: what servers pull under its production name, and what of this machine it is. */
import { run } from "../../common/process.ts";
import { builtImages } from "../../images/built.ts";
import { localImages } from "../../images/engine.ts";
import { imageReferences } from "../../topology/images.ts";
import type { StackFile } from "../stack-file.ts";

/** An image on its way into the cloud's registry. */
export interface Delivery {
  /** The name that images/build.ts knows it by; undefined: the image is the user's own. */
  readonly built: string | undefined;
  /** What it is called in the local Docker Engine. */
  readonly image: string;
  /** What servers pull it as. */
  readonly reference: string;
}

/** What is pulled as something that this machine does not have: the image that it would have been by default. */
export const isStandIn = ({ image, reference }: Delivery): boolean => image !== reference;

/**
 * Which image of this machine each one of a stack is. Pure.
 *
 * @param wanted references that the stack runs, by name
 * @param defaults the same for a stack that chooses none; this machine can get all of them
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
