/** The rehearsal's R2 with one bucket under its own name and over TLS, where containers of this machine reach it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { freePort } from "../common/ports.ts";
import { must } from "../common/process.ts";
import { Edge, type EdgeOptions } from "../rehearsal/cloudflare/edge/edge.ts";
import { accessKeys } from "../rehearsal/cloudflare/objects/keys.ts";
import { R2Endpoint } from "../rehearsal/cloudflare/objects/r2-endpoint.ts";
import type { S3Server } from "../rehearsal/cloudflare/objects/s3-server.ts";
import { addBucket } from "../rehearsal/cloudflare/r2.ts";
import type { CloudflareObjects } from "../rehearsal/cloudflare/state.ts";
import { World } from "../rehearsal/cloudflare/world.ts";
import { Store } from "../rehearsal/store.ts";
import { bridgeAddress } from "./bridge-address.ts";
import { temporaryFolder } from "./folder.ts";
import { type R2StoreOptions, startS3 } from "./r2-store.ts";

const accountId = "0".repeat(32);
type Ports = NonNullable<EdgeOptions["ports"]>;
const host = `${accountId}.r2.cloudflarestorage.com`;

export class SecureR2 {
  readonly #bucket: string;
  readonly #folder: string;
  readonly #s3: S3Server;
  readonly #edge: Edge;
  readonly #world: World;
  readonly #port: number;
  /** This machine's address in Docker's network, where it listens. */
  readonly address: string;
  /** Options of `docker run` for a container that is to find it by its name, which no name server knows. */
  readonly known: readonly string[];
  /** As long as this is true, it answers every request with 503. */
  refuses = false;

  private constructor(bucket: string, folder: string, s3: S3Server, address: string, ports: Ports) {
    [this.#bucket, this.#folder, this.#s3, this.#port] = [bucket, folder, s3, ports.https];
    this.address = address;
    const store = new Store<CloudflareObjects>(":memory:");
    this.#world = new World({ store, token: "any", accountId, now: () => new Date() });
    const r2 = new R2Endpoint({ world: this.#world, storage: s3, port: 0 });
    const serve = (request: IncomingMessage, response: ServerResponse) =>
      this.refuses ? refuse(request, response) : r2.serve(request, response);
    this.#edge = new Edge({ world: this.#world, address, ports, objects: { serve } });
    this.known = ["--add-host", `${host}:${address}`];
  }

  /** The S3 server behind it may have to be built first, which takes minutes. */
  static async start({ root, bucket }: Pick<R2StoreOptions, "root" | "bucket">): Promise<SecureR2> {
    const address = bridgeAddress();
    const ports = { https: await freePort(), http: await freePort() };
    const folder = temporaryFolder("objects");
    const s3 = await startS3({ root, folder, accountId });
    const r2 = new SecureR2(bucket, folder, s3, address, ports);
    await r2.#edge.start();
    await s3.createBucket(bucket);
    addBucket(r2.#world, bucket, "default");
    await s3.setKeys(accessKeys(r2.#world));
    return r2;
  }

  /** What S3 clients need. */
  get store() {
    const { id: accessKeyId, secret: secretAccessKey } = this.#world.ownerKey;
    return { bucket: this.#bucket, endpoint: `https://${host}:${this.#port}`, accessKeyId, secretAccessKey };
  }

  /** Certificate in PEM of the authority that clients must trust. */
  authority = (): Promise<string> => this.#edge.authority();

  /** Bytes of the objects whose names begin with a folder. */
  async size(folder: string): Promise<number> {
    const path = join(this.#folder, "objects", this.#bucket, folder);
    return Number.parseInt(await must("du", ["--summarize", "--bytes", path]));
  }

  async stop(): Promise<void> {
    await this.#edge.stop();
    await this.#s3.stop();
  }
}

function refuse(request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  response.writeHead(503, { "content-type": "application/xml" });
  response.end("<Error><Code>ServiceUnavailable</Code><Message>Please try again.</Message></Error>");
  return Promise.resolve();
}
