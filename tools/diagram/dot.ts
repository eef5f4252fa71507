/** Describes a plan, or the change between two, in Graphviz' language: the same input gives the same text. Pure. */
import { type Group, groupsOn, type Inventory, type PlannedServer } from "../plan/inventory.ts";
import { type Changes, changesBetween, serverId, union } from "./change.ts";
import { balancerId, groupId, type Link, linksOf, outside, type Remote } from "./links.ts";

/** A plan, and what is outside its servers. */
export interface Drawing {
  readonly inventory: Inventory;
  readonly remote: Remote;
}

export interface Picture {
  readonly title: string;
  readonly after: Drawing;
  /** The plan that a move starts from. @default - no move: the plan alone is drawn */
  readonly before?: Drawing;
}

/** What is drawn: for a move, the elements of both plans. */
interface Drawn {
  readonly inventory: Inventory;
  /** What the move does to each element. */
  readonly changes: Changes | undefined;
}

/** Arial's metrics are known to Graphviz without a font; the picture names fonts of the same metrics. */
const font = "Arial";

/** The graph. Colours are classes, so that a style sheet serves light and dark. */
export function dotOf({ title, before, after }: Picture): string {
  const drawn: Drawn = before
    ? {
        inventory: union(before.inventory, after.inventory),
        changes: changesBetween(before.inventory, after.inventory),
      }
    : { inventory: after.inventory, changes: undefined };
  const lines = linesOf(before, after, drawn.inventory);
  return [
    "digraph plan {",
    `graph [${[
      ...["rankdir=LR, compound=true, newrank=true, ranksep=0.55, nodesep=0.14, pad=0.25, bgcolor=transparent"],
      ...[`fontname=${font}, fontsize=15, labelloc=t, labeljust=l, class=title, label=${quoted(title)}`],
    ].join(", ")}]`,
    `node [shape=box, style="rounded,filled", fontname=${font}, fontsize=11, margin="0.14,0.06", height=0.3]`,
    `edge [arrowsize=0.6, penwidth=1.1]`,
    ...outsideNodes(lines),
    ...(drawn.inventory.hosting === "local" ? machine(drawn) : locations(drawn)),
    ...lines.map(edge),
    ...legend(drawn),
    "}",
    "",
  ].join("\n");
}

function outsideNodes(links: readonly Link[]): string[] {
  const used = new Set(links.flatMap(({ from, to }) => [from, to]));
  const node = (id: string, text: string, shape: string, kind: string) =>
    used.has(id) ? [`${quoted(id)} [label=${quoted(text)}, shape=${shape}, style=filled, class="${kind}"]`] : [];
  return [
    ...node(outside.visitors, "visitors", "oval", "outside"),
    ...node(outside.cloudflare, "Cloudflare\nDNS, WAF, cache", "box", "outside"),
    ...node(outside.files, "R2\nfiles", "cylinder", "data"),
    ...node(outside.backups, "R2\nbackups", "cylinder", "data"),
  ];
}

/** A cluster for each location, with a cluster for each of its servers. */
function locations(drawn: Drawn): string[] {
  const { servers, loadBalancers } = drawn.inventory;
  const names = [...new Set([...servers, ...loadBalancers].map(({ location }) => location))];
  return names.flatMap((location) => [
    `subgraph ${quoted(`cluster location ${location}`)} {`,
    `graph [label=${quoted(location)}, class=location, style=rounded, fontsize=13, margin=10]`,
    ...loadBalancers.filter((one) => one.location === location).map((one) => balancer(one, drawn)),
    ...servers.filter((one) => one.location === location).flatMap((one) => server(one, drawn)),
    "}",
  ]);
}

const balancer = ({ name, type }: Inventory["loadBalancers"][number], { changes }: Drawn): string =>
  `${quoted(balancerId(name))} [label=${quoted(`${name}\n${type}`)}, class="${classes("service", balancerId(name), changes)}"]`;

function server(planned: PlannedServer, drawn: Drawn): string[] {
  const { name, type, volumeGb, privateAddress } = planned;
  const facts = [type, privateAddress, ...(volumeGb > 0 ? [`Volume ${volumeGb} GB`] : [])].join(" · ");
  const kind = volumeGb > 0 ? "server keeper" : "server";
  return [
    `subgraph ${quoted(cluster(name))} {`,
    `graph [label=<<b>${name}</b><br align="left"/><font point-size="10">${facts}</font><br align="left"/>>, class="${classes(kind, serverId(name), drawn.changes)}", style=rounded, fontsize=12, margin=8]`,
    ...services(name, drawn),
    "}",
  ];
}

const machine = (drawn: Drawn): string[] => [
  `subgraph ${quoted(cluster("local"))} {`,
  `graph [label="Docker Engine of this machine", class=server, style=rounded, fontsize=12, margin=8]`,
  ...services("local", drawn),
  "}",
];

