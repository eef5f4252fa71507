/** The pinned SHA-256 of everything that is downloaded: toolchain/checksums.json, by part, version and platform. */
import { createHash } from "node:crypto";
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { isRecord } from "../../common/record.ts";
import { UserError } from "../../common/user-error.ts";
import type { Part } from "./parts.ts";

/** The platforms that the archives are published for, as Node.js names them. */
export const platforms = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"] as const;
export type Platform = (typeof platforms)[number];

/** The checksums of one version of a part. */
export interface Pinned {
  readonly version: string;
  /** When they were written, as 2026-11-29. */
  readonly date: string;
  readonly sha256: Readonly<Partial<Record<Platform, string>>>;
}

/** By the name of the part. */
export type Checksums = Readonly<Record<string, Pinned>>;

export const thisPlatform = (): string => `${process.platform}-${process.arch}`;

const fileIn = (root: string): string => join(root, "toolchain", "checksums.json");

/** @throws {UserError} when the file does not have the form that {@link writeChecksums} gives it */
export function readChecksums(root: string): Checksums {
  const found: unknown = JSON.parse(readFileSync(fileIn(root), "utf8"));
  if (isRecord(found) && Object.values(found).every(isPinned)) return found as Checksums;
  throw new UserError("toolchain/checksums.json is not valid: expected what make checksums writes.");
}

export function writeChecksums(root: string, checksums: Checksums): void {
  writeFileSync(fileIn(root), `${JSON.stringify(checksums, null, 2)}\n`);
}

/** The pinned checksum of a part for a platform; undefined when there is none for this version. */
export function checksumOf(checksums: Checksums, { name, version }: Part, platform: string): string | undefined {
  const pinned = checksums[name];
  return pinned?.version === version ? pinned.sha256[platform as Platform] : undefined;
}

/** The URL of a part's archive below a host's. */
export function archiveUrl({ kind, name, version }: Part, platform: string, host: string): string {
  if (kind === "engine") return `${host}/releases/sdk/pulumi-v${version}-${platform}.tar.gz`;
  return `${host}/releases/plugins/pulumi-resource-${name}-v${version}-${platform.replace("x64", "amd64")}.tar.gz`;
}

/** The lines of a publisher's list of checksums: SHA-256, two spaces, the name of a file. */
export const checksumsIn = (text: string): ReadonlyMap<string, string> =>
  new Map([...text.matchAll(/^([0-9a-f]{64}) [ *](\S+)$/gm)].map(([, sha256 = "", file = ""]) => [file, sha256]));

/** SHA-256 of a file, in hexadecimal. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

const isPinned = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value["version"] === "string" &&
  typeof value["date"] === "string" &&
  isRecord(value["sha256"]) &&
  Object.entries(value["sha256"]).every(
    ([platform, sha256]) => platforms.some((one) => one === platform) && /^[0-9a-f]{64}$/.test(String(sha256)),
  );
