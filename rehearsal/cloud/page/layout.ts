/**
 * Lays out the picture of what a cloud has: load balancers at the top, a box for each location with its servers and Volumes,
 * a bar for each network at the bottom. Columns of equal width go through the whole picture: networks run down in the gutter
 * left of a column, the connections of load balancers in the one right of it, so that no line crosses a card. Pure.
 */
import { faultsOn, type Health, healthOf, healthOfBalancer, healthOfTarget, worstFirst, worstOf } from "../health.ts";
import type { Status } from "../status.ts";

export type Cloud = Pick<Status, "servers" | "balancers" | "volumes" | "networks" | "faults">;

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A line of text on a card. */
export interface Line {
  readonly text: string;
  readonly look: "name" | "faint" | "volume" | "bad";
}

export interface Card extends Box {
  readonly kind: "server" | "balancer" | "volume";
  readonly name: string;
  readonly health: Health;
  readonly lines: readonly Line[];
}

/** A location with the cards or, when it has too many servers for them, one tile for each server. */
export interface LocationBox extends Box {
  readonly name: string;
  readonly note: string;
  readonly tiles: readonly (Box & { readonly name: string; readonly state: string; readonly health: Health })[];
  /** The names of those among many that are not well. */
  readonly unwell: readonly (Line & { readonly x: number; readonly y: number })[];
}

export interface Path {
  readonly points: readonly (readonly [x: number, y: number])[];
  /** `trunk`: common part of a balancer's connections; `target`: the end of one; `network`: with its number. */
  readonly kind: "trunk" | "target" | "network";
  readonly number: number;
  readonly health: Health;
  readonly title: string;
}

export interface Bar extends Box {
  readonly number: number;
  readonly text: string;
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly cards: readonly Card[];
  readonly locations: readonly LocationBox[];
  readonly paths: readonly Path[];
  readonly bars: readonly Bar[];
}

/** CSS pixels. */
const size = {
  column: 250,
  gutter: 22,
  slot: 5,
  slots: 3,
  line: 16,
  cardTop: 10,
  gap: 12,
  head: 30,
  tile: 14,
  bar: 26,
} as const;
/** Servers of one location that have a card each; more of them get tiles. */
const mostCards = 16;
/** Rows of cards in a location before it gets another column. */
const rows = 3;
/** Volumes that a card lists. */
const mostVolumes = 3;

/** Columns of the whole picture. */
interface Grid {
  readonly count: number;
  readonly width: number;
}
const columnX = (grid: Grid, column: number): number => column * grid.width;
const cardX = (grid: Grid, column: number): number => columnX(grid, column) + size.gutter;
const cardWidth = (grid: Grid): number => grid.width - 2 * size.gutter;
/** In the gutter left of the cards. */
const networkX = (grid: Grid, column: number, number: number): number =>
  columnX(grid, column) + 9 + (number % size.slots) * size.slot;
/** In the gutter right of the cards. */
const trunkX = (grid: Grid, column: number, number: number): number =>
  columnX(grid, column + 1) - 9 - (number % size.slots) * size.slot;

