/** Builds the Debian base image for equivalents and for the rehearsal cloud's servers. */
import { createWriteStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Run, runSync, StartError } from "../process.ts";
import { contextFiles, type ContextFile, hashOf } from "./context.ts";
import { type DebianPlan, readDebianPlan, rootfsFacts, startBootstrap } from "./debian.ts";
import { buildFailure, buildImage, type BuildTools } from "./docker-build.ts";
import { inputsLabel, localImages } from "./engine.ts";

export class DebianBase {
  readonly #root: string;
  readonly #buildTools: BuildTools;
  #debian: Debian | undefined;
  #made: Promise<string> | undefined;

  /** @param root Folder of the project. */
  constructor(root: string, buildTools: BuildTools) {
    this.#root = root;
    this.#buildTools = buildTools;
  }

  /** Hash of everything that determines the base: its files, this machine's package sources and authorities. */
  inputs(): string {
    return this.#plan().baseHash;
  }

  /**
   * Reference of the base image; built when it is missing.
   *
   * @throws Error when mmdebstrap is missing and cannot be installed, or with the end of the log when a build fails.
   */
  reference(): Promise<string> {
    this.#made ??= this.#make();
    return this.#made;
  }

  async #make(): Promise<string> {
    const { runner } = this.#buildTools;
    const { plan, baseFiles, rootfsHash, baseHash } = this.#plan();
    const rootfs = `orion/debian-rootfs:${rootfsHash.slice(0, 12)}`;
    const base = `orion/debian:${baseHash.slice(0, 12)}`;
    const present = await localImages(runner, [rootfs, base]);
    if (present.has(base)) return base;
    if (!present.has(rootfs)) {
      await requireBootstrap(runner);
      await importRootfs(this.#buildTools, plan, rootfs);
    }
    await buildImage(this.#buildTools, {
      title: "debian",
      reference: base,
      files: baseFiles,
      args: { ROOTFS: rootfs },
      labels: { [inputsLabel]: baseHash },
    });
    return base;
  }

  #plan(): Debian {
    if (!this.#debian) {
      const plan = readDebianPlan(aptConfiguration());
      const rootfsHash = hashOf([], ...rootfsFacts(plan));
      const baseFiles = [
        ...contextFiles(join(this.#root, "images/equivalents/debian")),
        ...plan.authorities,
        { ...emptyFile, path: "authorities/.keep" },
      ];
      this.#debian = { plan, baseFiles, rootfsHash, baseHash: hashOf(baseFiles, rootfsHash) };
    }
    return this.#debian;
  }
}

interface Debian {
  readonly plan: DebianPlan;
  readonly baseFiles: readonly ContextFile[];
  readonly rootfsHash: string;
  readonly baseHash: string;
}

/** Keeps a folder in the build context when it has no other file. */
const emptyFile = { content: Buffer.alloc(0), kind: "file" } as const;

function aptConfiguration(): string {
  try {
    return runSync("apt-config", ["dump"]).stdout;
  } catch (error) {
    // Without apt on this machine there are no settings to pass on.
    if (error instanceof StartError) return "";
    throw error;
  }
}

/** Makes sure that mmdebstrap is installed: as root it is installed, otherwise the error says what to do. */
async function requireBootstrap(runner: Run): Promise<void> {
  const works = async (program: string, ...args: string[]) =>
    (await runner(program, args, { environment: { DEBIAN_FRONTEND: "noninteractive" } })).code === 0;
  if (await works("mmdebstrap", "--version")) return;
  const install = ["install", "--yes", "--no-install-recommends", "mmdebstrap"];
  if (process.getuid?.() === 0) {
    if (await works("apt-get", ...install)) return;
    if ((await works("apt-get", "update")) && (await works("apt-get", ...install))) return;
  }
  throw new Error(
    "the official images cannot be pulled from any registry, and building their equivalents needs mmdebstrap.\n" +
      "Give this machine access to docker.io, or name a registry that it can reach (orion:images.registry),\n" +
      "or install mmdebstrap on Debian or Ubuntu: sudo apt-get install mmdebstrap",
  );
}

async function importRootfs({ runner, logs }: BuildTools, plan: DebianPlan, reference: string): Promise<void> {
  mkdirSync(logs, { recursive: true });
  const log = join(logs, "debian-rootfs.log");
  const file = createWriteStream(log);
  const bootstrap = startBootstrap(plan);
  let tail = "";
  bootstrap.stderr.on("data", (chunk: Buffer) => {
    tail = (tail + chunk.toString("utf8")).slice(-8192);
    file.write(chunk);
  });
  const ended = new Promise<number>((resolve, reject) => {
    bootstrap.on("error", reject);
    bootstrap.on("close", (code) => {
      resolve(code ?? 1);
    });
  });
  const [code, imported] = await Promise.all([ended, runner("docker", ["import", "-"], { input: bootstrap.stdout })]);
  file.end();
  const id = imported.stdout.trim();
  if (code !== 0) {
    // The output before the failure is an incomplete image: remove it.
    if (id) await runner("docker", ["image", "rm", id]);
    throw buildFailure("debian-rootfs", { code, output: tail }, log);
  }
  if (imported.code !== 0) throw buildFailure("debian-rootfs", imported, log);
  await runner("docker", ["tag", id, reference]);
}
