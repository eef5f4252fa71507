/** Servers of Redis with the program's own files, in containers of this machine; for tests and benches. */
import { spawnSync } from "node:child_process";
import { run } from "../common/process.ts";
import { redisDirectory, redisFile, redisMonitor } from "../common/redis-contract.ts";
import {
  certificateFiles,
  groupFiles,
  type RedisSecrets,
  secretFiles,
  settingFiles,
} from "../components/cache/redis-files.ts";
import type { GroupMember } from "../components/cache/redis-group.ts";
import { reloadCommand } from "../components/cache/redis-scripts.ts";
import { type OfficialImage, officialImages, type OwnImage } from "../config/images.ts";
import { dockerBy } from "../plugin/docker.ts";
import { writeLiveFiles } from "../plugin/live-files.ts";
import { signed, type SignedCertificate } from "./certificate.ts";
import { eventually } from "./eventually.ts";
import { docker } from "./sandbox.ts";
import { temporaryFolder } from "./folder.ts";

export const labPasswords = {
  app: "app-password",
  worker: "w-password",
  flower: "f-password",
  monitor: "m-password",
  admin: "a-password",
};
/** The one password of the version without users. */
export const formerPassword = "former-password";

export type RedisChange = Partial<Omit<RedisSecrets, "passwords">> & {
  readonly maxMemoryMb?: number;
  readonly member?: GroupMember;
};

export interface RanInside {
  readonly code: number | null;
  /** Without white space at its ends. */
  readonly output: string;
}

export class RedisLab {
  /** Begins the names of all that it makes. */
  readonly prefix: string;
  readonly folder = temporaryFolder("redis");

  /** @param network options of its network, as Docker's command line takes them */
  constructor(prefix: string, ...network: readonly string[]) {
    this.prefix = prefix;
    this.must(["network", "create", ...network, prefix]);
  }

  named(name: string): string {
    return `${this.prefix}-${name}`;
  }

  /** Runs docker. @throws {Error} with its output when it fails */
  must(args: readonly string[]): string {
    const { code, output } = runDocker(args);
    if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${output}`);
    return output;
  }

  /** Starts a container in the lab's network. */
  start(name: string, ...args: readonly string[]): void {
    const network = args.includes("--network") ? [] : ["--network", this.prefix];
    this.must(["run", "--detach", "--init", "--pull", "never", ...network, "--name", this.named(name), ...args]);
  }

  inside(name: string, command: readonly string[], input = ""): RanInside {
    return runDocker(["exec", "--interactive", this.named(name), ...command], input);
  }

  /** A user's commands in the server's container, one answer a line. */
  as(server: string, user: string, password: string, ...commands: string[]): string[] {
    const login = `REDISCLI_AUTH=${password} exec redis-cli -s /dev/shm/redis.sock --user ${user}`;
    const { output } = this.inside(server, ["sh", "-c", login], `${commands.join("\n")}\n`);
    return output.split("\n").filter((line, at) => line !== "" || at === 0);
  }

  /** A certificate that an authority of the lab signs. */
  certify(name: string, names: string, authority = name): SignedCertificate {
    return signed(this.folder, name, names, authority);
  }

  /** Writes a server's live files as an update does. @param files that replace some of them */
  async write(
    server: string,
    { maxMemoryMb = 64, member, ...change }: RedisChange,
    files: Record<string, string> = {},
  ) {
    const secrets: RedisSecrets = { use: "broker", passwords: labPasswords, formerPassword, ...change };
    const { use, tls } = secrets;
    const texts = Object.entries({ ...secretFiles, ...(tls && certificateFiles), ...(member && groupFiles) });
    await writeLiveFiles(
      {
        ...{
          dockerHost: "unix:///var/run/docker.sock",
          volume: this.named(`${server}-files`),
          directory: redisDirectory,
        },
        ...{ image: officialImages.redis, readableByGroupOf: "/data", check: ["sh", "{}/check", "{}"] },
        files: {
          ...settingFiles({ use, maxMemoryMb, tls: tls !== undefined, member }),
          ...Object.fromEntries(texts.map(([name, textOf]) => [name, textOf(secrets)])),
          ...files,
        },
        ...{ container: this.named(server), reload: [...reloadCommand] },
      },
      dockerBy(run),
    );
  }

  /** Starts a server with the files of {@link write}, and waits for its answer. */
  async startRedis(server: string, ...options: readonly string[]): Promise<void> {
    const data = ["--volume", `${this.named(`${server}-data`)}:/data`];
    const files = ["--volume", `${this.named(`${server}-files`)}:${redisDirectory}:ro`];
    this.start(server, ...options, ...data, ...files, officialImages.redis, "sh", redisFile("start"));
    await eventually(() => {
      const { output } = this.inside(server, [...redisMonitor.split(" "), "ping"]);
      if (output !== "PONG") throw new Error(`${server}: ${output}`);
    });
  }

  /** Removes all containers, volumes and the network. */
  dispose(): void {
    const filter = ["--filter", `name=${this.prefix}`];
    for (const name of docker("ps", "--all", ...filter, "--format", "{{.Names}}"))
      docker("rm", "--force", "--volumes", name);
    for (const name of docker("volume", "ls", ...filter, "--format", "{{.Name}}")) docker("volume", "rm", name);
    docker("network", "rm", this.prefix);
  }
}

/** The sample application's image; it and others are built if they are missing. */
export const sampleImage = (...more: readonly OfficialImage[]): string =>
  imagesOf("app", "redis", ...more)("sample-app");

/**
 * Builds images that are missing.
 *
 * @returns the reference of one of the platform's own, by its name in config/images.ts. @throws {Error} when it is not one of them
 */
export function imagesOf(...names: readonly (OfficialImage | OwnImage)[]): (own: string) => string {
  const { stdout, stderr } = spawnSync("node", ["images/build.ts", ...names], { encoding: "utf8" });
  return (own) => {
    const [, image] = new RegExp(`^(orion/${own}:\\S+)`, "m").exec(stdout) ?? [];
    if (image === undefined) throw new Error(stdout + stderr);
    return image;
  };
}

function runDocker(args: readonly string[], input = ""): RanInside {
  const { status, stdout, stderr } = spawnSync("docker", args, { encoding: "utf8", input });
  return { code: status, output: (stdout + stderr).trim() };
}
