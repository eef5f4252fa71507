/** What is done inside a server's machine from outside, as a hypervisor or a network would. */
import { type NetworkInterface } from "../machines.ts";
import { command, docker } from "./commands.ts";
import { deviceOf } from "./volumes.ts";

/** Runs a shell script in a container. */
const inside = (container: string, script: string): Promise<string> => docker("exec", container, "sh", "-c", script);

/** Runs a program of this host in a container's network. */
async function inNetwork(container: string, ...args: readonly string[]): Promise<string> {
  const pid = (await docker("inspect", "--format", "{{.State.Pid}}", container)).trim();
  return command("nsenter", ["--target", pid, "--net", ...args]);
}

/** Gives the machine its alias addresses, each on the interface of its network; others are taken away. */
export async function setAliases(
  container: string,
  interfaces: readonly NetworkInterface[],
  isPublic: boolean,
): Promise<void> {
  // Docker gives a machine in a private network alone a way out that leads nowhere; Hetzner gives it none.
  if (!isPublic) await inNetwork(container, "sh", "-c", "ip route del default 2>/dev/null || true");
  const listed = await inNetwork(container, "ip", "-4", "-oneline", "address", "show");
  const rows = [...listed.matchAll(/^\d+: (\S+)\s+inet (\S+)\/(\d+)/gm)];
  for (const { address, aliasAddresses } of interfaces) {
    const device = rows.find(([, , own]) => own === address)?.[1];
    if (device === undefined) continue;
    const present = rows.flatMap(([, name, own, bits]) => (name === device && bits === "32" && own ? [own] : []));
    for (const one of present.filter((each) => !aliasAddresses.includes(each))) {
      await inNetwork(container, "ip", "address", "del", `${one}/32`, "dev", device);
    }
    for (const one of aliasAddresses.filter((each) => !present.includes(each))) {
      await inNetwork(container, "ip", "address", "add", `${one}/32`, "dev", device);
    }
  }
}

/** Drops what comes from these addresses, and nothing else. */
export async function dropFrom(container: string, addresses: readonly string[]): Promise<void> {
  const rules = addresses.map((address) => `-A PREROUTING -s ${address}/32 -j DROP`);
  const pid = (await docker("inspect", "--format", "{{.State.Pid}}", container)).trim();
  const text = ["*raw", ":PREROUTING ACCEPT [0:0]", ...rules, "COMMIT", ""].join("\n");
  // The whole table is written anew: nothing but this uses it.
  await command("nsenter", ["--target", pid, "--net", "iptables-restore"], { input: text });
}

/** Mounts a Volume where Hetzner mounts it, now and at every boot. */
export async function mountVolume(container: string, volume: number): Promise<void> {
  const [device, target] = [deviceOf(volume), `/mnt/HC_Volume_${volume}`];
  await inside(
    container,
    `type=$(blkid -p -s TYPE -o value ${device}) || exit 0
     mkdir -p ${target}
     grep -q '^${device} ' /etc/fstab 2>/dev/null || echo "${device} ${target} $type discard,nofail,defaults 0 0" >> /etc/fstab
     mountpoint -q ${target} || mount ${target}`,
  );
}

/** Unmounts a Volume everywhere in the machine; what still uses it keeps a file system that nobody else sees. */
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

/** Fills the file system of a mounted Volume, or gives the room back. */
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
