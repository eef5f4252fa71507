/** Resolves the image references that the services of a plan run. Pure. */
import { baseImage, type ImageKey, resolveImage } from "../config/images.ts";
import type { Settings } from "../config/schema.ts";
import { definitionOf } from "./catalogue.ts";
import type { Service } from "./service.ts";

/** The images that are built from this repository's own sources, and what a user has built. */
export interface BuiltImages {
  readonly app: string;
  readonly docs: string;
  /** PostgreSQL with pgBackRest. */
  readonly database: Omit<ImageRecipe, "base">;
  /**
   * Id that `orion:app.image` has on the local Docker Engine, so that another build under the same tag is deployed. @default - the
   * stack has servers or no such setting, or the image is not there yet
   */
  readonly appId?: string;
}

/** An image that no registry has: each Docker Engine that runs it builds it, or gets it from another one. */
export interface ImageRecipe {
  readonly reference: string;
  /** Reference of the image that it is built on. */
  readonly base: string;
  /** Text of a Dockerfile that takes the base as the argument `POSTGRES_IMAGE` and needs no other file. */
  readonly dockerfile: string;
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
    if (key === "database") return settings.images.database ?? built.database.reference;
    return resolveImage(key, { registry, pinned, overrides });
  };
  return new Map(imageKeys(services, settings).map((key) => [key, referenceOf(key)]));
}

/** How the Docker Engine of these services makes the images that it cannot pull, by key. */
export const imageRecipes = (
  services: readonly Service[],
  settings: Settings,
  built: BuiltImages,
): ReadonlyMap<ImageKey, ImageRecipe> =>
  new Map(
    imageKeys(services, settings).includes("database") && settings.images.database === undefined
      ? [["database", { ...built.database, base: databaseBase(settings) }]]
      : [],
  );

/** The image that PostgreSQL with pgBackRest is built on: the one that a stack without pgBackRest runs. */
export const databaseBase = ({ images: { registry, postgres } }: Pick<Settings, "images">): string =>
  baseImage({ registry, overrides: { postgres } }, "database");
