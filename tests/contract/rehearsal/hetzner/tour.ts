/** A way through every call of the emulated Hetzner Cloud. It is for a new one: every kind's ids begin with 1. */
import type { OwnCertificate } from "../support/certificate.ts";

export type Step = readonly [method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown];

export const publicKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGq2y0r0a5gYJcYqM8qkK1r5v3m1v8p1m5r0b0d7k9eQ probe@example.com";
const labels = { role: "web" };
const everywhere = ["0.0.0.0/0", "::/0"];
const ssh = { direction: "in", protocol: "tcp", port: "22", source_ips: everywhere, description: "ssh" };
const server = { server_type: "cx23", image: "debian-12", location: "fsn1", labels };
const http = {
  protocol: "http",
  listen_port: 80,
  destination_port: 8080,
  health_check: { protocol: "http", port: 8080 },
};
const privately = { use_private_ip: true };

/** Makes at least one of everything. */
export const making = ({ certificate, privateKey }: OwnCertificate): readonly Step[] => [
  ["POST", "/ssh_keys", { name: "key", public_key: publicKey, labels }],
  ["POST", "/placement_groups", { name: "group", type: "spread", labels }],
  ["POST", "/certificates", { name: "own", type: "uploaded", certificate, private_key: privateKey, labels }],
  ["POST", "/networks", { name: "net", ip_range: "10.20.0.0/16", labels }],
  ["POST", "/networks/1/actions/add_subnet", { type: "cloud", network_zone: "eu-central", ip_range: "10.20.1.0/24" }],
  ["POST", "/networks/1/actions/add_route", { destination: "10.99.0.0/16", gateway: "10.20.1.2" }],
  ["POST", "/firewalls", { name: "fire", rules: [ssh], labels }],
  [
    "POST",
    "/firewalls",
    { name: "by-label", apply_to: [{ type: "label_selector", label_selector: { selector: "role" } }] },
  ],
  ["POST", "/primary_ips", { name: "address", type: "ipv4", assignee_type: "server", location: "fsn1", labels }],
  [
    ...(["POST", "/servers"] as const),
    {
      ...{ ...server, name: "a", ssh_keys: ["key"], placement_group: 1, firewalls: [{ firewall: 1 }] },
      public_net: { enable_ipv4: true, enable_ipv6: true, ipv4: 1 },
    },
  ],
  [
    "POST",
    "/servers",
    { ...server, name: "inner", networks: [1], public_net: { enable_ipv4: false, enable_ipv6: false } },
  ],
  ["POST", "/primary_ips", { name: "other", type: "ipv6", location: "fsn1" }],
  ["POST", "/volumes", { name: "data", size: 10, server: 1, automount: true, format: "ext4", labels }],
  ["POST", "/volumes", { name: "spare", size: 10, location: "fsn1" }],
  ["POST", "/floating_ips", { name: "floating", type: "ipv4", home_location: "fsn1", description: "probe", labels }],
  ["POST", "/floating_ips", { type: "ipv6", server: 1 }],
  [
    ...(["POST", "/load_balancers"] as const),
    {
      ...{ name: "lb", load_balancer_type: "lb11", location: "fsn1", labels, services: [http] },
      targets: [{ type: "ip", ip: { ip: "203.0.113.2" } }],
    },
  ],
];

/** Every command that a resource has. */
export const commands: readonly Step[] = [
  ["POST", "/servers/1/actions/attach_to_network", { network: 1, ip: "10.20.1.10", alias_ips: ["10.20.1.11"] }],
  ["POST", "/servers/1/actions/change_alias_ips", { network: 1, alias_ips: ["10.20.1.12"] }],
  ["POST", "/load_balancers/1/actions/attach_to_network", { network: 1, ip: "10.20.1.5" }],
  ["POST", "/load_balancers/1/actions/add_target", { type: "server", server: { id: 1 }, ...privately }],
  [
    "POST",
    "/load_balancers/1/actions/add_target",
    { type: "label_selector", label_selector: { selector: "role" }, ...privately },
  ],
  ["POST", "/load_balancers/1/actions/add_target", { type: "ip", ip: { ip: "203.0.113.1" } }],
  ["POST", "/load_balancers/1/actions/add_service", { protocol: "https", http: { certificates: [1] } }],
  ["POST", "/load_balancers/1/actions/add_service", { protocol: "tcp", listen_port: 5432, destination_port: 5432 }],
  ["POST", "/load_balancers/1/actions/update_service", { listen_port: 80, http: { sticky_sessions: true } }],
  ["POST", "/load_balancers/1/actions/disable_public_interface"],
  ["POST", "/load_balancers/1/actions/enable_public_interface"],
  ["POST", "/load_balancers/1/actions/change_algorithm", { type: "least_connections" }],
  ["POST", "/load_balancers/1/actions/change_type", { load_balancer_type: "lb21" }],
  ["POST", "/load_balancers/1/actions/change_dns_ptr", { ip: "127.78.0.7", dns_ptr: "lb.example.com" }],
  ["POST", "/load_balancers/1/actions/change_protection", { delete: false }],
  ["POST", "/firewalls/1/actions/set_rules", { rules: [ssh, { ...ssh, port: "80-85" }] }],
  ["POST", "/firewalls/2/actions/apply_to_resources", { apply_to: [{ type: "server", server: { id: 1 } }] }],
  ["POST", "/networks/1/actions/change_protection", { delete: false }],
  ["POST", "/volumes/2/actions/attach", { server: 1, automount: false }],
  ["POST", "/volumes/2/actions/resize", { size: 20 }],
  ["POST", "/volumes/1/actions/change_protection", { delete: false }],
  ["POST", "/floating_ips/1/actions/assign", { server: 1 }],
  ["POST", "/floating_ips/1/actions/change_dns_ptr", { ip: "127.78.0.6", dns_ptr: "floating.example.com" }],
  ["POST", "/floating_ips/1/actions/change_protection", { delete: false }],
  ["POST", "/primary_ips/1/actions/change_dns_ptr", { ip: "127.78.0.5", dns_ptr: "one.example.com" }],
  ["POST", "/primary_ips/1/actions/change_protection", { delete: false }],
  ["POST", "/servers/1/actions/change_dns_ptr", { ip: "127.78.0.5", dns_ptr: "two.example.com" }],
  ["POST", "/servers/1/actions/change_protection", { delete: false, rebuild: false }],
  ["POST", "/servers/1/actions/enable_backup"],
  ["POST", "/servers/1/actions/attach_iso", { iso: 26631 }],
  ["POST", "/servers/1/actions/enable_rescue", { type: "linux64" }],
  ["POST", "/servers/1/actions/reboot"],
  ["POST", "/servers/1/actions/reset"],
];

