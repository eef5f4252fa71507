/** Types of the objects that the emulated Hetzner Cloud stores: the desired state that machines are converged to. */
import type { Store } from "../store.ts";
import type { Service } from "./balancer-services.ts";

export type Labels = Readonly<Record<string, string>>;

/** Fields that every resource has. */
export interface Named {
  readonly id: number;
  readonly name: string;
  readonly labels: Labels;
  /** RFC 3339. */
  readonly created: string;
}

export interface Protection {
  readonly delete: boolean;
  readonly rebuild?: boolean;
}

export interface ServerNetwork {
  readonly network: number;
  readonly ip: string;
  readonly aliasIps: readonly string[];
}

export interface Server extends Named {
  /** Name of its type. */
  readonly type: string;
  readonly image: number;
  readonly location: string;
  readonly userData: string;
  readonly sshKeys: readonly string[];
  readonly status:
    "initializing" | "starting" | "running" | "stopping" | "off" | "deleting" | "rebuilding" | "migrating";
  /** Desired power state. */
  readonly on: boolean;
  readonly diskGb: number;
  readonly networks: readonly ServerNetwork[];
  readonly placementGroup: number | undefined;
  readonly protection: { readonly delete: boolean; readonly rebuild: boolean };
  readonly rescue: boolean;
  readonly backups: boolean;
  readonly iso: number | undefined;
  readonly rootPassword: string | undefined;
  /** Changes with every rebuild. */
  readonly instance: number;
}

export interface Subnet {
  readonly type: string;
  readonly range: string;
  readonly zone: string;
}

export interface Network extends Named {
  readonly range: string;
  readonly subnets: readonly Subnet[];
  readonly routes: readonly { readonly destination: string; readonly gateway: string }[];
  readonly exposeRoutes: boolean;
  readonly protection: Protection;
}

export interface Rule {
  readonly direction: "in" | "out";
  readonly protocol: "tcp" | "udp" | "icmp" | "esp" | "gre";
  readonly port: string | null;
  readonly source_ips: readonly string[];
  readonly destination_ips: readonly string[];
  readonly description: string | null;
}

export interface Firewall extends Named {
  readonly rules: readonly Rule[];
  readonly servers: readonly number[];
  readonly selectors: readonly string[];
}

export interface Volume extends Named {
  readonly sizeGb: number;
  readonly location: string;
  readonly server: number | undefined;
  readonly format: "ext4" | "xfs" | undefined;
  readonly automount: boolean;
  readonly protection: Protection;
}

export interface PrimaryIp extends Named {
  readonly type: "ipv4" | "ipv6";
  readonly ip: string;
  readonly location: string;
  readonly server: number | undefined;
  readonly autoDelete: boolean;
  readonly dnsPtr: Labels;
  readonly protection: Protection;
}

export interface FloatingIp extends Named {
  readonly type: "ipv4" | "ipv6";
  readonly ip: string;
  readonly description: string | null;
  readonly location: string;
  readonly server: number | undefined;
  readonly dnsPtr: Labels;
  readonly protection: Protection;
}

export interface SshKey extends Named {
  readonly publicKey: string;
  readonly fingerprint: string;
}

export interface PlacementGroup extends Named {
  readonly type: "spread";
}

export interface Certificate extends Named {
  readonly type: "uploaded" | "managed";
  readonly certificate: string | null;
  readonly privateKey: string | null;
  readonly domains: readonly string[];
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  readonly fingerprint: string | null;
}

export interface BalancerTarget {
  readonly type: "server" | "label_selector" | "ip";
  readonly server?: number;
  readonly selector?: string;
  readonly ip?: string;
  readonly usePrivateIp: boolean;
}

export interface Balancer extends Named {
  readonly type: number;
  readonly location: string;
  readonly zone: string;
  readonly algorithm: "round_robin" | "least_connections";
  /** Services as the API shows them, with all defaults. */
  readonly services: readonly Service[];
  readonly targets: readonly BalancerTarget[];
  readonly ip: string;
  readonly ipv6: string;
  readonly publicInterface: boolean;
  readonly network: { readonly id: number; readonly ip: string } | undefined;
  readonly protection: Protection;
  readonly dnsPtr: Labels;
}

export interface Action {
  readonly id: number;
  readonly command: string;
  readonly status: "running" | "success" | "error";
  readonly progress: number;
  readonly started: string;
  readonly finished: string | null;
  readonly resources: readonly { readonly id: number; readonly type: string }[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface HetznerObjects {
  "hetzner.server": Server;
  "hetzner.network": Network;
  "hetzner.firewall": Firewall;
  "hetzner.volume": Volume;
  "hetzner.primary_ip": PrimaryIp;
  "hetzner.floating_ip": FloatingIp;
  "hetzner.ssh_key": SshKey;
  "hetzner.placement_group": PlacementGroup;
  "hetzner.certificate": Certificate;
  "hetzner.load_balancer": Balancer;
  "hetzner.action": Action;
  /** Error that a running action will fail with; its change was skipped. */
  "hetzner.failure": NonNullable<Action["error"]>;
  /** A deleted resource that may still exist on machines. */
  "hetzner.removal": { readonly id: number; readonly type: string };
}

export type HetznerStore = Store<HetznerObjects>;

/** Kinds of resources that have a name and labels. */
export type NamedKind = {
  [Kind in keyof HetznerObjects]: HetznerObjects[Kind] extends Named ? Kind : never;
}[keyof HetznerObjects];