/** Cuts a text to the width of a card. */
function fitting(text: string, width: number, pixels: number): string {
  const most = Math.max(4, Math.floor(width / pixels));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

interface Place {
  readonly name: string;
  readonly servers: Cloud["servers"];
  /** Not attached. */
  readonly volumes: Cloud["volumes"];
}

function placesOf({ servers, volumes }: Cloud): Place[] {
  const loose = volumes.filter(({ server }) => server === null);
  const names = new Set([...servers, ...loose].map(({ location }) => location));
  return [...names].sort().map((name) => ({
    name,
    servers: servers.filter(({ location }) => location === name),
    volumes: loose.filter(({ location }) => location === name),
  }));
}

const hasTiles = ({ servers }: Place): boolean => servers.length > mostCards;
/** How much room a location needs, in cards. */
const weightOf = (place: Place): number =>
  (hasTiles(place) ? Math.ceil(place.servers.length / 60) * rows : place.servers.length) + place.volumes.length;

/** Shares the columns out among locations that stand side by side. @returns columns of each */
export function sharedColumns(weights: readonly number[], columns: number): number[] {
  const shares = weights.map(() => 1);
  for (let left = columns - weights.length; left > 0; left--) {
    const heights = weights.map((weight, index) => Math.ceil(weight / (shares[index] ?? 1)));
    const tallest = heights.indexOf(Math.max(...heights));
    if ((heights[tallest] ?? 0) <= rows) break;
    shares[tallest] = (shares[tallest] ?? 1) + 1;
  }
  return shares;
}

/** What a line can end at. */
interface Anchor {
  readonly column: number;
  /** Middle of a card, or the top of a box of tiles. */
  readonly y: number;
  readonly networks: readonly string[];
  /** Names of its servers; a card has one. */
  readonly servers: ReadonlySet<string>;
  readonly isTiles: boolean;
}

/** @param width of the picture in CSS pixels */
export function layoutOf(cloud: Cloud, width: number): Drawing {
  const count = Math.max(1, Math.floor(width / size.column));
  const grid: Grid = { count, width: width / count };
  const cards: Card[] = [];
  const locations: LocationBox[] = [];
  const anchors: Anchor[] = [];

  let top = 6;
  const balancerAt = new Map<number, { readonly column: number; readonly y: number }>();
  for (const [row, some] of chunks(cloud.balancers, count).entries()) {
    if (row > 0) top += size.gap;
    const placed = some.map((one, column) => balancerCard(one, grid, column, top));
    for (const [index, card] of placed.entries()) {
      const balancer = some[index];
      if (balancer) balancerAt.set(balancer.id, { column: index, y: card.y + card.height / 2 });
    }
    cards.push(...placed);
    top = Math.max(...placed.map((card) => card.y + card.height));
  }
  const lanes = top + size.gap;
  top = cloud.balancers.length === 0 ? top : lanes + size.slot * cloud.balancers.length + size.gap;

  for (const band of chunks(placesOf(cloud), count)) {
    const shares = sharedColumns(band.map(weightOf), count);
    let column = 0;
    const placed = band.map((place, index) => {
      const columns = shares[index] ?? 1;
      const drawn = drawPlace({ cloud, place, grid, column, columns, top });
      column += columns;
      return drawn;
    });
    const bottom = Math.max(...placed.map(({ bottom: own }) => own));
    for (const one of placed) {
      locations.push({ ...one.box, height: bottom - one.box.y });
      cards.push(...one.cards);
      anchors.push(...one.anchors);
    }
    top = bottom + size.gap;
  }

  const ends = balancerPaths({ cloud, grid, lanes, balancerAt, anchors });
  const { bars, paths } = networkPaths({ cloud, grid, top, balancerAt, anchors });
  const [lastBar] = bars.slice(-1);
  return {
    ...{ width, cards, locations, bars, paths: [...paths, ...ends] },
    height: Math.ceil(lastBar ? lastBar.y + lastBar.height + 6 : Math.max(top, 40)),
  };
}

function chunks<T>(all: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / length) }, (_, index) =>
    all.slice(index * length, (index + 1) * length),
  );
}

const cardHeight = (lines: readonly Line[]): number => 2 * size.cardTop + lines.length * size.line;

function balancerCard(balancer: Cloud["balancers"][number], grid: Grid, column: number, y: number): Card {
  const { name, targets, location, address } = balancer;
  const room = cardWidth(grid) - 34;
  const healthy = targets.filter((target) => healthOfTarget(target) === "good").length;
  const lines: Line[] = [
    { text: fitting(name, room, 7.7), look: "name" },
    { text: fitting(`load balancer · ${location}`, room, 6), look: "faint" },
    { text: fitting(address ?? "no public address", room, 6), look: "faint" },
    {
      text: `${healthy} of ${targets.length} targets healthy`,
      look: healthOfBalancer(balancer) === "bad" ? "bad" : "faint",
    },
  ];
  const box = { x: cardX(grid, column), y, width: cardWidth(grid), height: cardHeight(lines) };
  return { ...box, kind: "balancer", name, health: healthOfBalancer(balancer), lines };
}

function serverLines(cloud: Cloud, server: Cloud["servers"][number], room: number): Line[] {
  const sizes = new Map(cloud.volumes.map(({ name, sizeGb }) => [name, sizeGb]));
  const listed = server.volumes.length > mostVolumes ? server.volumes.slice(0, mostVolumes - 1) : server.volumes;
  const line = (text: string, look: Line["look"]): Line => ({
    text: fitting(text, room, look === "name" ? 7.7 : 6),
    look,
  });
  const addresses = [...(server.address === null ? [] : [server.address]), ...server.private];
  return [
    line(server.name, "name"),
    line(`${server.type} · ${server.status}`, healthOf(server.status) === "bad" ? "bad" : "faint"),
    ...(addresses.length > 0 ? [line(addresses.join(" · "), "faint")] : []),
    ...faultsOn(cloud, "server", server.name).map((kind) => line(`fault ${kind}`, "bad")),
    ...listed.map((name) => {
      const isHurt = faultsOn(cloud, "volume", name).length > 0;
      const text = `${name} · ${sizes.get(name) ?? "?"} GB${isHurt ? " · full" : ""}`;
      return { text: fitting(text, room - 16, 6), look: "volume" as const };
    }),
    ...(listed.length < server.volumes.length
      ? [line(`and ${server.volumes.length - listed.length} more Volumes`, "faint")]
      : []),
  ];
}

