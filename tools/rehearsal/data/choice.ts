/** What `DATA=` names: the newest backup in the real stack's bucket, or a dump in a file. Pure. */
import { UserError } from "../../../common/user-error.ts";

export type DataChoice =
  | { readonly kind: "latest" }
  | {
      readonly kind: "file";
      readonly path: string;
      /** Whether it is one of the backups' own files, which age has encrypted. */
      readonly encrypted: boolean;
    };

/** The environment variables that a read of the bucket needs; they are those of a key that can only read. */
export const variables = {
  accessKeyId: "ORION_BACKUP_ACCESS_KEY_ID",
  secretAccessKey: "ORION_BACKUP_SECRET_ACCESS_KEY",
  /** The path of a file with the private key of the backups. */
  key: "ORION_BACKUP_KEY",
  /** @default that of the account's R2 */
  endpoint: "ORION_BACKUP_ENDPOINT",
} as const;

/** @throws {UserError} when it is neither */
export function dataChoice(text: string): DataChoice {
  if (text === "latest") return { kind: "latest" };
  const ending = /\.dump(\.age)?$/.exec(text);
  if (ending) return { kind: "file", path: text, encrypted: ending[1] !== undefined };
  throw new UserError(
    `DATA: got '${text}', allowed: latest (the newest backup of the stack's bucket), or a file that ends in .dump (pg_dump --format custom) or .dump.age`,
  );
}

/**
 * The time of the newest backup that is complete and good.
 *
 * @param names of the bucket's objects, without their folder
 * @throws {UserError} when there is none
 */
export function newestBackup(names: readonly string[]): string {
  const of = (ending: string) =>
    new Set(names.flatMap((name) => (name.endsWith(ending) ? [name.slice(0, -ending.length)] : [])));
  const [suspect, accepted] = [of(".suspect"), of(".accepted")];
  const good = [...of(".manifest")].filter((time) => !suspect.has(time) || accepted.has(time)).sort();
  const newest = good.at(-1);
  if (newest !== undefined) return newest;
  throw new UserError(
    `The bucket has no complete backup that is not suspect (${names.length} objects); take one: make backup STACK=...`,
  );
}

/** What a backup's manifest says. */
export interface Manifest {
  /** Bytes of the database when it was backed up. */
  readonly databaseBytes: number;
  readonly rows: number;
  /** The file with the dump: its bytes and its SHA-256, as they are in the bucket. */
  readonly dump: { readonly name: string; readonly bytes: number; readonly sha256: string };
}

/** @throws {UserError} when it names no dump */
export function readManifest(text: string): Manifest {
  const lines = text.split("\n").map((line) => line.split(" "));
  const fact = (name: string) => lines.find(([first]) => first === name)?.[1];
  const [, bytes, sha256, name] =
    lines.find(([first, , , file]) => first === "file" && /\.dump(\.age)?$/.test(file ?? "")) ?? [];
  if (bytes === undefined || sha256 === undefined || name === undefined) {
    throw new UserError("The backup's manifest names no dump; was it made by another version?");
  }
  return {
    databaseBytes: Number(fact("bytes") ?? 0),
    rows: lines.reduce((sum, [first, rows]) => (first === "table" ? sum + Number(rows) : sum), 0),
    dump: { name, bytes: Number(bytes), sha256 },
  };
}
