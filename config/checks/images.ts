/** Checks what the names of official images say against what the stack needs. Other names say nothing: those images are asked. Pure. */
import { baseOf, isMadeOnServers, isOfficialImage, officialImages } from "../images.ts";
import { runsOwnDatabase } from "../own-database.ts";
import { line } from "../line.ts";
import type { Settings } from "../schema.ts";

/** @returns the problems, one line each */
export const checkImages = (settings: Settings): string[] => [
  ...checkPrograms(settings),
  ...checkHaproxy(settings),
  ...checkArchiveImage(settings),
  ...checkVersion("database", "postgres", settings),
  ...checkVersion("cache", "redis", settings),
];

type Replaced = "postgres" | "redis" | "haproxy";

interface OfficialTag {
  readonly text: string;
  readonly major: number;
  readonly isAlpine: boolean;
}

/** The tag of an official image at Docker Hub whose version it names. */
function officialTag(name: Replaced, { images }: Settings): OfficialTag | undefined {
  const [, text] =
    /^(?:(?:docker\.io\/)?library\/|docker\.io\/)?([a-z]+:\d[^@]*)(?:@|$)/.exec(images[name] ?? "") ?? [];
  const [own, tag = ""] = text?.split(":") ?? [];
  return own === name ? { text: tag, major: Number.parseInt(tag, 10), isAlpine: /alpine/.test(tag) } : undefined;
}

function checkHaproxy(settings: Settings): string[] {
  const { gateway, images, database } = settings;
  const tag = officialTag("haproxy", settings);
  if (!gateway.enabled || tag === undefined) return [];
  if (tag.major < 3)
    return [line("images.haproxy", images.haproxy, "HAProxy 3.0 or later, such as haproxy:3.0-trixie")];
  const isOld = tag.isAlpine || /bookworm|bullseye/.test(tag.text);
  if (!isOld || !database.pooler || images.pooler !== undefined) return [];
  const why = "PgBouncer is added to it (orion:database.pooler)";
  return [
    line("images.haproxy", images.haproxy, `an image made from Debian 13 or later, such as haproxy:3.0-trixie: ${why}`),
  ];
}

function checkArchiveImage(settings: Settings): string[] {
  const { hosting, images, database, backups, storage } = settings;
  const archives = hosting !== "local" && backups.pointInTime && storage.backend === "r2" && runsOwnDatabase(database);
  if (!archives || images.database !== undefined || officialTag("postgres", settings)?.isAlpine !== true) return [];
  const why = "pgBackRest is added to it (orion:backups.pointInTime)";
  return [line("images.postgres", images.postgres, `an image made from Debian, such as postgres:15-bookworm: ${why}`)];
}

function checkVersion(section: "database" | "cache", name: "postgres" | "redis", settings: Settings): string[] {
  const { version } = settings[section];
  const tag = officialTag(name, settings);
  if (tag === undefined || version === undefined || tag.major === version) return [];
  const allowed = `${tag.major}, the version of orion:images.${name} ${settings.images[name] ?? ""}, or no version: the image is asked`;
  return [line(`${section}.version`, version, allowed)];
}

/** `postgres` of `registry.example.com/mirror/postgres:15@sha256:...`. */
const programIn = (reference: string): string =>
  reference
    .replace(/@.*$/, "")
    .replace(/:[^:/]*$/, "")
    .split("/")
    .pop() ?? "";

const programs = new Map(Object.entries(officialImages).map(([key, reference]) => [programIn(reference), key]));

/** An image that replaces another one is not that of another program. */
function checkPrograms({ images }: Pick<Settings, "images">): string[] {
  return Object.entries(images).flatMap(([key, reference]) => {
    const wanted = isMadeOnServers(key) ? baseOf(key) : key;
    if (typeof reference !== "string" || !isOfficialImage(wanted)) return [];
    const has = programs.get(programIn(reference));
    return has === undefined || has === wanted
      ? []
      : [
          line(
            `images.${key}`,
            reference,
            `an image that runs what ${key} is for; this one is named as that of ${has}`,
          ),
        ];
  });
}