const healthOfServer = (cloud: Cloud, { name, status, volumes }: Cloud["servers"][number]): Health => {
  const isHurt =
    faultsOn(cloud, "server", name).length > 0 || volumes.some((one) => faultsOn(cloud, "volume", one).length > 0);
  return isHurt ? "bad" : healthOf(status);
};

interface PlaceArgs {
  readonly cloud: Cloud;
  readonly place: Place;
  readonly grid: Grid;
  readonly column: number;
  readonly columns: number;
  readonly top: number;
}
interface DrawnPlace {
  readonly box: LocationBox;
  readonly cards: readonly Card[];
  readonly anchors: readonly Anchor[];
  readonly bottom: number;
}

function drawPlace(args: PlaceArgs): DrawnPlace {
  const { cloud, place, grid, column, columns, top } = args;
  const running = place.servers.filter(({ status }) => status === "running").length;
  const total = place.servers.length;
  const note = total === 0 ? "" : `${running} of ${total} running`;
  const frame = { x: columnX(grid, column) + 2, y: top, width: columns * grid.width - 4, name: place.name, note };
  const inner = top + size.head;
  const drawn = hasTiles(place) ? drawTiles(args, inner) : { tiles: [], unwell: [], anchors: [], bottom: inner };
  const bottoms = Array.from({ length: columns }, () => drawn.bottom);
  const cards: Card[] = [];
  const anchors: Anchor[] = [...drawn.anchors];
  const add = (index: number, card: Omit<Card, "x" | "y" | "width" | "height">, anchor?: Cloud["servers"][number]) => {
    const at = index % columns;
    const y = bottoms[at] ?? inner;
    const height = cardHeight(card.lines);
    cards.push({ ...card, x: cardX(grid, column + at), y, width: cardWidth(grid), height });
    bottoms[at] = y + height + size.gap;
    if (!anchor) return;
    const { networks, name } = anchor;
    anchors.push({ column: column + at, y: y + height / 2, networks, servers: new Set([name]), isTiles: false });
  };
  const room = cardWidth(grid) - 34;
  const own = hasTiles(place) ? [] : worstFirst(place.servers, (one) => healthOfServer(cloud, one));
  for (const [index, server] of own.entries()) {
    const lines = serverLines(cloud, server, room);
    add(index, { kind: "server", name: server.name, health: healthOfServer(cloud, server), lines }, server);
  }
  const loose = place.volumes.length > mostCards ? place.volumes.slice(0, mostCards - 1) : place.volumes;
  for (const [index, { name, sizeGb }] of loose.entries()) {
    const lines: Line[] = [
      { text: fitting(name, room, 7.7), look: "name" },
      { text: `Volume · ${sizeGb} GB · not attached`, look: "faint" },
    ];
    add(own.length + index, { kind: "volume", name, health: "good", lines });
  }
  const bottom = Math.max(...bottoms, inner);
  return { box: { ...frame, height: bottom - top, tiles: drawn.tiles, unwell: drawn.unwell }, cards, anchors, bottom };
}

/** One tile for each of many servers, the unwell first and by name. */
function drawTiles({ cloud, place, grid, column, columns }: PlaceArgs, top: number) {
  const left = cardX(grid, column);
  const width = columns * grid.width - 2 * size.gutter;
  const pitch = size.tile + 3;
  const perRow = Math.floor((width + 3) / pitch);
  const sorted = worstFirst(place.servers, (one) => healthOfServer(cloud, one));
  const tiles = sorted.map((server, index) => ({
    ...{ x: left + (index % perRow) * pitch, y: top + Math.floor(index / perRow) * pitch },
    ...{ width: size.tile, height: size.tile, name: server.name, state: server.status },
    health: healthOfServer(cloud, server),
  }));
  const under = top + Math.ceil(sorted.length / perRow) * pitch;
  const unwell = sorted.filter((one) => healthOfServer(cloud, one) !== "good");
  const named = unwell
    .slice(0, 5)
    .map(({ name, status }) => `${name}: ${faultsOn(cloud, "server", name)[0] ?? status}`);
  const texts = unwell.length > named.length ? [...named, `and ${unwell.length - named.length} more`] : named;
  const anchor: Anchor = {
    ...{ column, y: top - 6, isTiles: true, servers: new Set(place.servers.map(({ name }) => name)) },
    networks: [...new Set(place.servers.flatMap(({ networks }) => networks))],
  };
  return {
    tiles,
    unwell: texts.map((text, index) => ({
      ...{ text: fitting(text, width, 6), look: "bad" as const },
      ...{ x: left, y: under + 12 + index * size.line },
    })),
    anchors: [anchor],
    bottom: under + texts.length * size.line + size.gap,
  };
}

