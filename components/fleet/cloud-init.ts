/**
 * Builds a server's user data for cloud-init: what the first boot installs and configures. Pure.
 *
 * Hetzner accepts 32 KiB, cloud-init reads it once, and other user data would replace the server; therefore it has only what
 * must exist from the first minute, and everything else is delivered over SSH.
 */
import { dataMount, firewallCommand, mountCommand, readyFile } from "../../common/server-contract.ts";
import { firewallScript, type PacketFilter } from "./packet-filter.ts";
import { sshdConfig, sshdConfigFile } from "./sshd-config.ts";

interface File {
  readonly path: string;
  readonly mode: "0644" | "0755";
  readonly text: string;
}

const firewallUnit = "orion-firewall.service";

/** MTU of Hetzner's private network. */
export const privateMtu = 1450;

const swapMb = 2048;

const files = (filter: PacketFilter): readonly File[] => [
  { path: sshdConfigFile, mode: "0644", text: sshdConfig },
  {
    path: "/etc/docker/daemon.json",
    mode: "0644",
    // live-restore: an update of Docker restarts no container.
    text: `${JSON.stringify({ "live-restore": true, "log-driver": "json-file", "log-opts": { "max-size": "10m", "max-file": "3" } })}\n`,
  },
  {
    path: "/etc/sysctl.d/60-orion.conf",
    mode: "0644",
    // Ports are published at the private address, also when the network comes up after Docker; Redis wants overcommit.
    text: "net.ipv4.ip_nonlocal_bind = 1\nnet.core.somaxconn = 4096\nvm.overcommit_memory = 1\nvm.swappiness = 10\n",
  },
  {
    path: "/etc/apt/apt.conf.d/60-orion",
    mode: "0644",
    // Automatic security updates, except those that would restart the Docker Engine at a random time.
    text: [
      'APT::Periodic::Update-Package-Lists "1";',
      'APT::Periodic::Unattended-Upgrade "1";',
      'Unattended-Upgrade::Package-Blacklist { "docker.io"; "containerd"; "runc"; };',
      'Unattended-Upgrade::Automatic-Reboot "false";',
      "",
    ].join("\n"),
  },
  { path: "/etc/systemd/journald.conf.d/60-orion.conf", mode: "0644", text: "[Journal]\nSystemMaxUse=500M\n" },
  ...Object.entries(firewallFiles(filter)).map(([path, { text, mode }]) => ({ path, text, mode })),
  { path: mountCommand, mode: "0755", text: volumeScript },
  {
    path: "/etc/systemd/system/orion-volume.service",
    mode: "0644",
    text: unit("Volume with the platform's data", mountCommand, {
      before: "docker.service",
      wantedBy: "multi-user.target",
      condition: "ConditionPathExists=/etc/orion/volume",
    }),
  },
  { path: "/usr/local/sbin/orion-first-boot", mode: "0755", text: firstBootScript },
];

/**
 * The files of the packet filter, which an update writes again whenever servers or services change. It is closed before the
 * network and Docker start, and Docker does not start without it.
 */
export const firewallFiles = (filter: PacketFilter): Readonly<Record<string, Omit<File, "path">>> => ({
  [firewallCommand]: { mode: "0755", text: firewallScript(filter) },
  [`/etc/systemd/system/${firewallUnit}`]: {
    mode: "0644",
    text: unit("Packet filter of the private network and of containers", firewallCommand, {
      early: true,
      before: "network-pre.target docker.service",
      wantedBy: "multi-user.target docker.service",
    }),
  },
  "/etc/systemd/system/docker.service.d/10-orion-firewall.conf": {
    mode: "0644",
    text: `[Service]\nExecStartPre=${firewallCommand}\n`,
  },
});

/** Makes a server use {@link firewallFiles} after they have changed. */
export const firewallInstall = `systemctl daemon-reload && systemctl reenable --quiet ${firewallUnit} && ${firewallCommand}`;

