/**
 * The container images of the platform: names of official images, their digests, and tags of the images built here.
 *
 * Official images are named here and nowhere else, by major version and, where they have one, Debian release. A tag moves to
 * other contents with every release, so config/image-pins.json has the digest of each, with the day on which it was looked up:
 * `make outdated WRITE=1` asks the registry and writes it. Servers run exactly that digest (`orion:images.pinned`); without a
 * digest, or on a local Docker Engine, it is the tag.
 *
 * The platform's own images are tagged with the hash of their sources, so that changed sources get a new tag and a tag
 * never means two images.
 */
import { z } from "zod";
import pinsFile from "./image-pins.json" with { type: "json" };

/** Official images, as Docker Hub names them. */
export const officialImages = {
  postgres: "postgres:15-bookworm",
  redis: "redis:7-bookworm",
  nginx: "nginx:1-bookworm",
  python: "python:3.11-slim-bookworm",
  rclone: "rclone/rclone:1",
  haproxy: "haproxy:3.0-trixie",
  certbot: "certbot/certbot:v5.8.0",
} as const;

export type OfficialImage = keyof typeof officialImages;

export const isOfficialImage = (name: string): name is OfficialImage => name in officialImages;

/** The contents that an official image's tag had on a day. */
export interface ImagePin {
  /** Of the manifest list where the registry has one, so that it is the same on every architecture. */
  readonly digest: string;
  /** When the registry was asked, as 2026-11-29. */
  readonly date: string;
}

export type ImagePins = Readonly<Partial<Record<OfficialImage, ImagePin>>>;

/** The file that {@link imagePins} is read from, relative to the project. */
export const imagePinsFile = "config/image-pins.json";

const pinSchema = z.strictObject({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/), date: z.iso.date() });

/** The contents of config/image-pins.json. @throws when a name is not that of an official image, or a pin is incomplete */
export const parseImagePins = (contents: unknown): ImagePins =>
  z.partialRecord(z.enum(Object.keys(officialImages) as OfficialImage[]), pinSchema).parse(contents);

/** The digests in use. An image without an entry is named by its tag alone. */
export const imagePins: ImagePins = parseImagePins(pinsFile);

/** Images that are built from this repository. */
export const ownImages = { app: "sample-app", docs: "docs", database: "postgres", pooler: "pgbouncer" } as const;

export type OwnImage = keyof typeof ownImages;

/** Images that services run, by the key that components use. `python` is only a base image; that of `database` is `postgres`. */
export type ImageKey = Exclude<OfficialImage, "python"> | OwnImage;

export interface ImageChoices {
  /** Host, port and path of a mirror that holds the official images under their own names. @default Docker Hub */
  readonly registry?: string | undefined;
  /** A complete reference that replaces an official image; `registry` does not apply to it. */
  readonly overrides?: Readonly<Partial<Record<OfficialImage, string | undefined>>> | undefined;
  /** Whether to add the digest, if it is known. @default false: the tag alone, which an equivalent can stand in for */
  readonly pinned?: boolean | undefined;
}

/** The reference to run for an official image: the override, else its name, below the registry when there is one. */
export function resolveImage(
  name: OfficialImage,
  { registry, overrides, pinned = false }: ImageChoices = {},
  pins: ImagePins = imagePins,
): string {
  const override = overrides?.[name];
  if (override !== undefined) return override;
  const prefix = registry?.replace(/\/+$/, "");
  const digest = pinned ? pins[name]?.digest : undefined;
  return `${prefix ? `${prefix}/` : ""}${officialImages[name]}${digest === undefined ? "" : `@${digest}`}`;
}

/** The official image that each own image is built on. */
const bases: Readonly<Record<OwnImage, OfficialImage>> = {
  app: "python",
  docs: "python",
  database: "postgres",
  pooler: "haproxy",
};

/** Own images that a server makes itself, from a Dockerfile that needs no other file. */
export const madeOnServers = ["database", "pooler"] as const satisfies readonly OwnImage[];

export type MadeOnServers = (typeof madeOnServers)[number];

export const isMadeOnServers = (key: string): key is MadeOnServers => madeOnServers.some((one) => one === key);

/** The build argument that names the base of an own image. */
export const baseArgument = (kind: OwnImage): string => `${bases[kind].toUpperCase()}_IMAGE`;

/** @returns its key */
export const baseOf = (kind: OwnImage): OfficialImage => bases[kind];

/** The base of an image that is built here: with its digest on every machine, so that all of them compute the same tags. */
export const baseImage = ({ registry, overrides }: ImageChoices = {}, kind: OwnImage = "app"): string =>
  resolveImage(bases[kind], { registry, overrides, pinned: true });

/** A reference without its digest. */
export const withoutDigest = (reference: string): string => reference.replace(/@.*$/, "");

const hashDigits = 12;

/** The name of an own image with contents of the given hash (hexadecimal, at least 12 digits). */
export function ownImageReference(kind: OwnImage, hash: string): string {
  if (!/^[0-9a-f]{12,}$/.test(hash)) {
    throw new Error(`'${hash}' is no content hash: expected at least ${hashDigits} hexadecimal digits`);
  }
  return `orion/${ownImages[kind]}:${hash.slice(0, hashDigits)}`;
}
