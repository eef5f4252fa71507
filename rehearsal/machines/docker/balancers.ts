/** Runs load balancers as HAProxy containers, and reads the health of their targets. */
import { connect } from "node:net";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { BalancerSpec, Health } from "../machines.ts";
import { docker, dockerUnless } from "./docker.ts";
import { setPrivateAddresses } from "./guest.ts";
import { balancerFolder, certificateFile, haproxyConfig } from "./haproxy-config.ts";
import type { Naming } from "./naming.ts";
import type { Networks } from "./networks.ts";
import type { PacketFilter } from "./packet-filter.ts";

export interface BalancersOptions {
  readonly names: Naming;
  readonly folder: string;
  readonly networks: Networks;
  readonly filter: PacketFilter;
  /** Name of HAProxy's image. */
  readonly image: () => Promise<string>;
}

export class Balancers {
  readonly #options: BalancersOptions;

  constructor(options: BalancersOptions) {
    this.#options = options;
  }

  async set(spec: BalancerSpec): Promise<void> {
    const { names, networks, filter } = this.#options;
    const container = names.balancer(spec.id);
    const changed = this.#write(spec);
    const isThere = (await docker("ps", "--all", "--quiet", "--filter", `name=^${container}$`)) !== "";
    if (!isThere) await this.#create(spec);
    await networks.connect(container, spec.publicAddress, spec.networks);
    await filter.expose("balancer", spec.id, spec.publicAddress);
    await dockerUnless(/already/, "start", container);
    const networkOf = (network: number) => names.privateNetwork(network);
    await setPrivateAddresses(container, spec.networks, spec.publicAddress !== undefined, networkOf);
    // A graceful reload: the old process finishes its requests, the new one takes new connections.
    if (isThere && changed) await docker("kill", "--signal", "USR2", container);
  }

  async health(id: number): Promise<Readonly<Record<string, Health>>> {
    const socket = join(this.#folder(id), "admin.sock");
    if (!existsSync(socket)) return {};
    return healthIn(await ask(socket, "show stat -1 4 -1\n").catch(() => ""));
  }

  async delete(id: number): Promise<void> {
    const { names, networks, filter } = this.#options;
    const container = names.balancer(id);
    await dockerUnless(/No such container/, "rm", "--force", container);
    await filter.expose("balancer", id, undefined);
    await networks.prune();
    rmSync(this.#folder(id), { recursive: true, force: true });
  }

  async #create(spec: BalancerSpec): Promise<void> {
    const { names, image } = this.#options;
    const container = names.balancer(spec.id);
    await docker(
      ...["create", "--name", container, "--hostname", `lb-${spec.id}`, "--label", names.label],
      ...["--network", "none", "--restart", "unless-stopped", "--memory", "256m"],
      ...["--volume", `${this.#folder(spec.id)}:${balancerFolder}`, await image()],
    );
    await docker("network", "disconnect", "none", container);
  }

  /** Writes configuration and certificates. @returns whether a file changed */
  #write(spec: BalancerSpec): boolean {
    const { names } = this.#options;
    const folder = this.#folder(spec.id);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const reachable = (address: string) =>
      address.startsWith(`127.${names.block}.`) ? names.behind(address).host : address;
    const files = new Map(
      spec.services.flatMap((service) =>
        service.certificates.map((pem, index) => [certificateFile(service, index), pem] as const),
      ),
    );
    files.set("haproxy.cfg", haproxyConfig(spec, reachable));
    let changed = false;
    for (const [name, text] of files) {
      const path = join(folder, name);
      if (existsSync(path) && readFileSync(path, "utf8") === text) continue;
      writeFileSync(`${path}.new`, text, { mode: 0o600 });
      renameSync(`${path}.new`, path);
      changed = true;
    }
    for (const name of readdirSync(folder).filter((one) => one.endsWith(".pem") && !files.has(one))) {
      rmSync(join(folder, name));
    }
    chmodSync(folder, 0o755);
    return changed;
  }

  #folder(id: number): string {
    return join(this.#options.folder, "balancers", String(id));
  }
}

const states: Readonly<Record<string, Health>> = { UP: "healthy", DOWN: "unhealthy" };

/** Parses the output of HAProxy's `show stat` into health by `<target>:<listen port>`. */
export function healthIn(csv: string): Readonly<Record<string, Health>> {
  const [head = "", ...rows] = csv.replace(/^# /, "").trim().split("\n");
  const columns = head.split(",");
  const at = (name: string) => columns.indexOf(name);
  const [backend, server, status, check] = [at("pxname"), at("svname"), at("status"), at("check_status")];
  const pairs = rows
    .map((row) => row.split(","))
    .flatMap((row): [string, Health][] => {
      const [, port] = /^targets_(\d+)$/.exec(row[backend] ?? "") ?? [];
      const state = (row[status] ?? "").replace(/ \d+\/\d+$/, "");
      // HAProxy reports a target as healthy until its first check has ended.
      const isChecked = !/^(\* )?(INI)?$/.test(row[check] ?? "");
      return port === undefined
        ? []
        : [[`${row[server]}:${port}`, isChecked ? (states[state] ?? "unknown") : "unknown"]];
    });
  return Object.fromEntries(pairs);
}

/** Sends one command to HAProxy's admin socket. */
function ask(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(text));
    let answer = "";
    socket.setEncoding("utf8").setTimeout(2000, () => socket.destroy(new Error("HAProxy did not answer within 2 s")));
    socket.on("data", (part: string) => (answer += part));
    socket.once("error", reject);
    socket.once("end", () => {
      resolve(answer);
    });
  });
}
