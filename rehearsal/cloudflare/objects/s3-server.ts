/** Runs versitygw, a real S3 server, as the storage behind R2: one process whose buckets are folders. */
import { createHmac } from "node:crypto";
import { lstatSync, lutimesSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ServerProcess } from "../../programs/server-process.ts";
import { sign } from "../../../common/s3-signature.ts";
import type { AccessKey, ObjectStorage } from "./storage.ts";

export interface S3ServerOptions {
  /** The program, from `ensureProgram(storage, ...)`. */
  readonly program: string;
  /** Folder for its files, below the cloud's folder. */
  readonly folder: string;
  /** Loopback address. @default 127.0.0.1 */
  readonly host?: string;
  readonly port: number;
  /** The cloud's token; the root secret of the S3 server is derived from it. */
  readonly token: string;
  /** The account in host names such as `<bucket>.<account>.r2.cloudflarestorage.com`. @default - buckets are in paths only */
  readonly accountId?: string;
}

const region = "auto";

/** R2 has one region, under two names: clients without a setting sign for the second. */
const otherRegion = "us-east-1";

/** The process for requests that are signed for the other region has an address that no other service of a cloud has. */
const addressesOf = (host: string): readonly (readonly [region: string, host: string])[] => [
  [region, host],
  [otherRegion, host.replace(/\d+$/, (last) => String(Number(last) + 10))],
];

/** The path of an object, encoded as signatures want it. */
const pathOf = (bucket: string, key: string): string =>
  `/${[bucket, ...key.split("/")].map((part) => encodeURIComponent(part).replace(/[!'()*]/g, percent)).join("/")}`;
