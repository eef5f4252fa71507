/** Changes a running machine from outside, as hypervisor or network would: addresses, packet drops, mounts. */
import { z } from "zod";
import { must } from "../../../common/process.ts";
import type { NetworkInterface } from "../machines.ts";
import { docker } from "./docker.ts";
import { deviceOf } from "./volumes.ts";

/** Runs a shell script in a container. */
const inside = (container: string, script: string): Promise<string> => docker("exec", container, "sh", "-c", script);

/** Runs a program of this host in a container's network. */
async function inNetwork(container: string, ...args: readonly string[]): Promise<string> {
  const pid = (await docker("inspect", "--format", "{{.State.Pid}}", container)).trim();
  return must("nsenter", ["--target", pid, "--net", ...args]);
}

const attachedSchema = z.record(z.string(), z.object({ MacAddress: z.string() }));

/**
 * Sets the machine's addresses and aliases in private networks, and removes those that Docker assigned.
 *
 * @param networkOf name of the Docker network for a private network
 */
export async function setPrivateAddresses(
  container: string,
  interfaces: readonly NetworkInterface[],
  isPublic: boolean,
  networkOf: (id: number) => string,
): Promise<void> {
  // Without a public network, Docker sets a default route that leads nowhere; Hetzner sets none.
  if (!isPublic) await inNetwork(container, "sh", "-c", "ip route del default 2>/dev/null || true");
  const format = "{{json .NetworkSettings.Networks}}";
  const attached = attachedSchema.parse(JSON.parse(await docker("inspect", "--format", format, container)));
  const links = await inNetwork(container, "ip", "-oneline", "link", "show");
  const listed = await inNetwork(container, "ip", "-4", "-oneline", "address", "show");
  for (const { networkId, range, address, aliasAddresses } of interfaces) {
    const mac = attached[networkOf(networkId)]?.MacAddress;
    const [, device] =
      links.split("\n").flatMap((line) => (mac && line.includes(mac) ? [/^\d+: ([^@:]+)/.exec(line)] : []))[0] ?? [];
    if (device === undefined) continue;
    const wanted = [`${address}/${range.split("/")[1] ?? "16"}`, ...aliasAddresses.map((one) => `${one}/32`)];
    const present = [...listed.matchAll(/^\d+: (\S+)\s+inet (\S+)/gm)].flatMap(([, on, own]) =>
      on === device && own !== undefined ? [own] : [],
    );
    for (const one of wanted.filter((each) => !present.includes(each))) {
      await inNetwork(container, "ip", "address", "add", one, "dev", device);
    }
    for (const one of present.filter((each) => !wanted.includes(each))) {
      await inNetwork(container, "ip", "address", "del", one, "dev", device);
    }
  }
}

/** Drops packets from exactly these addresses. */
export async function dropFrom(container: string, addresses: readonly string[]): Promise<void> {
  const rules = addresses.map((address) => `-A PREROUTING -s ${address}/32 -j DROP`);
  const pid = (await docker("inspect", "--format", "{{.State.Pid}}", container)).trim();
  const text = ["*raw", ":PREROUTING ACCEPT [0:0]", ...rules, "COMMIT", ""].join("\n");
  // Replaces the whole table: nothing else uses it.
  await must("nsenter", ["--target", pid, "--net", "iptables-restore"], { input: text });
}

/** Mounts a Volume at Hetzner's mount point, now and at every boot. */
export async function mountVolume(container: string, volume: number): Promise<void> {
  const [device, target] = [deviceOf(volume), `/mnt/HC_Volume_${volume}`];
  await inside(
    container,
    `type=$(blkid -p -s TYPE -o value ${device}) || exit 0
     mkdir -p ${target}
     grep -q '^${device} ' /etc/fstab 2>/dev/null || echo "${device} ${target} $type discard,nofail,defaults 0 0" >> /etc/fstab
     # While the server boots, its systemd mounts what /etc/fstab has, too, and may come first.
     mountpoint -q ${target} || mount ${target} || mountpoint -q ${target}`,
  );
}

/** Unmounts a Volume everywhere in the machine, lazily if a process still uses it. */
export async function unmountVolume(container: string, volume: number): Promise<void> {
  const device = deviceOf(volume);
  await inside(
    container,
    `sed -i '\\#^${device} #d' /etc/fstab 2>/dev/null || true
     [ -b ${device} ] || exit 0
     loop=/dev/loop$((0x$(stat -Lc %T ${device})))
     for target in $(awk -v a="$loop" -v b=${device} '$1 == a || $1 == b { print $2 }' /proc/mounts | sort -r); do
       umount "$target" || umount --lazy "$target"
     done`,
  );
}

/** Fills the file system of a mounted Volume, or deletes the file that fills it. */
export async function setVolumeFull(container: string, volume: number, full: boolean): Promise<void> {
  const device = deviceOf(volume);
  await inside(
    container,
    `loop=/dev/loop$((0x$(stat -Lc %T ${device})))
     target=$(awk -v a="$loop" -v b=${device} '$1 == a || $1 == b { print $2; exit }' /proc/mounts)
     [ -n "$target" ] || { echo "Volume ${volume} is not mounted in the server" >&2; exit 1; }
     file="$target/.rehearsal-full"
     ${full ? 'fallocate -l $(($(df --output=avail -k "$target" | tail -1) - 64))k "$file" 2>/dev/null; dd if=/dev/zero bs=4k 2>/dev/null >> "$file"; sync; true' : 'rm -f "$file"'}`,
  );
}
