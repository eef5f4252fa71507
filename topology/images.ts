/** Resolves the image references that the services of a plan run. Pure. */
import { type ImageKey, resolveImage } from "../config/images.ts";
import type { Settings } from "../config/schema.ts";
import { definitionOf } from "./catalogue.ts";
import type { Service } from "./service.ts";

/** References of the images that are built from this repository's own sources. */
export interface BuiltImages {
  readonly app: string;
  readonly docs: string;
}

/** The keys of the images that services run. */
export const imageKeys = (services: readonly Service[], settings: Settings): ImageKey[] => [
  ...new Set(services.flatMap(({ kind }) => definitionOf(kind).images(settings))),
];

/** The reference of every image that the services run, by its key. */
export function imageReferences(
  services: readonly Service[],
  settings: Settings,
  built: BuiltImages,
): ReadonlyMap<ImageKey, string> {
  const { registry, pinned, ...overrides } = settings.images;
  const referenceOf = (key: ImageKey): string => {
    if (key === "app") return settings.app.image ?? built.app;
    if (key === "docs") return built.docs;
    return resolveImage(key, { registry, pinned, overrides });
  };
  return new Map(imageKeys(services, settings).map((key) => [key, referenceOf(key)]));
}
