/**
 * The container images of the platform: pinned names of official images, and tags of the images built here.
 *
 * Official images are pinned here and nowhere else, by major version and, where they have one, Debian release. To pin
 * contents as well, append the digest that `docker image inspect --format '{{json .RepoDigests}}' NAME` prints, as in
 * `postgres:15-bookworm@sha256:…`; equivalents (images/equivalents/) cannot replace an image that is pinned by digest.
 *
 * The platform's own images are tagged with the hash of their sources, so that changed sources get a new tag and a tag
 * never means two images.
 */

/** Official images, as Docker Hub names them. */
export const officialImages = {
  postgres: "postgres:15-bookworm",
  redis: "redis:7-bookworm",
  nginx: "nginx:1-bookworm",
  python: "python:3.11-slim-bookworm",
  rclone: "rclone/rclone:1",
  certbot: "certbot/certbot:v5.8.0",
} as const;

export type OfficialImage = keyof typeof officialImages;

/** Images that are built from this repository. */
export const ownImages = { app: "sample-app", docs: "docs" } as const;

export type OwnImage = keyof typeof ownImages;

/** Images that services run, by the key that components use. `python` is only a base image. */
export type ImageKey = Exclude<OfficialImage, "python"> | OwnImage;

export interface ImageChoices {
  /** Host, port and path of a mirror that holds the official images under their own names. @default Docker Hub */
  readonly registry?: string | undefined;
  /** A complete reference that replaces an official image; `registry` does not apply to it. */
  readonly overrides?: Readonly<Partial<Record<OfficialImage, string | undefined>>> | undefined;
}

/** The reference to run for an official image: the override, else the pinned name, below the registry when there is one. */
export function resolveImage(name: OfficialImage, { registry, overrides }: ImageChoices = {}): string {
  const override = overrides?.[name];
  if (override !== undefined) return override;
  const prefix = registry?.replace(/\/+$/, "");
  return prefix ? `${prefix}/${officialImages[name]}` : officialImages[name];
}

const hashDigits = 12;

/** The name of an own image with contents of the given hash (hexadecimal, at least 12 digits). */
export function ownImageReference(kind: OwnImage, hash: string): string {
  if (!/^[0-9a-f]{12,}$/.test(hash)) {
    throw new Error(`'${hash}' is no content hash: expected at least ${hashDigits} hexadecimal digits`);
  }
  return `orion/${ownImages[kind]}:${hash.slice(0, hashDigits)}`;
}
