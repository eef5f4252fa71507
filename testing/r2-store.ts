/** One bucket at R2's S3 interface, with a real S3 server behind it: for tests of programs that store objects at R2. */
import { R2Endpoint } from "../rehearsal/cloudflare/objects/r2-endpoint.ts";
import { S3Server } from "../rehearsal/cloudflare/objects/s3-server.ts";
import type { CloudflareObjects } from "../rehearsal/cloudflare/state.ts";
import { World } from "../rehearsal/cloudflare/world.ts";
import { ensureProgram, storage as storageProgram } from "../rehearsal/programs/programs.ts";
import { Store } from "../rehearsal/store.ts";
import { freePort } from "../common/ports.ts";

export interface R2StoreOptions {
  /** Folder of the project. */
  readonly root: string;
  /** Folder for the objects. */
  readonly folder: string;
  readonly bucket: string;
  /** The key that may read and write the bucket. */
  readonly access: { readonly id: string; readonly secret: string };
}

/**
 * Starts an S3 server as R2 has it behind it; it may have to be built first, which takes minutes.
 *
 * @param options `accountId`: clients call it by R2's host name of this account
 */
export async function startS3({
  root,
  folder,
  ...names
}: Pick<R2StoreOptions, "root" | "folder"> & { readonly accountId?: string }): Promise<S3Server> {
  const program = await ensureProgram(storageProgram, { root });
  const server = new S3Server({ program, folder, port: await freePort(), token: "any", ...names });
  await server.start();
  return server;
}

export class R2Store {
  readonly #server: S3Server;
  readonly #r2: R2Endpoint;

  private constructor(server: S3Server, r2: R2Endpoint) {
    this.#server = server;
    this.#r2 = r2;
  }

  /** The S3 server may have to be built first, which takes minutes. */
  static async start({ root, folder, bucket, access }: R2StoreOptions): Promise<R2Store> {
    const server = await startS3({ root, folder });
    await server.createBucket(bucket);
    await server.setKeys([{ ...access, buckets: [{ name: bucket, write: true }] }]);
    const store = new Store<CloudflareObjects>(":memory:");
    const world = new World({ store, token: "any", accountId: "0".repeat(32), now: () => new Date() });
    const r2 = new R2Endpoint({ world, storage: server, port: await freePort() });
    await r2.start();
    return new R2Store(server, r2);
  }

  /** On 127.0.0.1. */
  get port(): number {
    return this.#r2.port;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    await this.#r2.stop();
    await this.#server.stop();
  }
}
