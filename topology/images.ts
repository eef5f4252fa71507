/** Which images the services of a plan need. Pure. */
import { resolveImage } from "../config/images.ts";
import { type Settings } from "../config/schema.ts";
import { type Service, type ServiceKind } from "./types.ts";

/** References of the images that are built from this repository's own sources. */
export interface BuiltImages {
  readonly app: string;
  readonly docs: string;
}

type ImageKey = "postgres" | "redis" | "nginx" | "rclone" | "certbot" | "app" | "docs";

const imagesOf: Partial<Record<ServiceKind, readonly ImageKey[]>> = {
  database: ["postgres"],
  "test-database": ["postgres"],
  replica: ["postgres"],
  backup: ["postgres", "rclone"],
  cache: ["redis"],
  broker: ["redis"],
  release: ["app"],
  app: ["app"],
  worker: ["app"],
  beat: ["app"],
  flower: ["app"],
  edge: ["nginx"],
  docs: ["docs"],
};

/** The reference of every image that the services run, by the name that components ask for. */
export function imageReferences(
  services: readonly Service[],
  settings: Settings,
  built: BuiltImages,
): Readonly<Record<string, string>> {
  const { registry, ...overrides } = settings.images;
  const official = (name: Exclude<ImageKey, "app" | "docs">) =>
    resolveImage(name, { ...(registry !== undefined && { registry }), overrides });
  const referenceOf = (key: ImageKey): string => {
    switch (key) {
      case "app":
        return settings.app.image ?? built.app;
      case "docs":
        return built.docs;
      default:
        return official(key);
    }
  };
  const keys = new Set(
    services.flatMap(({ kind }): readonly ImageKey[] => [
      ...(imagesOf[kind] ?? []),
      ...(kind === "edge" && settings.edge.tls === "acme" ? (["certbot"] as const) : []),
    ]),
  );
  return Object.fromEntries([...keys].map((key) => [key, referenceOf(key)]));
}
