/** Where the services of a lab are, and how their clients reach them: on this machine, or on the Internet of a rehearsal cloud. */
import { freePort } from "../common/ports.ts";
import { Naming } from "../rehearsal/machines/docker/naming.ts";
import { numberOf, textOf } from "../rehearsal/hetzner/addresses.ts";
import { isRecord } from "../common/record.ts";
import { bridgeAddress } from "./bridge-address.ts";
import type { RehearsalCloud } from "./cloud.ts";

export interface Reachable {
  /** Options of `docker run`. */
  readonly options: readonly string[];
  readonly host: string;
  readonly port: number;
}

export interface LabPlace {
  /** Options of `docker network create` for the lab's own network. */
  readonly network: readonly string[];
  /** The names in the services' certificate, as OpenSSL writes them. */
  readonly certified: string;
  /**
   * Makes a place for a service.
   *
   * @param port that its container listens on
   */
  readonly give: (service: string, port: number) => Promise<Reachable>;
}

/** Containers publish on the address of Docker's bridge, where containers of this machine reach them. */
export function onBridge(): LabPlace {
  const host = bridgeAddress();
  return {
    network: [],
    certified: `IP:${host},DNS:localhost`,
    give: async (_, port) => {
      const free = await freePort();
      return { options: ["--publish", `${host}:${free}:${port}`], host, port: free };
    },
  };
}

/** The zone of the provider, which a rehearsal cloud must have; its records name the services. */
export const providerZone = "provider.example";

/** The first address of a service; those before it are the network's own. */
const firstAddress = 10;

/**
 * The services have addresses and names of their own, at which the cloud's servers reach them over their public network. This
 * machine's other containers do not reach them, and they reach nobody. They go with the cloud.
 */
export function onInternet(cloud: RehearsalCloud): LabPlace {
  const { instance, block } = cloud.settings;
  const names = new Naming(instance, block);
  const [range = ""] = names.internetRange.split("/");
  let next = firstAddress;
  return {
    network: ["--label", names.label],
    certified: `DNS:*.${providerZone}`,
    give: async (service, port) => {
      const address = textOf((numberOf(range) ?? 0) + next++);
      const host = `${service}.${providerZone}`;
      await record(cloud, host, address);
      return { options: ["--network", names.internet, "--ip", address, "--label", names.label], host, port };
    },
  };
}

async function record(cloud: RehearsalCloud, name: string, content: string): Promise<void> {
  const { body } = await cloud.call("GET", `/client/v4/zones?name=${providerZone}`);
  const [zone] = Array.isArray(body["result"]) ? body["result"].filter(isRecord) : [];
  const path = `/client/v4/zones/${String(zone?.["id"])}/dns_records`;
  const { status, body: said } = await cloud.call("POST", path, { type: "A", name, content, ttl: 60, proxied: false });
  if (status !== 200) throw new Error(`${name}: ${status} ${JSON.stringify(said)}`);
}
