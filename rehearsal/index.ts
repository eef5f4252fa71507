/** The rehearsal cloud inside a program or a test: `await rehearsalCloud()`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { progressOn } from "../toolchain/src/progress.ts";
import { checkHost } from "./cloud/check-host.ts";
import { CloudClient } from "./cloud/client.ts";
import { sources } from "./cloud/commands.ts";
import { Emulator } from "./cloud/emulator.ts";
import { parseFault } from "./cloud/fault-syntax.ts";
import { isFree } from "../common/ports.ts";
import { environmentOf, makeSettings, objectsEnvironmentOf, storageAddress } from "./cloud/settings.ts";

export interface RehearsalCloudOptions {
  /**
   * `none`: only the APIs, on any host. `docker`: servers are real machines, which needs Linux, root and a Docker Engine.
   *
   * @default "none"
   */
  readonly machines?: "docker" | "none";
  /** R2's S3 interface without machines, which always have it. Needs Linux; its server is built with Go, once. @default false */
  readonly storage?: boolean;
  /** Port of the APIs on 127.0.0.1, the next one is object storage's; 0: any free ones, so that tests run side by side. @default 0 */
  readonly port?: number;
  /** Zones of the Cloudflare account, each with its plan after a colon unless it is free: `example.com:pro`. @default ["example.com"] */
  readonly zones?: readonly string[];
  /** Second number of all addresses, 1 to 254; every cloud with machines needs its own. @default a free one */
  readonly block?: number;
  /** One to eight of a-z and 0-9, in the names of containers. @default "test" */
  readonly name?: string;
  /** Writes each call and its response. @default nothing is written */
  readonly log?: (line: string) => void;
}

export interface RehearsalCloud {
  /** URL of Hetzner's API, without a slash at its end. */
  readonly hetzner: string;
  /** URL of Cloudflare's API, without a slash at its end. */
  readonly cloudflare: string;
  /** R2's S3 interface with a key for the whole account; undefined: the cloud has none. */
  readonly storage:
    | {
        readonly endpoint: string;
        readonly accessKeyId: string;
        readonly secretAccessKey: string;
        readonly region: "auto";
      }
    | undefined;
  /** Token of both APIs, with all permissions. */
  readonly token: string;
  /** The Cloudflare account. */
  readonly accountId: string;
  /** URL of the status page. */
  readonly page: string;
  /** Variables with which clients use the cloud: HCLOUD_TOKEN, HCLOUD_ENDPOINT, CLOUDFLARE_API_TOKEN, ... */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Adds a fault, in the words of `orion-rehearsal fault add`: `reply api=hetzner status=429 times=3`.
   *
   * @returns its number
   * @throws {Error} when the kind, an argument or what it is about is unknown
   */
  fault(words: string): Promise<number>;
  /** Removes one fault or all. */
  removeFault(id: number | "all"): Promise<void>;
  /** Deletes the cloud with everything in it. */
  stop(): Promise<void>;
}

/**
 * Starts a new, empty cloud in this process.
 *
 * @throws {Error} when an option is not valid, a port is taken, or what machines need is missing
 */
export async function rehearsalCloud(options: RehearsalCloudOptions = {}): Promise<RehearsalCloud> {
  const { machines = "none", storage = false, port = 0, zones = ["example.com"], name = "test", log } = options;
  if (machines === "docker") await checkHost();
  const folder = mkdtempSync(join(tmpdir(), "orion-rehearsal-"));
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const block = options.block ?? (await freeBlock());
    const made = makeSettings(folder, name, { machines, storage, zones: [...zones], block, ...(port > 0 && { port }) });
    const emulator = await Emulator.start({
      root: sources,
      folder,
      settings: { ...made, port },
      progress: progressOn(),
      log: log ?? (() => undefined),
      onDown: () => void stop(),
    });
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopped ??= emulator.destroy().finally(remove));
    return viewOf(emulator, stop);
  } catch (error) {
    remove();
    throw error;
  }
}

function viewOf(emulator: Emulator, stop: () => Promise<void>): RehearsalCloud {
  const { settings, storagePort } = emulator;
  const { token, accountId, port } = settings;
  const objects = storagePort === undefined ? {} : objectsEnvironmentOf(settings, storagePort);
  const environment: Readonly<Record<string, string>> = { ...environmentOf(settings), ...objects };
  const { AWS_ACCESS_KEY_ID: accessKeyId = "", AWS_SECRET_ACCESS_KEY: secretAccessKey = "" } = environment;
  const client = new CloudClient(settings);
  return {
    hetzner: `http://127.0.0.1:${port}/hetzner/v1`,
    cloudflare: `http://127.0.0.1:${port}/client/v4`,
    storage:
      storagePort !== undefined
        ? { endpoint: environment["AWS_ENDPOINT_URL"] ?? "", accessKeyId, secretAccessKey, region: "auto" }
        : undefined,
    token,
    accountId,
    page: `http://127.0.0.1:${port}/?token=${token}`,
    environment,
    fault: async (words) => {
      const { id } = await client.addFault(parseFault(wordsOf(words)));
      return Number(id);
    },
    removeFault: (id) => client.removeFault(id),
    stop,
  };
}

/** Words apart from each other, with quotes around a value that has spaces: `message="no luck"`. */
const wordsOf = (text: string): string[] =>
  (text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? []).map((word) => word.replace(/["']/g, ""));

/** A block of addresses in which no other cloud keeps objects. */
async function freeBlock(): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const block = 1 + Math.floor(Math.random() * 254);
    const { host, port } = storageAddress(block);
    if (await isFree(host, port)) return block;
  }
  // Not Linux: the loopback addresses of blocks do not exist, and only the APIs run.
  return 77;
}
