import {
  type Box,
  type Cloud,
  type Drawing,
  layoutOf,
  sharedColumns,
} from "../../../../../rehearsal/cloud/page/layout.ts";
import { svgOf } from "../../../../../rehearsal/cloud/page/picture.ts";

const widths = [1200, 700, 336];

function server(
  name: string,
  location: string,
  more: Partial<Cloud["servers"][number]> = {},
): Cloud["servers"][number] {
  return {
    ...{ id: 1, name, location, type: "cx23", status: "running", address: "127.77.0.4" },
    ...{ private: ["10.20.1.10"], networks: ["net"], volumes: [], ...more },
  };
}
const healthy = (name: string, status = "healthy") => ({ name, health: [{ listen_port: 80, status }] });
const balancer = (id: number, targets: Cloud["balancers"][number]["targets"]): Cloud["balancers"][number] => ({
  ...{ id, name: `edge-${id}`, location: "nbg1", address: "127.77.0.9", networks: ["net"], targets },
});

const platform: Cloud = {
  servers: [
    ...["core-1", "app-1", "app-2", "worker-1"].map((name) => server(name, "nbg1")),
    server("db-2", "hel1", { volumes: ["data"] }),
    server("app-3", "fsn1", { status: "off" }),
  ],
  balancers: [
    balancer(1, [healthy("app-1"), healthy("app-2"), healthy("app-3", "unhealthy")]),
    balancer(2, [healthy("app-1")]),
  ],
  volumes: [
    { id: 1, name: "data", sizeGb: 100, location: "hel1", server: "db-2" },
    { id: 2, name: "loose", sizeGb: 50, location: "nbg1", server: null },
  ],
  networks: [
    { id: 1, name: "net", range: "10.20.0.0/16" },
    { id: 2, name: "other", range: "10.30.0.0/16" },
  ],
  faults: [],
};
const many = (count: number): Cloud => {
  const servers = Array.from({ length: count }, (_, index) =>
    server(`app-${index}`, ["fsn1", "nbg1", "hel1"][index % 3] ?? "", index === 250 ? { status: "off" } : {}),
  );
  return {
    ...platform,
    servers,
    balancers: [
      balancer(
        1,
        servers.map(({ name }) => healthy(name)),
      ),
    ],
  };
};

const inside = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;
const apart = (a: Box, b: Box): boolean =>
  a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
/** Whether a vertical or horizontal line goes through the inside of a box. */
const crosses = (
  [[x1, y1], [x2, y2]]: readonly (readonly [number, number])[][number][] & {
    0: readonly [number, number];
    1: readonly [number, number];
  },
  box: Box,
): boolean =>
  Math.max(x1, x2) > box.x + 1 &&
  Math.min(x1, x2) < box.x + box.width - 1 &&
  Math.max(y1, y2) > box.y + 1 &&
  Math.min(y1, y2) < box.y + box.height - 1;

function segmentsOf({ paths }: Drawing) {
  return paths.flatMap(({ points }) =>
    points.slice(1).flatMap((to, index) => {
      const from = points[index];
      return from ? [[from, to] as const] : [];
    }),
  );
}

const clouds: readonly (readonly [string, Cloud])[] = [
  ["a platform", platform],
  ["a cloud with one server", { ...platform, servers: platform.servers.slice(0, 1), balancers: [] }],
  ["many servers", many(300)],
  ["a cloud without servers", { ...platform, servers: [], balancers: [balancer(1, [])] }],
];

