/**
 * What a power cut of the rehearsal cloud leaves on a server's disks: all that a database has written through, and nothing that
 * was in the memory of its server only. Two PostgreSQL servers show it, of which one does not write through.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { resolve } from "node:path";
import { officialImages } from "../../../config/images.ts";
import { RehearsalCloud } from "../../../testing/cloud.ts";
import { eventually } from "../../../testing/eventually.ts";
import { succeed } from "../../../testing/sandbox.ts";

const root = resolve(__dirname, "..", "..", "..");
jest.setTimeout(300_000);

const cloud = new RehearsalCloud(root, { name: "cut", block: 89, port: 8890, machines: "docker" });
const ids = { server: 0, database: 0, files: 0 };
let address: string;
const on = (script: string): string => succeed(cloud.ssh(address, script)).trim();
const folderOf = (volume: number) => `/mnt/HC_Volume_${volume}`;
const power = (command: string) => cloud.hetzner("POST", `/servers/${ids.server}/actions/${command}`);
/** Waits for a server that is on, and for its Volumes. */
async function back(): Promise<void> {
  await cloud.booted(address);
  await eventually(() => {
    on([ids.database, ids.files].map((volume) => `mountpoint -q ${folderOf(volume)}`).join(" && "));
  });
}

beforeAll(async () => {
  cloud.up();
  await cloud.make("/ssh_keys", "ssh_key", { name: "key", public_key: cloud.publicKey });
  ids.server = await cloud.make("/servers", "server", {
    ...{ name: "core", server_type: "cx23", image: "debian-12", ssh_keys: ["key"] },
  });
  const volume = (name: string, format: string) =>
    cloud.make("/volumes", "volume", { name, size: 10, server: ids.server, automount: true, format });
  [ids.database, ids.files] = [await volume("database", "xfs"), await volume("files", "ext4")];
  address = await cloud.address("core");
  await Promise.all([back(), cloud.deliver(officialImages.postgres)]);
});

afterAll(() => {
  cloud.dispose();
});

describe("orders that two PostgreSQL servers have acknowledged when the power is cut", () => {
  const servers = ["through", "cached"] as const;
  type Server = (typeof servers)[number];
  const psql = (server: Server, ...options: string[]) =>
    ["docker exec --interactive", server, "psql --username postgres --no-psqlrc -qtA", ...options].join(" ");
  const acknowledged = { through: new Set<string>(), cached: new Set<string>() };

  /** Places orders, one per transaction, until the connection breaks off, and notes each that the database has confirmed. */
  function placeOrders(server: Server): Promise<unknown> {
    const writer = spawn("ssh", [...cloud.sshOptions, `root@${address}`, psql(server)], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    const orders = Array.from({ length: 50_000 }, (_, id) => `INSERT INTO orders VALUES (${id}) RETURNING id;\n`);
    writer.stdin.on("error", () => undefined);
    writer.stdin.end(orders.join(""));
    createInterface({ input: writer.stdout }).on("line", (id) => acknowledged[server].add(id));
    return new Promise((done) => writer.once("close", done));
  }

  const missing = (server: Server): string[] => {
    const kept = new Set(on(psql(server, "-c 'SELECT id FROM orders'")).split("\n"));
    return [...acknowledged[server]].filter((id) => !kept.has(id));
  };

  beforeAll(async () => {
    on(`docker pull -q ${officialImages.postgres}`);
    for (const [server, fsync] of [
      ["through", "on"],
      ["cached", "off"],
    ]) {
      on(
        `docker run --detach --name ${server} --restart always --env POSTGRES_HOST_AUTH_METHOD=trust ` +
          `--volume ${folderOf(ids.database)}/${server}:/var/lib/postgresql/data ${officialImages.postgres} ` +
          `-c fsync=${fsync} -c checkpoint_timeout=1h`,
      );
    }
    for (const server of servers) {
      await eventually(() => {
        on(`docker exec ${server} pg_isready -h 127.0.0.1`);
      });
      on(psql(server, "-c 'CREATE TABLE orders (id int PRIMARY KEY)' -c CHECKPOINT"));
    }
    // Both begin with everything on the disk.
    on("sync");
    const writers = servers.map((server) => placeOrders(server));
    await eventually(() => {
      for (const server of servers) expect(acknowledged[server].size).toBeGreaterThanOrEqual(200);
    });
    await cloud.fault({ kind: "killed", server: ids.server });
    await Promise.all(writers);
    await power("poweron");
    await back();
  });

  test("are all there where each was written through", async () => {
    await eventually(() => {
      expect(missing("through")).toEqual([]);
    });
  });

  test("are lost with fsync=off: some of them, or the database as a whole", async () => {
    await eventually(() => {
      const [restarts = ""] = on("docker inspect --format '{{.RestartCount}}' cached").split("\n");
      expect(Number(restarts) > 0 || missing("cached").length > 0).toBe(true);
    });
  });
});

describe("files on another Volume of the server, and in a Docker volume on its own disk", () => {
  const folders = () => [folderOf(ids.files), "/var/lib/docker/volumes/kept/_data"];
  const files = () => folders().map((folder) => on(`cat ${folder}/*`).split("\n"));
  const write = (name: string) =>
    folders()
      .map((folder) => `echo ${name} >> ${folder}/${name}`)
      .join("; ");

  beforeAll(() => {
    on("docker volume create kept");
  });

  test.each(["poweroff", "reset"])("%s: what was written through is there, and nothing else", async (command) => {
    on(`${write(`through-${command}`)}; sync; ${write(`cached-${command}`)}`);
    for (const found of files()) expect(found).toContain(`cached-${command}`);
    await power(command);
    if (command === "poweroff") await power("poweron");
    await back();
    for (const found of files()) {
      expect(found).toContain(`through-${command}`);
      expect(found).not.toContain(`cached-${command}`);
    }
  });

  test("shutdown: the operating system writes everything before it ends", async () => {
    on(write("cached-shutdown"));
    await power("shutdown");
    await power("poweron");
    await back();
    for (const found of files()) expect(found).toContain("cached-shutdown");
  });
});
