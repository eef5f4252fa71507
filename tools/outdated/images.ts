/** Compares the digests of config/image-pins.json with those that the registries have now, and writes new ones. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ImagePins,
  imagePinsFile,
  isOfficialImage,
  type OfficialImage,
  officialImages,
  resolveImage,
} from "../../config/images.ts";
import type { Settings } from "../../config/schema.ts";
import { daysSince } from "../../common/dates.ts";
import { reasonOf } from "./registry-api.ts";
import type { Item } from "./report.ts";

/** What a registry answered about an official image. */
export type Answer = { readonly digest: string } | { readonly why: string };

export type Answers = ReadonlyMap<OfficialImage, Answer>;

/**
 * Asks the registries for the digest of every official image.
 *
 * @param images where the stack takes them from: a mirror, or another image in place of one, which is not asked for
 * @param ask gets the digest of a reference
 */
export async function askForDigests(
  { registry, ...overrides }: Settings["images"],
  ask: (reference: string) => Promise<string>,
): Promise<Answers> {
  const chosen: Readonly<Record<string, unknown>> = overrides;
  const names = Object.keys(officialImages)
    .filter(isOfficialImage)
    .filter((name) => chosen[name] === undefined);
  const answers = names.map(async (name): Promise<[OfficialImage, Answer]> => {
    try {
      return [name, { digest: await ask(resolveImage(name, { registry })) }];
    } catch (error) {
      return [name, { why: reasonOf(error) }];
    }
  });
  return new Map(await Promise.all(answers));
}

/** Pure. */
export function imageItems(answers: Answers, pins: ImagePins, now: Date): Item[] {
  return [...answers].map(([key, answer]): Item => {
    const pin = pins[key];
    const age = pin && `${daysSince(pin.date, now)} days`;
    const item = { kind: "image" as const, name: officialImages[key], current: pin ? short(pin.digest) : "tag only" };
    if ("why" in answer) return { ...item, state: "unknown", note: answer.why + (age ? `; pinned ${age} ago` : "") };
    if (pin === undefined)
      return { ...item, latest: short(answer.digest), state: "behind", note: "no digest is pinned" };
    if (pin.digest === answer.digest) return { ...item, state: "current" };
    return {
      ...item,
      latest: short(answer.digest),
      state: "behind",
      note: `pinned ${age ?? ""} ago, and renewed since`,
    };
  });
}

const short = (digest: string): string => digest.slice("sha256:".length, "sha256:".length + 12);

/** The pins with today's digests; those that were not answered for stay as they are. Pure. */
export const newPins = (answers: Answers, pins: ImagePins, now: Date): ImagePins =>
  Object.fromEntries(
    Object.keys(officialImages)
      .filter(isOfficialImage)
      .flatMap((name) => {
        const answer = answers.get(name);
        const pin =
          answer && "digest" in answer ? { digest: answer.digest, date: now.toISOString().slice(0, 10) } : pins[name];
        return pin === undefined ? [] : [[name, pin]];
      }),
  );

export function writePins(root: string, pins: ImagePins): void {
  writeFileSync(join(root, imagePinsFile), `${JSON.stringify(pins, null, 2)}\n`);
}
