/** Which ports answer from where: from inside each container, from another server, and from a server with a route to the containers. */
import { catalogue } from "../../topology/catalogue.ts";
import type { Line } from "../golden.ts";

/** Runs a command as root of a server. @returns the lines that it printed */
export type OnServer = (server: string, ...words: string[]) => Promise<string[]>;

/** Ports of every kind of service, and those that machines usually have open. */
const ports = [
  ...new Set([
    ...Object.values(catalogue).flatMap(({ ports: own }) => Object.values<number>(own)),
    ...[22, 80, 443, 2375, 2376, 6380, 8000, 8080, 9100],
  ]),
].sort((a, b) => a - b);

/** Prints those of its arguments, `address:port`, that accept a connection within two seconds. */
const knock = `
import errno, selectors, socket, sys, time
waiting = selectors.DefaultSelector()
for target in sys.argv[1:]:
    address, port = target.rsplit(":", 1)
    one = socket.socket()
    one.setblocking(False)
    if one.connect_ex((address, int(port))) in (0, errno.EINPROGRESS):
        waiting.register(one, selectors.EVENT_WRITE, target)
end = time.monotonic() + 2
while waiting.get_map() and time.monotonic() < end:
    for key, _ in waiting.select(0.2):
        if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
            print(key.data)
        waiting.unregister(key.fileobj)
        key.fileobj.close()
`;

/** An address that can be knocked at. */
export interface Target {
  /** `database`, `host`, `core-1`, `metadata`: as the table calls it. */
  readonly name: string;
  readonly address: string;
}

interface Container {
  readonly service: string;
  readonly pid: string;
  readonly addresses: readonly string[];
}

/** The running containers of a server, each under its service's name. */
async function containersOn(on: OnServer, server: string): Promise<Container[]> {
  const ids = await on(server, "docker", "ps", "--quiet", "--filter", "label=service");
  if (ids.length === 0) return [];
  const format =
    '{{index .Config.Labels "service"}} {{.State.Pid}}{{range .NetworkSettings.Networks}} {{.IPAddress}}{{end}}';
  const lines = await on(server, "docker", "inspect", "--format", format, ...ids);
  return lines
    .map((line) => line.split(" "))
    .map(([service = "", pid = "", ...addresses]) => ({ service, pid, addresses }))
    .sort((a, b) => a.service.localeCompare(b.service));
}

/** The server's own addresses in its container networks. */
async function gatewaysOn(on: OnServer, server: string): Promise<Target[]> {
  const format = "{{range .IPAM.Config}}{{.Gateway}}{{end}}";
  const names = await on(server, "docker", "network", "ls", "--quiet", "--filter", "driver=bridge");
  const addresses = await on(server, "docker", "network", "inspect", "--format", format, ...names);
  return addresses.filter((one) => one !== "").map((address) => ({ name: "the server itself", address }));
}

/** What every vantage point of a server can be tried from: the containers on it, the server, its neighbours, the metadata service. */
export async function targetsOn(on: OnServer, server: string, servers: readonly Target[]): Promise<Target[]> {
  const containers = await containersOn(on, server);
  return [
    ...containers.flatMap(({ service, addresses }) => addresses.map((address) => ({ name: service, address }))),
    ...(await gatewaysOn(on, server)),
    ...servers,
    { name: "metadata service", address: "169.254.169.254" },
  ];
}

/** The open ports of targets, as a program on a server sees them. @param into words before the program: another namespace */
async function openFrom(
  on: OnServer,
  server: string,
  targets: readonly Target[],
  ...into: string[]
): Promise<Map<string, number[]>> {
  const asked = targets.flatMap(({ address }) => ports.map((port) => `${address}:${port}`));
  const answered = await on(server, ...into, "python3", "-c", knock, ...asked);
  const open = new Map<string, Set<number>>();
  for (const line of answered) {
    const [address, port] = line.split(":");
    for (const { name } of targets.filter((target) => target.address === address)) {
      open.set(name, (open.get(name) ?? new Set()).add(Number(port)));
    }
  }
  return new Map([...open].map(([name, found]) => [name, [...found].sort((a, b) => a - b)]));
}

const linesOf = (from: string, open: ReadonlyMap<string, readonly number[]>): Line[] =>
  open.size === 0
    ? [{ kind: "from", name: from, values: [{ to: "nothing" }] }]
    : [...open]
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([to, found]) => ({
          ...{ kind: "from", name: from, values: [{ to, ports: found }] },
        }));

/** From inside each container of a server. Instances of one service have to see the same. */
export async function reachOfContainers(on: OnServer, server: string, servers: readonly Target[]): Promise<Line[]> {
  const targets = await targetsOn(on, server, servers);
  const lines: Line[] = [];
  for (const { service, pid } of await containersOn(on, server)) {
    const open = await openFrom(on, server, targets, "nsenter", "--target", pid, "--net");
    // Itself: a container reaches its own ports at its own address.
    open.delete(service);
    lines.push(...linesOf(service, open));
  }
  return lines;
}

/** From another server: at its addresses in the private network, and straight to the containers by a route through it. */
export async function reachOfNeighbour(
  on: OnServer,
  neighbour: string,
  server: string,
  targets: readonly Target[],
): Promise<Line[]> {
  const [own] = targets.filter(({ name }) => name === server);
  const behind = targets.filter(({ address }) => /^172\.(1[6-9]|2\d|3[01])\./.test(address));
  const direct = await openFrom(on, neighbour, own ? [own] : []);
  await on(neighbour, "ip", "route", "replace", "172.16.0.0/12", "via", own?.address ?? "");
  try {
    const routed = await openFrom(on, neighbour, behind);
    return [...linesOf("a neighbour", direct), ...linesOf("a neighbour with a route to the containers", routed)];
  } finally {
    await on(neighbour, "ip", "route", "del", "172.16.0.0/12");
  }
}