const percent = (letter: string): string => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`;

interface S3Answer {
  readonly status: number;
  readonly text: string;
  /** When the object was written, as HTTP has it. */
  readonly modified: string | null;
}

export class S3Server implements ObjectStorage {
  readonly #options: S3ServerOptions;
  readonly #root: { readonly id: string; readonly secret: string };
  #children: readonly ServerProcess[] = [];
  #last: Promise<void> = Promise.resolve();

  constructor(options: S3ServerOptions) {
    this.#options = options;
    const secret = createHmac("sha256", options.token).update("object storage").digest("hex");
    this.#root = { id: "rehearsal-cloud", secret };
  }

  get host(): string {
    return this.#options.host ?? "127.0.0.1";
  }

  /** Where requests go that are signed for a region; an unknown one is refused there. */
  hostFor(signed: string): string {
    return addressesOf(this.host).find(([name]) => name === signed)?.[1] ?? this.host;
  }

  get port(): number {
    return this.#options.port;
  }

  /** URL for S3 clients; what it takes and R2 does not, the endpoint of R2 in front of it refuses. */
  get endpoint(): string {
    return `http://${this.host}:${this.port}`;
  }

  async start(): Promise<void> {
    const { program, folder, port, accountId } = this.#options;
    const [objects, accounts] = [join(folder, "objects"), join(folder, "accounts")];
    for (const each of [objects, accounts]) mkdirSync(each, { recursive: true, mode: 0o700 });
    const starting = addressesOf(this.host).map(([name, host]) =>
      ServerProcess.start({
        title: "object storage",
        program,
        args: [
          "--port",
          `${host}:${port}`,
          "--region",
          name,
          "--iam-dir",
          accounts,
          "--iam-cache-disable",
          "--keep-alive",
          "--quiet",
          // What follows the name of a bucket in a host name starts with the account, in every jurisdiction.
          ...(accountId === undefined ? [] : ["--virtual-domain", accountId]),
          "posix",
          objects,
        ],
        env: {
          PATH: process.env["PATH"],
          HOME: folder,
          ROOT_ACCESS_KEY: this.#root.id,
          ROOT_SECRET_KEY: this.#root.secret,
        },
        cwd: folder,
        log: join(folder, "storage.log"),
        address: { host, port },
      }),
    );
    // One that did not start must not keep the other from being stopped.
    const started = await Promise.allSettled(starting);
    this.#children = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    await Promise.all(starting);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((one) => one.stop()));
  }

  async createBucket(name: string): Promise<void> {
    const { status, text } = await this.#call("PUT", `/${name}`);
    if (status !== 200 && status !== 409)
      throw new Error(`The object storage did not create the bucket ${name}: HTTP ${status} ${text}`);
  }

  async deleteBucket(name: string): Promise<boolean> {
    const { status, text } = await this.#call("DELETE", `/${name}`);
    if (status === 409) return false;
    if (status !== 204 && status !== 404)
      throw new Error(`The object storage did not delete the bucket ${name}: HTTP ${status} ${text}`);
    return true;
  }

  async uploaded(bucket: string, key: string): Promise<Date | undefined> {
    const path = pathOf(bucket, key);
    const { status, modified } = await this.#call("HEAD", path);
    if (status === 404) return undefined;
    if (status !== 200 || modified === null)
      throw new Error(`The object storage does not know ${path}: HTTP ${status}`);
    return new Date(modified);
  }

  /** Makes every object, part of an upload and bucket older. */
  age(milliseconds: number): void {
    const objects = join(this.#options.folder, "objects");
    // The folder of an object comes after what is in it, whose change it would otherwise show.
    for (const entry of readdirSync(objects, { recursive: true, withFileTypes: true }).reverse()) {
      const path = join(entry.parentPath, entry.name);
      const { atimeMs, mtimeMs } = lstatSync(path);
      lutimesSync(path, (atimeMs - milliseconds) / 1000, (mtimeMs - milliseconds) / 1000);
    }
  }

  async parts(bucket: string, key: string, upload: string): Promise<ReadonlyMap<number, number> | undefined> {
    const sizes = new Map<number, number>();
    for (let marker = "0"; ;) {
      const query = new URLSearchParams({ "max-parts": "1000", "part-number-marker": marker, uploadId: upload });
      const { status, text } = await this.#call("GET", `${pathOf(bucket, key)}?${query.toString()}`);
      if (status === 404) return undefined;
      if (status !== 200)
        throw new Error(`The object storage does not list the parts of ${bucket}/${key}: HTTP ${status} ${text}`);
      for (const [, part = ""] of text.matchAll(/<Part>(.*?)<\/Part>/gs)) {
        sizes.set(Number(/<PartNumber>(\d+)</.exec(part)?.[1]), Number(/<Size>(\d+)</.exec(part)?.[1]));
      }
      const [, next] = /<NextPartNumberMarker>(\d+)</.exec(text) ?? [];
      if (!text.includes("<IsTruncated>true<") || next === undefined || next === marker) return sizes;
      marker = next;
    }
  }

  /** Applies changes one after the other: the server refuses a policy that names a key which another change just removed. */
  setKeys(keys: readonly AccessKey[]): Promise<void> {
    const next = this.#last.catch(() => undefined).then(() => this.#writeKeys(keys));
    this.#last = next;
    return next;
  }

  async #writeKeys(keys: readonly AccessKey[]): Promise<void> {
    const accounts = Object.fromEntries(
      keys.map(({ id, secret, isAdmin = false }) => [
        id,
        { access: id, secret, role: isAdmin ? "admin" : "user", userID: 0, groupID: 0, projectID: 0 },
      ]),
    );
    const path = join(this.#options.folder, "accounts", "users.json");
    writeFileSync(`${path}.new`, JSON.stringify({ accessAccounts: accounts }), { mode: 0o600 });
    // The server reads the file at every request, so it is replaced atomically.
    renameSync(`${path}.new`, path);
    for (const bucket of await this.buckets()) await this.#setPolicy(bucket, keys);
  }

  async #setPolicy(bucket: string, keys: readonly AccessKey[]): Promise<void> {
    const statements = keys.flatMap(({ id, buckets }) => {
      const access = buckets.find(({ name }) => name === bucket);
      if (access === undefined) return [];
      const resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
      return [
        {
          Effect: "Allow",
          Principal: { AWS: [id] },
          Action: access.write ? ["s3:*"] : ["s3:GetObject", "s3:ListBucket"],
          Resource: resource,
        },
      ];
    });
    const { status, text } =
      statements.length === 0
        ? await this.#call("DELETE", `/${bucket}?policy=`)
        : await this.#call(
            "PUT",
            `/${bucket}?policy=`,
            JSON.stringify({ Version: "2012-10-17", Statement: statements }),
          );
    if (status >= 300 && status !== 404)
      throw new Error(`The object storage refused the policy of ${bucket}: HTTP ${status} ${text}`);
  }

  /** The names of all buckets. */
  async buckets(): Promise<string[]> {
    const { status, text } = await this.#call("GET", "/");
    if (status !== 200) throw new Error(`The object storage does not list its buckets: HTTP ${status} ${text}`);
    return [...text.matchAll(/<Name>([^<]+)<\/Name>/g)].map(([, name = ""]) => name);
  }

  /** Signed with this machine's time, which is that of the server. */
  async #call(method: string, path: string, body = ""): Promise<S3Answer> {
    const { url, headers } = sign(method, new URL(path, this.endpoint), body, this.#root, region, new Date());
    const response = await fetch(url, {
      method,
      headers,
      ...(body !== "" && { body }),
      signal: AbortSignal.timeout(10_000),
    });
    const { status, headers: answered } = response;
    return { status, text: await response.text(), modified: answered.get("last-modified") };
  }
}
