/**
 * Interface between the emulated Hetzner Cloud and the machines behind it. Two implementations exist: `docker` (real machines
 * in containers) and `none` (nothing runs; for the API alone and for hundreds of servers).
 *
 * Every call is idempotent and describes the desired state, so that an emulator that crashed during an action can repeat it
 * after a restart. A call resolves when the state is reached, and rejects with an Error whose message becomes that of the
 * failed action.
 */

/** One server, as its machine needs it. */
export interface MachineSpec {
  readonly id: number;
  /** Host name. */
  readonly name: string;
  /** Public IPv4 address on loopback, `127.77.0.n`; undefined: only a private network. */
  readonly publicAddress: string | undefined;
  /** Name of a system image, such as `debian-12`. */
  readonly image: string;
  readonly userData: string;
  /** OpenSSH public keys for root. */
  readonly sshKeys: readonly string[];
  /** undefined: root logs in with a key only. */
  readonly rootPassword: string | undefined;
  /** Cores of the server type; may be a fraction of the host's. */
  readonly cores: number;
  /** Memory of the server type in GB. */
  readonly memoryGb: number;
  /** Changes with every create and rebuild, so that cloud-init runs again. */
  readonly instanceId: string;
}

/** A server's interface in a private network. */
export interface NetworkInterface {
  readonly networkId: number;
  /** CIDR of the whole network, for example 10.20.0.0/16. */
  readonly range: string;
  readonly address: string;
  readonly aliasAddresses: readonly string[];
}

/** One rule in Hetzner's terms; addresses are CIDRs. Inbound packets need a rule; outbound ones are allowed if there are no outbound rules. */
export interface FirewallRule {
  readonly direction: "in" | "out";
  readonly protocol: "tcp" | "udp" | "icmp" | "esp" | "gre";
  /** `80` or `80-85`; undefined for protocols without ports. */
  readonly port: string | undefined;
  /** Sources (in) or destinations (out). */
  readonly addresses: readonly string[];
}

export interface VolumeSpec {
  readonly id: number;
  readonly sizeGb: number;
  /** File system to create when the Volume has none. */
  readonly format: "ext4" | "xfs" | undefined;
}

/** A load balancer with targets resolved to addresses that its machine can reach. */
export interface BalancerSpec {
  readonly id: number;
  readonly publicAddress: string | undefined;
  readonly networks: readonly NetworkInterface[];
  readonly algorithm: "round_robin" | "least_connections";
  readonly services: readonly BalancerService[];
  readonly targets: readonly BalancerTarget[];
}

export interface BalancerService {
  readonly protocol: "tcp" | "http" | "https";
  readonly listenPort: number;
  readonly destinationPort: number;
  readonly proxyProtocol: boolean;
  /** PEM chains with their keys; only https. */
  readonly certificates: readonly string[];
  readonly redirectHttp: boolean;
  /** Sticky sessions: the cookie's name and its lifetime in seconds. */
  readonly cookie: { readonly name: string; readonly lifetime: number } | undefined;
  /** Seconds without traffic after which a connection ends; undefined for tcp. */
  readonly timeoutIdle: number | undefined;
  readonly healthCheck: {
    readonly protocol: "tcp" | "http";
    readonly port: number;
    /** Seconds. */
    readonly interval: number;
    /** Seconds. */
    readonly timeout: number;
    readonly retries: number;
    readonly http:
      | {
          readonly domain: string;
          readonly path: string;
          readonly response: string;
          /** `200` or `2??`. */
          readonly statusCodes: readonly string[];
          readonly tls: boolean;
        }
      | undefined;
  };
}

export interface BalancerTarget {
  /** Stable name, for example `server-12` or `ip-10.20.1.5`. */
  readonly name: string;
  readonly address: string;
}

export type Health = "healthy" | "unhealthy" | "unknown";

export interface Machines {
  readonly kind: "docker" | "none";

  /** Creates the machine with an empty disk (an existing one with another `instanceId` is wiped) and starts it when `running`. */
  create(spec: MachineSpec, running: boolean): Promise<void>;
  /** Presses the power button: on. */
  powerOn(id: number): Promise<void>;
  /** Cuts the power: every process ends at once, and what was not written through to a Volume is lost. */
  powerOff(id: number): Promise<void>;
  /** Asks the operating system to shut down (ACPI); resolves when it is off, rejects when it is not within `seconds`. */
  shutdown(id: number, seconds: number): Promise<void>;
  /** Whether the machine is powered on. */
  isRunning(id: number): Promise<boolean>;
  /** Deletes machine and disk; Volumes stay. */
  delete(id: number): Promise<void>;
  /** New limits after a change of the server type. */
  resize(id: number, cores: number, memoryGb: number): Promise<void>;
  /** Sets the private interfaces of the machine; others are removed. Works while it runs. */
  setNetworks(id: number, interfaces: readonly NetworkInterface[]): Promise<void>;
  /** The rules of every firewall that applies; undefined: no firewall, everything on the public address is open. */
  setFirewall(id: number, rules: readonly FirewallRule[] | undefined): Promise<void>;
  /** Gives the machine another public address, or none. */
  setPublicAddress(id: number, address: string | undefined): Promise<void>;

  createNetwork(id: number, range: string): Promise<void>;
  deleteNetwork(id: number): Promise<void>;

  createVolume(volume: VolumeSpec): Promise<void>;
  resizeVolume(id: number, sizeGb: number): Promise<void>;
  deleteVolume(id: number): Promise<void>;
  /** The device appears as /dev/disk/by-id/scsi-0HC_Volume_<id>; with `automount` it is mounted at /mnt/HC_Volume_<id>. */
  attachVolume(id: number, serverId: number, automount: boolean): Promise<void>;
  /** Unmounts if possible and removes the device. */
  detachVolume(id: number, serverId: number): Promise<void>;

  /** Creates or changes the load balancer without dropping a connection. */
  setBalancer(spec: BalancerSpec): Promise<void>;
  /** Health by `<target name>:<listen port>`. */
  balancerHealth(id: number): Promise<Readonly<Record<string, Health>>>;
  deleteBalancer(id: number): Promise<void>;

  /** Drops every packet between two servers, or lets them pass again. */
  setPartition(serverA: number, serverB: number, partitioned: boolean): Promise<void>;

  /** Makes the server's boot hang from its next start on, or lets it boot again. */
  setNeverBoots(id: number, never: boolean): Promise<void>;
  /** Fills the file system of a mounted Volume, or frees the space again. */
  setVolumeFull(id: number, serverId: number, full: boolean): Promise<void>;

  /** Removes every machine, network, Volume, balancer and packet filter rule that this cloud made. */
  destroyAll(): Promise<void>;
}
