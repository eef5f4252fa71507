/** Warns by age: of the images' digests, of the last patch of each server, of a reboot and of security updates that wait. */
import { type ImagePins, imagePins, isOfficialImage } from "../../config/images.ts";
import type { Settings } from "../../config/schema.ts";
import { imageKeys } from "../../topology/images.ts";
import { hasServers, type Topology } from "../../topology/topology.ts";
import type { Engines } from "../engines.ts";
import { askStatus } from "../patch/ask-status.ts";
import { daysSince } from "../../common/dates.ts";
import { rebootReason, type ServerStatus } from "../patch/server-status.ts";
import type { Checked, Finding } from "./advice.ts";

/** Days after which something is called old: official images are rebuilt about every month. */
const ageLimits = { images: 45, patch: 35 } as const;

/** The checks of what becomes old. @param answers whether a server can be asked */
export function agesOf(
  { settings, topology }: { readonly settings: Settings; readonly topology: Topology },
  engines: Engines,
  answers: (server: { readonly server: string }) => boolean,
  now: Date,
): (() => Promise<Finding>)[] {
  if (!hasServers(topology)) return [];
  const chosen: Readonly<Record<string, unknown>> = settings.images;
  // An image that the stack names itself is its own matter.
  const pinned = imageKeys(topology.services, settings).flatMap((key) =>
    settings.images.pinned && isOfficialImage(key) && chosen[key] === undefined ? [key] : [],
  );
  return [
    ...(pinned.length > 0
      ? [() => Promise.resolve({ service: "images", ...ageOfImages(pinned, imagePins, now) })]
      : []),
    ...topology.servers
      .filter(({ name }) => answers({ server: name }))
      .map(({ name }) => async () => {
        const status = await askStatus(engines.of({ server: name }));
        const checked: Checked = status
          ? ageOfServer(status, now)
          : { problem: "no-answer", detail: "its packages could not be listed" };
        return { service: `age of ${name}`, ...checked };
      }),
  ];
}

/** Pure. @param keys of the official images that the stack's services run */
export function ageOfImages(keys: readonly (keyof ImagePins)[], pins: ImagePins, now: Date): Checked {
  const unpinned = keys.filter((key) => pins[key] === undefined);
  if (unpinned.length > 0) return { problem: "images-unpinned", detail: `without a digest: ${unpinned.join(", ")}` };
  const ages = keys.flatMap((key) => pins[key]?.date ?? []).map((date) => daysSince(date, now));
  const oldest = Math.max(...ages);
  return {
    ...(oldest > ageLimits.images && { problem: "images-old" as const }),
    detail: `digests of ${oldest} days ago`,
  };
}

/** Pure. */
export function ageOfServer(status: ServerStatus, now: Date): Checked {
  const since = status.patched ?? status.firstBootAt;
  const age = since === undefined ? undefined : daysSince(since, now);
  const security = status.packages.filter(({ isSecurity }) => isSecurity);
  const reason = rebootReason(status);
  const detail = [
    age === undefined ? "never patched" : `${status.patched === undefined ? "made" : "patched"} ${age} days ago`,
    `up ${Math.floor(status.upSeconds / 86_400)} days`,
    ...(reason === undefined ? [] : [`needs a reboot: ${reason}`]),
    ...(security.length === 0 ? [] : [`security updates wait: ${security.map(({ name }) => name).join(", ")}`]),
  ].join(", ");
  if (reason !== undefined) return { problem: "reboot-pending", detail };
  if (security.length > 0) return { problem: "security-updates", detail };
  return { ...((age === undefined || age > ageLimits.patch) && { problem: "patch-late" as const }), detail };
}
