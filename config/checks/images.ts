/** Checks that an image which replaces another one is not that of another program. Pure. */
import { baseOf, isMadeOnServers, isOfficialImage, officialImages } from "../images.ts";
import { line } from "../line.ts";
import type { Settings } from "../schema.ts";

/** `postgres` of `registry.example.com/mirror/postgres:15@sha256:...`. */
const programIn = (reference: string): string =>
  reference
    .replace(/@.*$/, "")
    .replace(/:[^:/]*$/, "")
    .split("/")
    .pop() ?? "";

const programs = new Map(Object.entries(officialImages).map(([key, reference]) => [programIn(reference), key]));

/** @returns the problems, one line each; an image with a name of its own may have any program */
export function checkImages({ images }: Pick<Settings, "images">): string[] {
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
