/**
 * Which ports accept a connection from where: from inside each container, from the servers, from a neighbour in their private
 * network, and from one that has a route to the containers.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { catalogue } from "../../topology/catalogue.ts";
import type { Line } from "../golden.ts";
import { type OnServer, pythonOn } from "./on-server.ts";
import { gatewayOf, networkFormat } from "../bridge-address.ts";
import { grouped, groupOf, type Survey } from "./survey.ts";

const program = readFileSync(join(import.meta.dirname, "knock.py"), "utf8");

/** An address under the name that the table has for it. Several addresses may have one name. */
export interface Target {
  /** `database@core-1`, `core-1`, `metadata`. */
  readonly name: string;
  readonly address: string;
}

/** Ports of every kind of service, those that machines usually have open, and all on which something was found to listen. */
export const portsOf = (surveys: readonly Survey[]): number[] =>
  [
    ...new Set([
      ...Object.values(catalogue).flatMap(({ ports }) => Object.values<number>(ports)),
      ...[22, 53, 80, 111, 443, 2375, 2376, 6380, 6382, 8000, 8080, 9090, 9100],
      ...surveys.flatMap(({ listens, containers }) => [...listens, ...containers.flatMap((one) => one.listens)]),
    ]),
  ].sort((a, b) => a - b);

/** The containers of a server at their own addresses. */
const containerTargets = (survey: Survey): Target[] =>
  survey.containers.flatMap((one) => one.addresses.map((address) => ({ name: groupOf(survey, one), address })));

/** The server's own addresses in its container networks. */
async function gatewaysOf(on: OnServer, server: string): Promise<Target[]> {
  const ids = (await on(server, ["docker", "network", "ls", "--quiet", "--filter", "driver=bridge"])).trim();
  const listed = await on(server, ["docker", "network", "inspect", "--format", networkFormat, ...ids.split("\n")]);
  const networks = listed.split("\n").filter((line) => line !== "");
  return networks.map((network) => ({ name: `bridges-of-${server}`, address: gatewayOf(network) }));
}

/** The address at which Hetzner answers with a server's user data. */
const metadataService: Target = { name: "metadata", address: "169.254.169.254" };
/** The port at which a server answers itself at that address while it is tried: one that no container publishes. */
const trapPort = 8775;

/** What accepted a connection: ports by the name of the target. */
type Open = ReadonlyMap<string, ReadonlySet<number>>;

/** Where a program of a server tries: the words with which it runs there, and the addresses that are its own. */
interface Place {
  readonly words: readonly string[];
  readonly own?: readonly string[];
}

async function knock(
  on: OnServer,
  server: string,
  places: Readonly<Record<string, Place>>,
  targets: readonly Target[],
  ports: readonly number[],
): Promise<Map<string, Open>> {
  const addresses = [...new Set(targets.map(({ address }) => address))];
  const trap = `${metadataService.address}:${trapPort}`;
  const answer = await pythonOn(on, server, program, {
    places: Object.fromEntries(Object.entries(places).map(([name, { words }]) => [name, words])),
    targets: addresses.flatMap((address) =>
      address === metadataService.address ? [trap] : ports.map((port) => `${address}:${port}`),
    ),
    trap: targets.includes(metadataService) ? trap : null,
  });
  const accepted = z.record(z.string(), z.array(z.string())).parse(answer);
  return new Map(
    Object.entries(places).map(([name, { own = [] }]) => {
      const others = targets.filter(({ address }) => !own.includes(address));
      return [name, openOf(accepted[name] ?? [], others)];
    }),
  );
}

/** @param accepted `address:port` */
export function openOf(accepted: readonly string[], targets: readonly Target[]): Open {
  const open = new Map<string, Set<number>>();
  for (const one of accepted) {
    const [address, port] = one.split(":");
    for (const { name } of targets.filter((target) => target.address === address)) {
      open.set(name, (open.get(name) ?? new Set()).add(Number(port)));
    }
  }
  return open;
}

/** A line for each target that a place reaches. */
export function reachLines(place: string, open: Open = new Map()): Line[] {
  if (open.size === 0) return [{ kind: "reach", name: `${place}->nothing`, values: [{}] }];
  return [...open].map(([name, ports]) => ({
    ...{ kind: "reach", name: `${place}->${name}`, values: [{ ports: [...ports].sort((a, b) => a - b) }] },
  }));
}

/** From inside each container of a server, and from the server itself: as root, and as a user who is not root. */
export async function reachOfServer(
  on: OnServer,
  survey: Survey,
  servers: readonly Target[],
  ports: readonly number[],
): Promise<Line[]> {
  const { server, containers } = survey;
  const own = servers.filter(({ name }) => name === server);
  const others = servers.filter(({ name }) => name !== server);
  const here = [...containerTargets(survey), ...(await gatewaysOf(on, server)), ...own, metadataService];
  const inside = containers.map(({ service, pid, addresses }): [string, Place] => [
    service,
    { words: ["nsenter", "--target", String(pid), "--net"], own: addresses },
  ]);
  const nobody: Place = { words: ["setpriv", "--reuid", "65534", "--clear-groups"] };
  const fromHere = await knock(on, server, { ...Object.fromEntries(inside), nobody }, [...here, ...others], ports);
  // Root reaches what is on its own server anyway.
  const fromRoot = await knock(on, server, { root: { words: ["env"] } }, [...others, metadataService], ports);
  const linesOf = containers.map(
    (one) => [one, (place: string) => reachLines(place, fromHere.get(one.service))] as const,
  );
  return [
    ...grouped(survey, new Map(linesOf)),
    ...reachLines(`nobody@${server}`, fromHere.get("nobody")),
    ...reachLines(`root@${server}`, fromRoot.get("root")),
  ];
}

/**
 * From a server that the plan does not know, in the private network: at the addresses of a server, and with a route through it
 * to its containers, its bridges and its public address.
 */
export async function reachOfNeighbour(
  on: OnServer,
  neighbour: string,
  survey: Survey,
  { direct, publicly }: { readonly direct: Target; readonly publicly: Target },
  ports: readonly number[],
): Promise<Line[]> {
  const { server } = survey;
  const from = async (place: string, targets: readonly Target[]) =>
    reachLines(place, (await knock(on, neighbour, { place: { words: ["env"] } }, targets, ports)).get("place"));
  const open = await from("neighbour", [direct, publicly]);
  // Each server has a bridge of this address: from here it would be the neighbour's own.
  const own = (await on(neighbour, ["hostname", "--all-ip-addresses"])).trim().split(" ");
  const behind = [...containerTargets(survey), ...(await gatewaysOf(on, server)), publicly].filter(
    ({ address }) => !own.includes(address),
  );
  const routes = [...new Set(behind.map(({ address }) => `${address}/32`))];
  const change = (words: (route: string) => string) =>
    on(neighbour, ["ip", "-batch", "-"], routes.map((route) => `${words(route)}\n`).join(""));
  await change((route) => `route replace ${route} via ${direct.address}`);
  try {
    return [...open, ...(await from(`neighbour-with-routes-through-${server}`, [direct, ...behind]))];
  } finally {
    await change((route) => `route del ${route}`);
  }
}
