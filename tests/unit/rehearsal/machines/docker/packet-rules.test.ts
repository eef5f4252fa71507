import { cloudServices } from "../../../../../rehearsal/cloud/settings.ts";
import { Naming } from "../../../../../rehearsal/machines/docker/naming.ts";
import { type Exposed, packetRules } from "../../../../../rehearsal/machines/docker/packet-rules.ts";

const names = new Naming("main", 77);
const exposed = [{ id: 1, kind: "server", address: "127.77.0.4", rules: undefined }] as const;
const rulesOf = (chain: string, servers: readonly Exposed[] = exposed): string[] =>
  packetRules(names, servers, Object.values(cloudServices(77)), [])
    .split("\n")
    .flatMap((line) => (line.startsWith(`-A OC-main-${chain} `) ? [line.replace(`-A OC-main-${chain} `, "")] : []));

test("of this machine, servers reach the ports of the cloud's services, and no other port at their addresses", () => {
  expect(rulesOf("IN")).toEqual([
    "-i oc77s+ -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    "-i oc77s+ -d 127.77.255.1/32 -p tcp -m multiport --dports 53,80,443 -j ACCEPT",
    "-i oc77s+ -d 127.77.255.1/32 -p udp -m multiport --dports 53 -j ACCEPT",
    "-i oc77s+ -d 127.77.255.2/32 -p tcp -m multiport --dports 80 -j ACCEPT",
    "-i oc77s+ -d 127.77.255.3/32 -p tcp -m multiport --dports 443 -j ACCEPT",
    "-i oc77s+ -d 127.77.255.5/32 -p tcp -m multiport --dports 80 -j ACCEPT",
    "-i oc77s+ -j DROP",
    "-i oc77p+ -j DROP",
    "-i oc77i -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    "-i oc77i -j DROP",
  ]);
});

test("servers reach the services by addresses of their own, and the cloud's metadata where Hetzner's is", () => {
  expect(rulesOf("NPRE")).toEqual([
    ...[1, 2, 3].map((one) => `-i oc77s+ -d 10.77.255.${one}/32 -j DNAT --to-destination 127.77.255.${one}`),
    "-i oc77s+ -d 169.254.169.254/32 -j DNAT --to-destination 127.77.255.5",
  ]);
});

test("through this machine, servers reach nothing but each other and the cloud's Internet, whatever else it forwards", () => {
  expect(rulesOf("FWD")).toEqual([
    "-s 10.77.0.32/29 -o oc77i -j ACCEPT",
    "-i oc77i -o oc77s+ -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    "-i oc77i -o oc77i -j ACCEPT",
    "-i oc77i -j DROP",
    "-i oc77s+ ! -o oc77s+ -j DROP",
    "-i oc77p+ ! -o oc77p+ -j DROP",
    "-i oc77p+ -o oc77p+ -j ACCEPT",
  ]);
});

test("what is on the Internet sees which server asks, and a server's firewall says what it may ask there", () => {
  expect(rulesOf("NPOST").at(-1)).toBe("-s 10.77.0.0/16 -o oc77i -j ACCEPT");
  const rules = [{ direction: "out", protocol: "tcp", port: "443", addresses: ["10.77.254.9/32", "::/0"] }] as const;
  expect(rulesOf("FWD", [{ id: 1, kind: "server", address: "127.77.0.4", rules }])).toEqual([
    "-s 10.77.0.32/29 -o oc77i -d 10.77.254.9/32 -p tcp --dport 443 -j ACCEPT",
    "-i oc77i -o oc77s+ -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    "-i oc77i -o oc77i -j ACCEPT",
    "-i oc77i -j DROP",
    "-i oc77s+ ! -o oc77s+ -j DROP",
    "-i oc77p+ ! -o oc77p+ -j DROP",
    "-i oc77p+ -o oc77p+ -j ACCEPT",
    "-s 10.77.0.32/29 -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN",
    "-s 10.77.0.32/29 -d 10.77.254.9/32 -p tcp --dport 443 -j RETURN",
    "-s 10.77.0.32/29 -j DROP",
  ]);
});
