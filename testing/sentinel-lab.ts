/** A master of Redis with two replicas and three Sentinels, with the program's own files, in containers of this machine. */
import { redisDirectory, sentinelDirectory, sentinelFile, sentinelMonitor } from "../common/redis-contract.ts";
import { run } from "../common/process.ts";
import type { GroupMember, RedisGroup } from "../components/cache/redis-group.ts";
import { sentinelData, type SentinelLogin } from "../components/cache/sentinel-config.ts";
import { sentinelSecretFiles, sentinelSettingFiles } from "../components/cache/sentinel-files.ts";
import { officialImages } from "../config/images.ts";
import { dockerBy } from "../plugin/docker.ts";
import { writeLiveFiles } from "../plugin/live-files.ts";
import { redisPorts } from "../topology/services/redis.ts";
import { sentinelPorts } from "../topology/services/sentinel.ts";
import { eventually } from "./eventually.ts";
import { GatewayLab } from "./gateway-lab.ts";
import { labPasswords } from "./redis-lab.ts";

/** The servers of the group, the first master at the beginning. */
export const labServers = ["one", "two", "three"] as const;
export type LabServer = (typeof labServers)[number];

const sentinelPasswords: Readonly<Record<SentinelLogin, string>> = {
  ...{ peer: "peer-password", server: "server-password", gateway: "gateway-password" },
  ...{ monitor: "s-monitor-password", admin: "s-admin-password" },
};
const roles = { replica: "replica-password", sentinel: "sentinel-password" };

const authority = "lab";

export class SentinelLab extends GatewayLab {
  readonly #network: string;

  /** @param network the first three bytes of a network that is free on this machine */
  constructor(prefix: string, network: string) {
    super(prefix, "--subnet", `${network}.0/24`);
    this.#network = network;
  }

  addressOf(server: LabServer, what: "redis" | "sentinel" = "redis"): string {
    return `${this.#network}.${(what === "redis" ? 11 : 21) + labServers.indexOf(server)}`;
  }

  get group(): RedisGroup {
    return {
      ...{ name: "broker", first: { host: this.addressOf("one"), port: redisPorts.tls } },
      sentinels: labServers.map((one) => ({ host: this.addressOf(one, "sentinel"), port: sentinelPorts.sentinel })),
    };
  }

  /** Writes a server's files, as one of the group or on its own. */
  async writeServer(server: LabServer, inGroup: boolean, maxMemoryMb = 64): Promise<void> {
    const tls = this.certify(server, `DNS:${server},IP:${this.addressOf(server)}`, authority);
    const own = { host: this.addressOf(server), port: redisPorts.tls };
    const member: GroupMember = { group: this.group, own };
    const more = inGroup ? { member, roles, serverPassword: sentinelPasswords.server } : {};
    await this.write(server, { tls, maxMemoryMb, ...more });
  }

  async startServer(server: LabServer): Promise<void> {
    await this.startRedis(server, "--ip", this.addressOf(server));
  }

  /** Writes a Sentinel's files; one that runs starts again with them. */
  async writeSentinel(server: LabServer): Promise<void> {
    const name = `sentinel-${server}`;
    const groups = [this.group];
    const secrets = {
      ...{ groups, passwords: sentinelPasswords, roles: { [this.group.name]: roles.sentinel } },
      tls: this.certify(name, `DNS:${name},IP:${this.addressOf(server, "sentinel")}`, authority),
    };
    const own = { host: this.addressOf(server, "sentinel"), port: sentinelPorts.sentinel };
    await writeLiveFiles(
      {
        ...{
          dockerHost: "unix:///var/run/docker.sock",
          volume: this.named(`${name}-files`),
          directory: sentinelDirectory,
        },
        ...{ image: officialImages.redis, readableByGroupOf: sentinelData, check: ["sh", "{}/check", "{}"] },
        files: {
          ...sentinelSettingFiles(groups, own),
          ...Object.fromEntries(Object.entries(sentinelSecretFiles).map(([file, textOf]) => [file, textOf(secrets)])),
        },
        ...{ container: this.named(name), reload: ["sh", sentinelFile("reload")] },
      },
      dockerBy(run),
    );
  }

  async startSentinel(server: LabServer): Promise<void> {
    const name = `sentinel-${server}`;
    const volumes = [
      ...["--volume", `${this.named(`${name}-data`)}:${sentinelData}`],
      ...["--volume", `${this.named(`${name}-files`)}:${sentinelDirectory}:ro`],
    ];
    const capabilities = ["CHOWN", "DAC_OVERRIDE", "KILL", "SETGID", "SETUID"].flatMap((one) => ["--cap-add", one]);
    this.start(
      name,
      ...[
        "--ip",
        this.addressOf(server, "sentinel"),
        "--restart",
        "unless-stopped",
        "--read-only",
        "--cap-drop",
        "ALL",
        ...capabilities,
        ...volumes,
      ],
      ...[officialImages.redis, "sh", sentinelFile("start")],
    );
    await eventually(() => {
      const { output } = this.inside(name, [...sentinelMonitor.split(" "), "ping"]);
      if (output !== "PONG") throw new Error(`${name}: ${output}`);
    });
  }

  /** The master by the majority of the Sentinels; undefined without one. @param asker the server that asks them */
  master(asker: LabServer): LabServer | undefined {
    const { output } = this.inside(asker, ["sh", `${redisDirectory}/current/master`, this.group.name]);
    return labServers.find((one) => output === `${this.addressOf(one)} ${redisPorts.tls}`);
  }

  /** Writes the files of a gateway that follows the Sentinels. */
  async followSentinels(): Promise<void> {
    const servers = labServers.map((name) => ({
      ...{ name, address: `${this.addressOf(name)}:${redisPorts.tls}`, certificateName: name },
    }));
    const sentinels = labServers.map((one) => ({
      name: `sentinel-${one}`,
      address: { host: this.addressOf(one, "sentinel"), port: sentinelPorts.sentinel },
    }));
    const monitor = { broker: labPasswords.monitor };
    await this.writeGateway([{ port: "broker", check: "redis", servers, sentinels }], {
      ...{ sentinel: sentinelPasswords.gateway, monitor },
    });
  }
}
