/** What a server does before anybody logs in, and what may reach it. */
import { spawnSync } from "node:child_process";
import { parse } from "yaml";
import { dataMount } from "../../../../common/server-contract.ts";
import { firewallRules } from "../../../../components/fleet/cloud-firewall.ts";
import { firewallFiles, firewallInstall, userData } from "../../../../components/fleet/cloud-init.ts";
import { firewallScript } from "../../../../components/fleet/packet-filter.ts";
import { peersOf, publishedOn } from "../../../../topology/peers.ts";
import { sshOptions } from "../../../../common/ssh.ts";
import { plan } from "../../../../topology/plan.ts";
import type { Server } from "../../../../topology/server.ts";
import { settingsOf } from "../../support/settings.ts";

const topology = plan("prod", settingsOf("scale"));
const server = (name: string): Server => {
  const found = topology.servers.find((each) => each.name === name);
  if (!found) throw new Error(`no server ${name}`);
  return found;
};

const firstKey = { privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", publicKey: "ssh-ed25519 AAAAfirst" };

interface UserData {
  readonly ssh_pwauth: boolean;
  readonly ssh_deletekeys: boolean;
  readonly ssh_keys: Readonly<Record<string, string>>;
  readonly write_files: { readonly path: string; readonly content: string; readonly permissions: string }[];
  readonly runcmd: string[][];
}
const filterOf = (name: string) => {
  const of = server(name);
  return { server: of, peers: peersOf(topology, of), published: publishedOn(topology, of) };
};
const parsed = parse(userData(filterOf("core-1"), firstKey)) as UserData;
const file = (path: string): string => parsed.write_files.find((each) => each.path === path)?.content ?? "";

describe("user data", () => {
  test("is cloud-init's, well below the 32 KiB that Hetzner takes", () => {
    const text = userData(filterOf("core-1"), firstKey);
    expect(text).toMatch(/^#cloud-config\n/);
    expect(Buffer.byteLength(text)).toBeLessThan(16 * 1024);
    expect(parsed.ssh_pwauth).toBe(false);
    expect(parsed.runcmd).toEqual([["/usr/local/sbin/orion-first-boot"]]);
  });

  test("the only host key is the one-time key, which the program expects at its first connection", () => {
    expect(parsed.ssh_deletekeys).toBe(true);
    expect(parsed.ssh_keys).toEqual({ ed25519_private: firstKey.privateKey, ed25519_public: firstKey.publicKey });
  });

  test("every script is one that a shell reads", () => {
    const scripts = parsed.write_files.filter(({ content }) => content.startsWith("#!/bin/sh"));
    expect(scripts).toHaveLength(3);
    for (const { content, permissions } of scripts) {
      expect(spawnSync("sh", ["-n"], { input: content, encoding: "utf8" }).stderr).toBe("");
      expect(permissions).toBe("0755");
    }
  });

  test("sshd takes as many connections as an update opens, and no passwords", () => {
    expect(file("/etc/ssh/sshd_config.d/10-orion.conf")).toContain("MaxStartups 100:30:200");
    expect(file("/etc/ssh/sshd_config.d/10-orion.conf")).toContain("PasswordAuthentication no");
  });

  test("updates come by themselves, but none that restarts Docker", () => {
    expect(file("/etc/apt/apt.conf.d/60-orion")).toContain('"docker.io"; "containerd"; "runc"');
    expect(JSON.parse(file("/etc/docker/daemon.json"))).toMatchObject({ "live-restore": true });
  });

  test("a Volume is formatted only when there is nothing on it, and mounted before Docker starts", () => {
    const script = file("/usr/local/sbin/orion-volume");
    expect(script.indexOf("blkid")).toBeLessThan(script.indexOf("mkfs.ext4"));
    expect(script).toContain(`mount -o noatime "$device" ${dataMount}`);
    expect(file("/etc/systemd/system/orion-volume.service")).toContain("Before=docker.service");
  });
});

describe("the packet filter of the private network", () => {
  test("lets other servers reach what is published there, and nothing else", () => {
    const peers = peersOf(topology, server("core-1"));
    expect(peers).toContainEqual({ from: "10.20.1.101-10.20.1.130", port: 5432 });
    expect(peers.filter(({ from }) => /^10[.]20[.]1[.]1\d-/.test(from))).toEqual([]);
    const script = firewallScript(filterOf("core-1"));
    expect(script).toContain(
      "-A ORION-ARRIVING -d 10.20.1.11 -p tcp -m iprange --src-range 10.20.1.101-10.20.1.130 -m tcp --dport 5432 -j RETURN\n",
    );
    const arriving = script.split("\n").filter((line) => line.startsWith("-A ORION-ARRIVING -d 10.20.1.11"));
    expect(arriving.at(-1)).toBe("-A ORION-ARRIVING -d 10.20.1.11 -j DROP");
  });

  test("judges a packet by where it was sent and came from, before Docker changes it", () => {
    const script = firewallScript(filterOf("core-1"));
    expect(script).toContain("-A ORION-ARRIVING -m addrtype ! --dst-type LOCAL --limit-iface-in -j DROP\n");
    expect(script).toContain("hook iptables mangle PREROUTING ORION-ARRIVING\n");
  });

  test("lets containers reach what the server publishes to others, and nothing else of it", () => {
    const rules = (name: string) =>
      firewallScript(filterOf(name))
        .split("\n")
        .filter((line) => line.startsWith("-A ORION-CONTAINERS"))
        .map((line) => line.replace("-A ORION-CONTAINERS ", ""));
    expect(rules("core-1")).toEqual([
      "-d 169.254.0.0/16 -j DROP",
      "-i orion-edge -m addrtype --dst-type LOCAL -j DROP",
      "-i orion-edge -d 10.20.0.0/16 -j DROP",
      ...[5432, 6381, 6379, 6382, 6380].map((port) => `-d 10.20.1.11 -p tcp -m tcp --dport ${port} -j RETURN`),
      "-m addrtype --dst-type LOCAL -p icmp -j RETURN",
      "-m addrtype --dst-type LOCAL -j DROP",
      "-j RETURN",
    ]);
    // Flower is on the worker's loopback address, which no container reaches.
    expect(rules("worker-nbg1-1").join("\n")).not.toContain("dport");
  });

  test("is closed before the network and Docker start, and Docker does not start without it", () => {
    const unit = file("/etc/systemd/system/orion-firewall.service");
    expect(unit).toContain("Before=network-pre.target docker.service\n");
    expect(unit).toContain("DefaultDependencies=no\n");
    expect(unit).not.toContain("After=docker");
    expect(file("/etc/systemd/system/docker.service.d/10-orion-firewall.conf")).toBe(
      "[Service]\nExecStartPre=/usr/local/sbin/orion-firewall\n",
    );
    const boot = file("/usr/local/sbin/orion-first-boot");
    expect(boot.indexOf("restart orion-firewall")).toBeLessThan(boot.indexOf("restart docker"));
  });

  test("is the same on a server that exists: an update writes the same files", () => {
    for (const [path, { text }] of Object.entries(firewallFiles(filterOf("core-1")))) expect(file(path)).toBe(text);
    expect(firewallInstall).toMatch(/^systemctl daemon-reload && .* && \/usr\/local\/sbin\/orion-firewall$/);
  });

  test("is the same with more servers or less: one that goes works until it is gone", () => {
    const rules = (count: number, name: string) => {
      const more = plan(
        "prod",
        settingsOf("scale", {
          app: { servers: { count } },
          workers: { servers: { count } },
          database: { maxConnections: 500 },
        }),
      );
      return peersOf(more, server(name));
    };
    for (const name of ["core-1", "db-2", "app-nbg1-1"]) expect(rules(5, name)).toEqual(rules(1, name));
  });

  test("one server admits apps and workers of several: on the way back they still serve when its rules have changed already", () => {
    const [alone, several] = [plan("prod", settingsOf("mvp")), plan("prod", settingsOf("scale"))];
    const admitted = ({ servers, ...rest }: typeof alone) => {
      const core = servers.find(({ name }) => name === "core-1");
      return core ? peersOf({ servers, ...rest }, core).map(({ from, port }) => `${from} ${port}`) : [];
    };
    const ofServers = admitted(several).filter((rule) => /^10\.20\.1\.1[03]1-/.test(rule));
    expect(ofServers.length).toBeGreaterThan(0);
    expect(admitted(alone)).toEqual(expect.arrayContaining(ofServers));
  });
});

describe("Hetzner's firewall", () => {
  const ports = (web: "cloudflare" | "all" | "none", adminCidrs = ["203.0.113.0/24"]) =>
    firewallRules({ adminCidrs, web }).map(({ port, sourceIps }) => [port ?? "icmp", sourceIps]);

  test("opens the web to Cloudflare's ranges alone, and SSH to the operators", () => {
    const rules = new Map(ports("cloudflare") as [string, string[]][]);
    expect(rules.get("22")).toEqual(["203.0.113.0/24"]);
    expect(rules.get("443")).toContain("173.245.48.0/20");
    expect(rules.get("443")).not.toContain("0.0.0.0/0");
    expect([...rules.keys()]).toEqual(["22", "80", "443", "icmp"]);
  });

  test("without Cloudflare the web is open; a server behind others opens nothing but SSH", () => {
    expect(new Map(ports("all") as [string, string[]][]).get("443")).toEqual(["0.0.0.0/0", "::/0"]);
    expect(ports("none").map(([port]) => port)).toEqual(["22", "icmp"]);
    expect(ports("none", []).map(([port]) => port)).toEqual(["icmp"]);
  });
});

test("ssh accepts no key on its own; another server at the same address has its own file of known hosts", () => {
  const options = sshOptions({ folder: "~/.orion/ssh", serverId: "42", identityFile: "~/.ssh/deploy" }).join(" ");
  expect(options).toContain("StrictHostKeyChecking=yes");
  expect(options).toContain("UserKnownHostsFile=~/.orion/ssh/known-hosts-42");
  expect(options).toContain("ControlPath=~/.orion/ssh/%C");
  expect(options).toMatch(/-i ~\/\.ssh\/deploy$/);
});
