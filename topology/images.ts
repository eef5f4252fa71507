/** Resolves the image references that the services of a plan run. Pure. */
import {
  baseArgument,
  baseImage,
  baseOf,
  type ImageKey,
  isMadeOnServers,
  type MadeOnServers,
  madeOnServers,
  resolveImage,
} from "../config/images.ts";
import type { Settings } from "../config/schema.ts";
import { definitionOf } from "./catalogue.ts";
import type { Service } from "./service.ts";

/** The images that are built from this repository's own sources, and what a user has built. */
export interface BuiltImages {
  readonly app: string;
  readonly docs: string;
  /** PostgreSQL with pgBackRest. */
  readonly database: OwnRecipe;
  /** PgBouncer. */
  readonly pooler: OwnRecipe;
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
  /** The build argument that names it. */
  readonly argument: string;
  /** Text of a Dockerfile that takes the base as this argument and needs no other file. */
  readonly dockerfile: string;
}

/** What its sources say of it. */
type OwnRecipe = Omit<ImageRecipe, "base" | "argument">;

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
    if (isMadeOnServers(key)) return settings.images[key] ?? built[key].reference;
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
    madeOnServers.flatMap((key) =>
      imageKeys(services, settings).includes(key) && settings.images[key] === undefined
        ? [[key, { ...built[key], base: baseOnServers(settings, key), argument: baseArgument(key) }] as const]
        : [],
    ),
  );

/** The image that one of a server's own is built on: the one that stacks without it run. */
export function baseOnServers({ images }: Pick<Settings, "images">, kind: MadeOnServers): string {
  const { registry, ...overrides } = images;
  const base = baseOf(kind);
  return baseImage({ registry, overrides: base === "python" ? {} : { [base]: overrides[base] } }, kind);
}