const cluster = (server: string): string => `cluster server ${server}`;

/** A server without a service, such as one that is planned for later, has an empty node: a cluster needs one. */
function services(server: string, drawn: Drawn): string[] {
  const groups = groupsOn(drawn.inventory, server).filter(({ services: [first] }) => first?.runs !== "once");
  if (groups.length === 0) return [`${quoted(`${server}/none`)} [label="no service", class=note, style=filled]`];
  return groups.map((group) => service(group, drawn.changes));
}

function service(group: Group, changes: Changes | undefined): string {
  const [first] = group.services;
  const id = groupId(group);
  const count = group.services.length;
  const queues = group.services.flatMap((one) => one.queues ?? []);
  const ports = group.services.flatMap((one) => one.ports.map(({ port }) => port));
  const small = [...queues, ...ports].join(" ");
  const label = `${group.kind}${count > 1 ? ` × ${count}` : ""}${small === "" ? "" : `\n${small}`}`;
  const shape = first?.keeps === "data" ? "cylinder, style=filled" : "box";
  const kind = first?.keeps === "data" ? "data" : first?.runs === "always" ? "service" : "service sometimes";
  return `${quoted(id)} [label=${quoted(label)}, shape=${shape}, class="${classes(kind, id, changes)}"]`;
}

interface Line extends Link {
  /** The clusters at whose borders it starts and ends. */
  readonly between?: { readonly tail: string; readonly head: string };
  /** It has an influence on where its ends are, and is not drawn. */
  readonly hidden?: boolean;
  /** The move ends this connection. */
  readonly gone?: boolean;
}

/** The connections of both plans, and of those without one, lines that keep their places. */
function linesOf(before: Drawing | undefined, after: Drawing, drawn: Inventory): Line[] {
  const now = linksOf(after.inventory, after.remote);
  const stays = new Set(now.map(({ from, to }) => `${from} ${to}`));
  const was = before ? linksOf(before.inventory, before.remote) : [];
  const gone = was.filter(({ from, to }) => !stays.has(`${from} ${to}`)).map((link) => ({ ...link, gone: true }));
  const lines = [...joined(now, drawn), ...joined(gone, drawn)];
  return [...lines, ...besides(drawn, lines)];
}

/**
 * The data of all clients on one server that goes to one other server is one line from border to border; within a server, and
 * for visitors and copies, each connection is a line of its own.
 */
function joined(links: readonly Line[], { services }: Inventory): Line[] {
  const serverOf = new Map(services.map((service) => [groupId(service), service.server]));
  const seen = new Set<string>();
  return links.map((link) => {
    const [tail, head] = [serverOf.get(link.from), serverOf.get(link.to) ?? link.to];
    if (link.way !== "data" || tail === undefined || tail === head) return link;
    if (seen.has(`${tail} ${head}`)) return { ...link, hidden: true };
    seen.add(`${tail} ${head}`);
    return serverOf.has(link.to) ? { ...link, between: { tail: cluster(tail), head: cluster(head) } } : link;
  });
}

/** Groups without a connection stand before the first one on their server that has some. */
function besides({ services }: Inventory, lines: readonly Line[]): Line[] {
  const linked = new Set(lines.flatMap(({ from, to }) => [from, to]));
  const lonely = services.filter((one) => one.runs !== "once" && !linked.has(groupId(one)));
  return lonely.flatMap((one) => {
    const other = services.find((each) => each.server === one.server && linked.has(groupId(each)));
    return other ? [{ from: groupId(one), to: groupId(other), way: "data", hidden: true } as const] : [];
  });
}

function edge({ from, to, way, between, hidden, gone }: Line): string {
  const attributes = hidden
    ? ["style=invis"]
    : [
        `class="${way}${gone ? " gone" : ""}"`,
        ...(way === "copy" ? ["style=dashed"] : []),
        ...(between ? [`ltail=${quoted(between.tail)}`, `lhead=${quoted(between.head)}`] : []),
      ];
  return `${quoted(from)} -> ${quoted(to)} [${attributes.join(", ")}]`;
}

const classes = (kind: string, id: string, changes: Changes | undefined): string =>
  changes === undefined ? kind : `${kind} ${changes(id)}`;

function legend({ changes }: Drawn): string[] {
  if (changes === undefined) return [];
  const entry = (id: string, text: string) => `${quoted(`legend/${id}`)} [label="${text}", class="service ${id}"]`;
  return [
    `subgraph "cluster legend" { graph [label="", class=legend, style=invis, margin=4]`,
    entry("new", "new"),
    entry("changed", "changed"),
    entry("gone", "goes"),
    `"legend/data" [label="keeps data", shape=cylinder, style=filled, class="data same"]`,
    "}",
  ];
}

const quoted = (text: string): string =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
