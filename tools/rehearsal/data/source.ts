/** Opens the dump that a rehearsal restores: a file, or the newest backup in the real stack's bucket. */
import { spawn } from "node:child_process";
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { Readable } from "node:stream";
import { run } from "../../../common/process.ts";
import { UserError } from "../../../common/user-error.ts";
import type { Settings } from "../../../config/schema.ts";
import { dataChoice, newestBackup, readManifest, variables } from "./choice.ts";

export interface DataSource {
  /** What it is, for people. */
  readonly name: string;
  /** Bytes of the dump as it is stored. */
  readonly bytes: number;
  /** SHA-256 that it must have. @default - it is not known */
  readonly sha256: string | undefined;
  /** Bytes of the database in production. @default - they are not known */
  readonly databaseBytes: number | undefined;
  /** The private key of age, where the dump is encrypted. */
  readonly key: string | undefined;
  readonly open: () => Readable;
}

export interface SourceOptions {
  /** Folder of the project. */
  readonly root: string;
  readonly choice: string;
  /** Settings of the real stack. */
  readonly settings: Settings;
  /** rclone's image in the local Docker Engine. */
  readonly rclone: string;
}

/** @throws {UserError} when there is no such dump, or what it needs is not given */
export async function dataSource(options: SourceOptions): Promise<DataSource> {
  const choice = dataChoice(options.choice);
  if (choice.kind === "latest") return newestInBucket(options);
  const path = resolve(options.root, choice.path);
  if (!existsSync(path)) throw new UserError(`DATA: there is no file ${path}`);
  return {
    ...{ name: basename(path), bytes: statSync(path).size, sha256: undefined, databaseBytes: undefined },
    key: choice.encrypted ? privateKey() : undefined,
    open: () => createReadStream(path),
  };
}

async function newestInBucket({ settings, rclone }: SourceOptions): Promise<DataSource> {
  const { bucket } = settings.storage;
  if (settings.storage.backend !== "r2" || bucket === undefined) {
    throw new UserError(
      "DATA=latest reads the backups of the stack's bucket, and this stack has none (orion:storage.backend). Name a file: DATA=file.dump",
    );
  }
  const place = `store:${bucket}-backups/postgresql`;
  const store = remote(rclone, settings.cloudflare.accountId);
  const time = newestBackup((await store.text("lsf", place)).split("\n"));
  const { dump, databaseBytes } = readManifest(await store.text("cat", `${place}/${time}.manifest`));
  return {
    ...{ name: `backup ${time} of ${bucket}-backups`, bytes: dump.bytes, sha256: dump.sha256, databaseBytes },
    key: dump.name.endsWith(".age") ? privateKey() : undefined,
    open: () => store.stream("cat", `${place}/${dump.name}`),
  };
}

function given(name: string, what: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== "") return value;
  throw new UserError(`DATA needs ${what}: set ${name}.`);
}

function privateKey(): string {
  const path = given(variables.key, "the private key of the backups, which make backup-key prints, in a file");
  if (!existsSync(path)) throw new UserError(`${variables.key}: there is no file ${path}`);
  return readFileSync(path, "utf8");
}

/** rclone in a container, with the key of the bucket in its environment: a process list shows arguments. */
function remote(image: string, accountId: string | undefined) {
  const endpoint = process.env[variables.endpoint] ?? `https://${accountId ?? ""}.r2.cloudflarestorage.com`;
  const settings = {
    // It has no file with settings, and would say so.
    RCLONE_LOG_LEVEL: "ERROR",
    RCLONE_CONFIG_STORE_TYPE: "s3",
    RCLONE_CONFIG_STORE_PROVIDER: "Cloudflare",
    RCLONE_CONFIG_STORE_REGION: "auto",
    RCLONE_CONFIG_STORE_NO_CHECK_BUCKET: "true",
    RCLONE_CONFIG_STORE_ENDPOINT: endpoint,
    RCLONE_CONFIG_STORE_ACCESS_KEY_ID: given(variables.accessKeyId, "a key that can read the bucket of the backups"),
    RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY: given(variables.secretAccessKey, "the secret of that key"),
  };
  const names = Object.keys(settings).flatMap((name) => ["--env", name]);
  const args = (words: readonly string[]) => ["run", "--rm", "--network", "host", ...names, image, ...words];
  const environment = { ...process.env, ...settings };
  return {
    text: async (...words: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await run("docker", args(words), { environment: settings });
      if (code === 0) return stdout;
      throw new UserError(`The backups could not be read at ${endpoint}: ${stderr.trim().slice(-500)}`);
    },
    stream: (...words: readonly string[]): Readable => {
      const child = spawn("docker", args(words), { env: environment, stdio: ["ignore", "pipe", "inherit"] });
      // An end that is too early is noticed by the SHA-256.
      child.on("error", (error) => child.stdout.destroy(error));
      return child.stdout;
    },
  };
}
