/** Implements Volumes and the disks of servers as sparse files with loop devices, whose device nodes appear in servers while attached. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "../../../common/process.ts";
import type { VolumeSpec } from "../machines.ts";
import { docker } from "./docker.ts";
import { type Device, majorOf, minorOf } from "./power-cut.ts";

const gigabyte = 2 ** 30;
/** Size of a server's disk; only what is written takes space on this machine. */
const diskGb = 40;

export const deviceOf = (volume: number): string => `/dev/disk/by-id/scsi-0HC_Volume_${volume}`;

export class Volumes {
  readonly #folder: string;
  readonly #image: () => Promise<string>;
  readonly #isLimited: boolean;

  /**
   * @param folder folder of the cloud
   * @param image reference of an image that has the mkfs programs
   * @param isLimited whether servers lack CAP_SYS_RESOURCE, without which Linux grows no mounted ext4
   */
  constructor(folder: string, image: () => Promise<string>, isLimited: boolean) {
    this.#folder = folder;
    this.#image = image;
    this.#isLimited = isLimited;
  }

  /** Folder that is mounted into a server as /dev/disk. */
  nodes(server: number): string {
    const folder = join(this.#folder, "servers", String(server), "disk");
    mkdirSync(join(folder, "by-id"), { recursive: true });
    return folder;
  }

  async create({ id, sizeGb, format }: VolumeSpec): Promise<void> {
    const path = this.#file(id);
    if (existsSync(path)) return;
    const unfinished = `${path}.new`;
    mkdirSync(join(this.#folder, "volumes"), { recursive: true });
    writeFileSync(unfinished, "");
    truncateSync(unfinished, sizeGb * gigabyte);
    if (format) {
      // XFS in place of ext4 where Linux would refuse the guest to grow it.
      const make = format === "ext4" && !this.#isLimited ? ["mkfs.ext4", "-q", "-F"] : ["mkfs.xfs", "-q", "-f"];
      const mount = ["--volume", `${unfinished}:/volume`, "--network", "none", "--entrypoint", make[0] ?? ""];
      await docker("run", "--rm", ...mount, await this.#image(), ...make.slice(1), "/volume");
    }
    await must("mv", [unfinished, path]);
  }

  /** Enlarges the device, also while mounted; growing the file system is left to the guest. */
  async resize(id: number, sizeGb: number): Promise<void> {
    const path = this.#file(id);
    if (statSync(path).size >= sizeGb * gigabyte) return;
    truncateSync(path, sizeGb * gigabyte);
    const loop = await loopOf(path);
    if (loop) await must("losetup", ["--set-capacity", loop]);
  }

  /** Creates the device node in a server. */
  attach(id: number, server: number): Promise<void> {
    return makeNode(this.#file(id), this.#node(id, server));
  }

  /** Gives a server its own disk, /dev/disk/server, which is formatted by the server at its first boot. */
  async attachDisk(server: number): Promise<void> {
    const path = this.#disk(server);
    if (!existsSync(path)) {
      mkdirSync(join(this.#folder, "volumes"), { recursive: true });
      writeFileSync(path, "");
      truncateSync(path, diskGb * gigabyte);
    }
    await makeNode(path, join(this.nodes(server), "server"));
  }

  deleteDisk(server: number): Promise<void> {
    return remove(this.#disk(server));
  }

  /** Removes the device node; a mounted file system stays usable until it is unmounted. */
  async detach(id: number, server: number): Promise<void> {
    const node = this.#node(id, server);
    if (!existsSync(node)) return;
    rmSync(node, { force: true });
    const loop = await loopOf(this.#file(id));
    if (loop) await must("losetup", ["--detach", loop]);
  }

  isAttached(id: number, server: number): boolean {
    return existsSync(this.#node(id, server));
  }

  /** The disk and the Volumes of a server, taken from their files: the server can change the nodes that it sees. */
  async devicesOf(server: number): Promise<Device[]> {
    const names = readdirSync(join(this.nodes(server), "by-id"));
    const ids = names.flatMap((name) => /^scsi-0HC_Volume_(\d+)$/.exec(name)?.[1] ?? []);
    const files = [this.#disk(server), ...ids.map((id) => this.#file(Number(id)))];
    const devices: Device[] = [];
    for (const file of files.filter((each) => existsSync(each))) {
      const loop = await loopOf(file);
      if (loop !== undefined) devices.push({ node: loop, number: statSync(loop).rdev });
    }
    return devices;
  }

  delete(id: number): Promise<void> {
    return remove(this.#file(id));
  }

  /** Detaches all loop devices of the cloud and deletes all Volumes. */
  async clear(): Promise<void> {
    const folder = join(this.#folder, "volumes");
    const listed = await must("losetup", ["--list", "--noheadings", "--output", "NAME,BACK-FILE"]);
    for (const line of listed.split("\n")) {
      const [loop, file] = line.trim().split(/\s+/);
      if (loop && file?.startsWith(`${folder}/`)) await must("losetup", ["--detach", loop]);
    }
    rmSync(folder, { recursive: true, force: true });
  }

  #file(id: number): string {
    return join(this.#folder, "volumes", `${id}.img`);
  }

  #disk(server: number): string {
    return join(this.#folder, "volumes", `server-${server}.img`);
  }

  #node(id: number, server: number): string {
    return join(this.nodes(server), "by-id", `scsi-0HC_Volume_${id}`);
  }
}

/** Makes a file a block device, with a node that a server sees. */
async function makeNode(file: string, node: string): Promise<void> {
  const loop = (await loopOf(file)) ?? (await must("losetup", ["--find", "--show", file])).trim();
  const { rdev } = statSync(loop);
  rmSync(node, { force: true });
  await must("mknod", [node, "b", String(majorOf(rdev)), String(minorOf(rdev))]);
}

async function remove(file: string): Promise<void> {
  const loop = await loopOf(file);
  if (loop) await must("losetup", ["--detach", loop]);
  rmSync(file, { force: true });
}

/** The loop device of a file, if it has one. */
async function loopOf(path: string): Promise<string | undefined> {
  const listed = await must("losetup", ["--associated", path, "--noheadings", "--output", "NAME"]);
  return listed.trim().split("\n")[0] || undefined;
}