/** Takes back what keeps things from being deleted, by the commands that do so. */
export const undoing: readonly Step[] = [
  ["POST", "/servers/1/actions/disable_rescue"],
  ["POST", "/servers/1/actions/detach_iso"],
  ["POST", "/servers/1/actions/disable_backup"],
  ["POST", "/servers/1/actions/rebuild", { image: "debian-12" }],
  ["POST", "/servers/1/actions/shutdown"],
  ["POST", "/servers/1/actions/change_type", { server_type: "cx33", upgrade_disk: false }],
  ["POST", "/servers/1/actions/poweroff"],
  ["POST", "/servers/1/actions/remove_from_placement_group"],
  ["POST", "/servers/1/actions/add_to_placement_group", { placement_group: 1 }],
  ["POST", "/servers/1/actions/poweroff"],
  ["POST", "/primary_ips/1/actions/unassign"],
  ["POST", "/primary_ips/1/actions/assign", { assignee_id: 1, assignee_type: "server" }],
  ["POST", "/servers/1/actions/poweron"],
  ["POST", "/servers/1/actions/poweroff"],
  ["POST", "/floating_ips/1/actions/unassign"],
  ["POST", "/volumes/1/actions/detach"],
  ["POST", "/firewalls/1/actions/remove_from_resources", { remove_from: [{ type: "server", server: { id: 1 } }] }],
  ["POST", "/load_balancers/1/actions/remove_target", { type: "server", server: { id: 1 } }],
  ["POST", "/load_balancers/1/actions/remove_target", { type: "label_selector", label_selector: { selector: "role" } }],
  ["POST", "/load_balancers/1/actions/delete_service", { listen_port: 443 }],
  ["POST", "/load_balancers/1/actions/detach_from_network", { network: 1 }],
  ["POST", "/servers/1/actions/detach_from_network", { network: 1 }],
  ["DELETE", "/servers/1"],
  ["DELETE", "/servers/2"],
  ["POST", "/networks/1/actions/delete_route", { destination: "10.99.0.0/16", gateway: "10.20.1.2" }],
  ["POST", "/networks/1/actions/delete_subnet", { ip_range: "10.20.1.0/24" }],
  ["POST", "/networks/1/actions/change_ip_range", { ip_range: "10.20.0.0/14" }],
];

/** What is only there to be read. */
export const lookups: readonly Step[] = [
  ["GET", "/server_types?name=cx23"],
  ["GET", "/server_types/114"],
  ["GET", "/images?name=debian-12&architecture=x86&include_deprecated=true"],
  ["GET", "/images/114690387"],
  ["GET", "/locations"],
  ["GET", "/locations/1"],
  ["GET", "/load_balancer_types"],
  ["GET", "/load_balancer_types/1"],
  ["GET", "/images/actions"],
  ["GET", "/images/114690387/actions"],
  ["GET", "/isos"],
  ["GET", "/isos/26631"],
  ["GET", "/pricing"],
];

/** Every kind of resource, and whether its actions can be looked up, of which certificates never have one. */
export const kinds: Readonly<Record<string, { readonly hasActions: boolean | "none" }>> = {
  servers: { hasActions: true },
  networks: { hasActions: true },
  firewalls: { hasActions: true },
  volumes: { hasActions: true },
  load_balancers: { hasActions: true },
  primary_ips: { hasActions: true },
  floating_ips: { hasActions: true },
  certificates: { hasActions: "none" },
  placement_groups: { hasActions: false },
  ssh_keys: { hasActions: false },
};