interface PathArgs {
  readonly cloud: Cloud;
  readonly grid: Grid;
  readonly balancerAt: ReadonlyMap<number, { readonly column: number; readonly y: number }>;
  readonly anchors: readonly Anchor[];
}

/** From each load balancer right, down, along its lane, and down in the gutter of each column with a target. */
function balancerPaths({ cloud, grid, lanes, balancerAt, anchors }: PathArgs & { readonly lanes: number }): Path[] {
  return cloud.balancers.flatMap((balancer, number): Path[] => {
    const from = balancerAt.get(balancer.id);
    const health = new Map(balancer.targets.map((target) => [target.name, healthOfTarget(target)]));
    const ends = anchors.flatMap((anchor) => {
      const own = [...anchor.servers].flatMap((name) => health.get(name) ?? []);
      return own.length === 0 ? [] : [{ anchor, own }];
    });
    if (!from || ends.length === 0) return [];
    const path = (kind: Path["kind"], points: Path["points"], of: Health, title: string): Path => ({
      ...{ kind, points, number, health: of, title },
    });
    const lane = lanes + number * size.slot;
    const start = trunkX(grid, from.column, number);
    const cardRight = cardX(grid, from.column) + cardWidth(grid);
    const down = path(
      "trunk",
      [
        [cardRight, from.y],
        [start, from.y],
        [start, lane],
      ],
      "good",
      balancer.name,
    );
    const xs = [start, ...ends.map(({ anchor }) => trunkX(grid, anchor.column, number))];
    const along = path(
      "trunk",
      [
        [Math.min(...xs), lane],
        [Math.max(...xs), lane],
      ],
      "good",
      balancer.name,
    );
    const columns = [...new Set(ends.map(({ anchor }) => anchor.column))];
    const trunks = columns.map((column) => {
      const x = trunkX(grid, column, number);
      const bottom = Math.max(...ends.filter(({ anchor }) => anchor.column === column).map(({ anchor }) => anchor.y));
      return path(
        "trunk",
        [
          [x, lane],
          [x, bottom + offset(number)],
        ],
        "good",
        balancer.name,
      );
    });
    const stubs = ends.map(({ anchor, own }) => {
      const x = trunkX(grid, anchor.column, number);
      const y = anchor.y + offset(number);
      const right = cardX(grid, anchor.column) + cardWidth(grid);
      const healthy = own.filter((one) => one === "good").length;
      const title = anchor.isTiles
        ? `${balancer.name}: ${healthy} of ${own.length} targets healthy`
        : `${balancer.name} → ${[...anchor.servers].join("")}`;
      return path(
        "target",
        [
          [x, y],
          [right, y],
        ],
        worstOf(own),
        title,
      );
    });
    return [down, along, ...trunks, ...stubs];
  });
}

/** Several load balancers that have the same target end at different heights of its card. */
const offset = (number: number): number => (number % size.slots) * size.slot - size.slot;

/** A bar for each network, and from every member a line down to it in the gutter left of the cards. */
function networkPaths({ cloud, grid, top, balancerAt, anchors }: PathArgs & { readonly top: number }) {
  const members = [
    ...anchors,
    ...cloud.balancers.flatMap((one) => {
      const at = balancerAt.get(one.id);
      return at ? [{ ...at, networks: one.networks, isTiles: false }] : [];
    }),
  ];
  const bars = cloud.networks.map(({ name, range }, number): Bar => {
    const servers = cloud.servers.filter(({ networks }) => networks.includes(name)).length;
    const text = `${name} · ${range} · ${servers} ${servers === 1 ? "server" : "servers"}`;
    const width = grid.count * grid.width - 4;
    return {
      ...{ x: 2, y: top + number * (size.bar + 6), width, height: size.bar, number },
      text: fitting(text, width - 34, 6.4),
    };
  });
  const paths = cloud.networks.flatMap(({ name }, number): Path[] => {
    const own = members.filter(({ networks }) => networks.includes(name));
    const path = (points: Path["points"]): Path => ({ kind: "network", points, number, health: "good", title: name });
    const columns = [...new Set(own.map(({ column }) => column))];
    const barTop = bars[number]?.y ?? top;
    return [
      ...columns.map((column) => {
        const x = networkX(grid, column, number);
        const first = Math.min(...own.filter((one) => one.column === column).map(({ y }) => y));
        return path([
          [x, first + offset(number)],
          [x, barTop],
        ]);
      }),
      ...own.map(({ column, y }) =>
        path([
          [networkX(grid, column, number), y + offset(number)],
          [cardX(grid, column), y + offset(number)],
        ]),
      ),
    ];
  });
  return { bars, paths };
}