/** A systemd service that runs one command at every boot. */
function unit(
  description: string,
  command: string,
  order: {
    readonly before: string;
    readonly wantedBy: string;
    readonly condition?: string;
    /** Whether it starts as soon as the file systems are mounted. */
    readonly early?: boolean;
  },
): string {
  return [
    "[Unit]",
    `Description=${description}`,
    ...(order.early ? ["DefaultDependencies=no", "After=local-fs.target", "Wants=network-pre.target"] : []),
    `Before=${order.before}`,
    ...(order.condition ? [order.condition] : []),
    "",
    "[Service]",
    "Type=oneshot",
    "RemainAfterExit=yes",
    `ExecStart=${command}`,
    "",
    "[Install]",
    `WantedBy=${order.wantedBy}`,
    "",
  ].join("\n");
}

/**
 * Mounts the Volume; formats it only when it is completely empty. Not a systemd mount unit: those wait for udev, which does
 * not announce every kind of device. The database's container does not start while the mount is missing.
 */
const volumeScript = `#!/bin/sh
set -eu
mkdir -p /etc/orion ${dataMount}
[ $# -eq 0 ] || echo "$1" > /etc/orion/volume
device=$(cat /etc/orion/volume)
tries=0
while [ ! -b "$device" ] && [ "$tries" -lt 300 ]; do sleep 0.2; tries=$((tries + 1)); done
[ -b "$device" ] || { echo "the device $device is not there" >&2; exit 1; }
systemctl enable --quiet orion-volume.service
if ! mountpoint -q ${dataMount}; then
  if ! blkid -p "$device" >/dev/null; then
    [ "$(dd if="$device" bs=1M count=16 2>/dev/null | tr -d '\\0' | wc -c)" -eq 0 ] ||
      { echo "$device has contents that are no file system; it is not formatted" >&2; exit 1; }
    mkfs.ext4 -q "$device"
  fi
  mount -o noatime "$device" ${dataMount}
fi
mkdir -p ${dataMount}/postgres
`;

const firstBootScript = `#!/bin/sh
set -u
missing=""
for package in docker.io iptables unattended-upgrades systemd-timesyncd age; do
  dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
  tries=0
  until apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; do
    tries=$((tries + 1))
    # What the containers do not need may be missing; an engine and its packet filter may not.
    if [ "$tries" -ge 5 ]; then
      command -v dockerd >/dev/null && command -v iptables >/dev/null && break
      exit 1
    fi
    sleep 5
  done
fi
sysctl --quiet --system || true
if [ ! -e /swapfile ] && fallocate -l ${swapMb}M /swapfile; then
  chmod 0600 /swapfile
  if mkswap -q /swapfile && swapon /swapfile; then echo "/swapfile none swap sw 0 0" >> /etc/fstab; else rm /swapfile; fi
fi
systemctl daemon-reload
systemctl restart systemd-journald.service
systemctl reload-or-restart ssh.service
systemctl enable --quiet docker.service ${firewallUnit}
systemctl restart ${firewallUnit} && systemctl restart docker.service || exit 1
mkdir -p ${readyFile.replace(/\/[^/]+$/, "")}
touch ${readyFile}
`;

/** A host key that a server shows at its first connection only. */
export interface FirstKey {
  /** In OpenSSH's format. */
  readonly privateKey: string;
  /** As `algorithm key`. */
  readonly publicKey: string;
}

/**
 * The user data of a server.
 *
 * @param firstKey its host key until the program has connected for the first time (plugin/host-key.ts)
 */
export function userData(filter: PacketFilter, firstKey: FirstKey): string {
  const config = {
    // The key of Hetzner's own metadata is the only way in.
    ssh_pwauth: false,
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: firstKey.privateKey, ed25519_public: firstKey.publicKey },
    write_files: files(filter).map(({ path, mode, text }) => ({ path, permissions: mode, content: text })),
    runcmd: [["/usr/local/sbin/orion-first-boot"]],
  };
  // JSON is YAML.
  return `#cloud-config\n${JSON.stringify(config, null, 1)}\n`;
}
