/**
 * Ends a machine as a power cut does: every process at once, and what its file systems had not written to a Volume is lost.
 *
 * Killing the container alone would lose nothing. The pages that its processes wrote are in this machine's memory, and Linux
 * writes them to the Volume when it unmounts the file system. So each file system is shut down first, by the call that XFS and
 * ext4 have for tests of crashes: from then on nothing reaches the Volume, not even the journal. What is in the Volume's file
 * is what a disk would have, and the next mount recovers from it.
 */
import { closeSync, constants, existsSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { must } from "../../../common/process.ts";
import { docker, dockerUnless } from "./docker.ts";

/** A Volume in a machine. */
export interface Device {
  /** Its loop device, such as /dev/loop3. */
  readonly node: string;
  /** Device number, as `stat` shows it. */
  readonly number: number;
}

export interface MountedDevice {
  readonly number: number;
  /** Mount point, as the machine's processes see it. */
  readonly path: string;
}

/** Error messages of docker about a container that is off, or is not there. */
export const notThere = /No such (container|object)|is not running/i;

/** Seconds within which a killed machine must have let go of its Volumes. */
const releaseSeconds = 20;

/**
 * Runs in the machine's mount namespace, where this process's files keep the file systems mounted while all others end. It
 * kills first: no process may see an error that a power cut would not have shown. 0x8004587d is FS_IOC_SHUTDOWN, and 2 means
 * that not even the journal is written. The check of the device number is what protects this host's own file systems.
 */
const program = `
my ($init, @mounts) = @ARGV;
my %open;
while (my ($device, $path) = splice @mounts, 0, 2) {
  open(my $files, '<', $path) or next;
  $open{$device} = $files if (stat $files)[0] == $device;
  $open{$device} //= undef;
}
for my $device (keys %open) { defined $open{$device} or die "no mount point of device $device can be opened\\n" }
kill 'KILL', $init or die "process $init: $!\\n";
for my $files (values %open) {
  my $flags = pack 'L', 2;
  ioctl($files, 0x8004587d, $flags) or $!{ENOTTY} or die "shutdown of a file system: $!\\n";
}
`;

/** Cuts the power of a container; nothing happens to one that is off or does not exist. @param devices its Volumes */
export async function cutPower(container: string, devices: readonly Device[]): Promise<void> {
  const init = await initOf(container);
  const mounted = init === undefined ? [] : mountsIn(`/proc/${init}/mountinfo`, devices);
  if (init !== undefined && mounted.length > 0) {
    const words = mounted.flatMap(({ number, path }) => [String(number), path]);
    await must("nsenter", ["--target", init, "--mount", "perl", "-e", program, init, ...words]);
  }
  await dockerUnless(notThere, "kill", container);
  // The next start would otherwise be given the file system that was shut down.
  for (const { node } of devices) await released(node);
}

/** Process id of a container's init process on this host; undefined: it does not run. */
async function initOf(container: string): Promise<string | undefined> {
  const pid = await docker("inspect", "--format", "{{.State.Pid}}", container).catch((error: unknown) => {
    if (error instanceof Error && notThere.test(error.message)) return "0";
    throw error;
  });
  return pid.trim() === "0" ? undefined : pid.trim();
}

function mountsIn(file: string, devices: readonly Device[]): MountedDevice[] {
  // Without the file, the machine has just ended by itself.
  return existsSync(file) ? mountedDevices(readFileSync(file, "utf8"), devices) : [];
}

/** Where devices are mounted, from the text of a /proc/<pid>/mountinfo. Pure. */
export function mountedDevices(mountinfo: string, devices: readonly Pick<Device, "number">[]): MountedDevice[] {
  const numbers = new Map(devices.map(({ number }) => [`${majorOf(number)}:${minorOf(number)}`, number]));
  return mountinfo.split("\n").flatMap((line) => {
    const [, , device = "", , path = ""] = line.split(" ");
    const number = numbers.get(device);
    return number === undefined
      ? []
      : [{ number, path: path.replace(/\\(\d{3})/g, (_, code: string) => fromOctal(code)) }];
  });
}

const fromOctal = (code: string): string => String.fromCharCode(Number.parseInt(code, 8));

/** Major and minor number of a device, as glibc packs them. */
export const majorOf = (device: number): number => (device >> 8) & 0xfff;
export const minorOf = (device: number): number => (device & 0xff) | ((device >> 12) & 0xfff00);

/** Resolves when no file system is mounted from a block device. */
async function released(node: string): Promise<void> {
  const end = Date.now() + releaseSeconds * 1000;
  while (isMounted(node)) {
    if (Date.now() > end) throw new Error(`the Volume behind ${node} is still in use after the power was cut`);
    await sleep(20);
  }
}

function isMounted(node: string): boolean {
  try {
    closeSync(openSync(node, constants.O_RDONLY | constants.O_EXCL));
    return false;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EBUSY") return true;
    throw error;
  }
}