describe.each(widths)("%i pixels wide", (width) => {
  test.each(clouds)("%s: nothing overlaps or is cut off, and no line crosses a card", (_what, cloud) => {
    const drawing = layoutOf(cloud, width);
    const { cards, locations, bars } = drawing;
    const picture = { x: 0, y: 0, width: drawing.width, height: drawing.height };
    for (const box of [...cards, ...locations, ...bars]) expect(inside(box, picture)).toBe(true);
    for (const [index, one] of cards.entries()) {
      for (const other of [...cards.slice(index + 1), ...bars]) expect(apart(one, other)).toBe(true);
    }
    for (const [index, one] of locations.entries()) {
      for (const other of locations.slice(index + 1)) expect(apart(one, other)).toBe(true);
      for (const tile of one.tiles) expect(inside(tile, one)).toBe(true);
    }
    for (const segment of segmentsOf(drawing)) {
      expect(cards.filter((card) => crosses(segment, card)).map(({ name }) => name)).toEqual([]);
      expect(bars.filter((bar) => segment[0][1] !== segment[1][1] && crosses(segment, bar))).toHaveLength(0);
    }
  });

  test("every server and Volume is drawn in its location", () => {
    const { cards, locations } = layoutOf(platform, width);
    const place = (name: string) => {
      const card = cards.find((one) => one.name === name);
      return card && locations.find((box) => inside(card, box))?.name;
    };
    for (const { name, location } of platform.servers) expect([name, place(name)]).toEqual([name, location]);
    expect(place("loose")).toBe("nbg1");
    expect(cards.find(({ name }) => name === "db-2")?.lines).toContainEqual({ text: "data · 100 GB", look: "volume" });
    // The load balancers are above.
    expect([place("edge-1"), place("edge-2")]).toEqual([undefined, undefined]);
  });

  test("a load balancer's lines end at its targets, in the colour of their health", () => {
    const { cards, paths } = layoutOf(platform, width);
    const ends = paths.flatMap(({ kind, points, health, number }) => {
      const [x = 0, y = 0] = points.at(-1) ?? [];
      const at = cards.find((card) => Math.abs(card.x + card.width - x) < 1 && y > card.y && y < card.y + card.height);
      return kind === "target" ? [`${number} ${at?.name ?? "nowhere"} ${health}`] : [];
    });
    expect(ends.sort()).toEqual(["0 app-1 good", "0 app-2 good", "0 app-3 bad", "1 app-1 good"]);
  });

  test("a network's lines join its members to its bar", () => {
    const { cards, paths, bars } = layoutOf(platform, width);
    expect(bars.map(({ text }) => text.replace(/ ·.*/, ""))).toEqual(["net", "other"]);
    const own = paths.filter(({ kind }) => kind === "network");
    expect(own.every(({ number }) => number === 0)).toBe(true);
    const reached = cards.filter((card) =>
      own.some(({ points }) => {
        const [x = 0, y = 0] = points.at(-1) ?? [];
        return Math.abs(card.x - x) < 1 && y > card.y && y < card.y + card.height;
      }),
    );
    expect(reached.map(({ name }) => name).sort()).toEqual([
      "app-1",
      "app-2",
      "app-3",
      "core-1",
      "db-2",
      "edge-1",
      "edge-2",
      "worker-1",
    ]);
    expect(own.some(({ points }) => points.at(-1)?.[1] === bars[0]?.y)).toBe(true);
  });
});

test("many servers are tiles, the unwell first and by name", () => {
  const { locations, cards } = layoutOf(many(300), 1200);
  expect(locations.flatMap(({ tiles }) => tiles)).toHaveLength(300);
  expect(cards.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["balancer"]));
  const nbg1 = locations.find(({ name }) => name === "nbg1");
  expect(nbg1?.tiles[0]).toMatchObject({ name: "app-250", health: "bad" });
  expect(nbg1?.unwell.map(({ text }) => text)).toEqual(["app-250: off"]);
  expect(nbg1?.note).toBe("99 of 100 running");
});

test("a fault is drawn where it is", () => {
  const faults = [
    { id: 1, kind: "partition", text: "", on: [{ type: "server", name: "core-1" }] },
    { id: 2, kind: "volume_full", text: "", on: [{ type: "volume", name: "data" }] },
  ];
  const { cards } = layoutOf({ ...platform, faults }, 1200);
  const of = (wanted: string) => cards.find(({ name }) => name === wanted);
  expect(of("core-1")?.lines).toContainEqual({ text: "fault partition", look: "bad" });
  expect(of("db-2")?.lines).toContainEqual({ text: "data · 100 GB · full", look: "volume" });
  expect(["core-1", "db-2", "app-1"].map((name) => of(name)?.health)).toEqual(["bad", "bad", "good"]);
});

test.each([
  [[1, 1], 4, [1, 1]],
  [[4, 2], 4, [2, 1]],
  [[12, 1], 4, [3, 1]],
  [[3], 4, [1]],
  [[1, 2, 3], 3, [1, 1, 1]],
])("locations with %j cards share %i columns: %j", (weights, columns, expected) => {
  expect(sharedColumns(weights, columns)).toEqual(expected);
});

test("names in the picture are text, and long ones are cut", () => {
  const name = `<script>${"x".repeat(80)}`;
  const { html } = svgOf(layoutOf({ ...platform, servers: [server(name, "nbg1")] }, 336));
  expect(html).not.toContain("<script");
  expect(html).toContain(`<title>&lt;script&gt;${"x".repeat(80)}</title`);
  expect(html).toMatch(/&lt;script&gt;x+…<\/text/);
});
