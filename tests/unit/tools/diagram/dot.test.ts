/** What a diagram shows of a plan and of a move. The layout is Graphviz', and is looked at. */
import { phases, type Phase } from "../../../../config/schema.ts";
import { dotOf, type Drawing } from "../../../../tools/diagram/dot.ts";
import { linksOf } from "../../../../tools/diagram/links.ts";
import { inventoryOf } from "../../../../tools/plan/inventory.ts";
import { plan } from "../../../../topology/plan.ts";
import { settingsOf } from "../../support/settings.ts";

const drawingOf = (phase: Phase, values = {}): Drawing => {
  const settings = settingsOf(phase, values);
  const local = settings.hosting === "local";
  return {
    inventory: inventoryOf({ settings, topology: plan("prod", settings) }),
    remote: { cloudflare: !local, r2: !local },
  };
};

const lines = (dot: string, part: string) => dot.split("\n").filter((line) => line.includes(part));
const from = (phase: Phase) => {
  const { inventory, remote } = drawingOf(phase);
  return linksOf(inventory, remote).map(({ from: tail, to, way }) => `${tail} -> ${to} ${way}`);
};

test.each(phases)("phase %s: the same plan gives the same text, with every service that runs", (phase) => {
  const dot = dotOf({ title: phase, after: drawingOf(phase) });
  expect(dotOf({ title: phase, after: drawingOf(phase) })).toBe(dot);
  for (const { kind, server, runs } of drawingOf(phase).inventory.services) {
    expect(lines(dot, `"${server}/${kind}" [label=`)).toHaveLength(runs === "once" ? 0 : 1);
  }
});

test("visitors come through Cloudflare and the load balancer to each edge, and from there to its own apps", () => {
  const visitors = from("scale").filter((line) => line.endsWith("visitor"));
  expect(visitors).toEqual([
    "visitors -> cloudflare visitor",
    "cloudflare -> balancer/balancer-nbg1 visitor",
    "balancer/balancer-nbg1 -> app-nbg1-1/edge visitor",
    "balancer/balancer-nbg1 -> app-hel1-1/edge visitor",
    "app-nbg1-1/edge -> app-nbg1-1/app visitor",
    "app-hel1-1/edge -> app-hel1-1/app visitor",
  ]);
});

test("copies go in the direction of the data: to the replica, from there to the backup and the bucket", () => {
  expect(from("scale").filter((line) => line.endsWith("copy"))).toEqual([
    "core-1/database -> db-2/replica copy",
    "db-2/replica -> db-2/replica-files copy",
    "db-2/replica -> db-2/backup copy",
    "core-1/database -> core-1/archive copy",
    "db-2/replica-files -> core-1/archive copy",
    "db-2/backup -> backups copy",
    "core-1/archive -> backups copy",
  ]);
});

test("a pooler, which publishes no port, is reached by the gateway beside it only", () => {
  const poolers = from("enterprise").filter((line) => line.includes("/pgbouncer data"));
  const servers = ["app-nbg1-1", "app-hel1-1", "app-fsn1-1", "worker-nbg1-1", "worker-hel1-1"];
  expect(poolers.sort()).toEqual(servers.map((name) => `${name}/gateway -> ${name}/pgbouncer data`).sort());
});

test("all data of one server's clients on another server is one line between the servers", () => {
  const dot = dotOf({ title: "scale", after: drawingOf("scale") });
  const between = lines(dot, `ltail="cluster server worker-nbg1-1", lhead="cluster server core-1"`);
  expect(between).toHaveLength(1);
});

test("a move marks what is new, what changes, what goes, and lines that end", () => {
  const dot = dotOf({ title: "move", before: drawingOf("mvp"), after: drawingOf("scale") });
  expect(lines(dot, `"db-2/replica" [`)[0]).toContain(`class="data new"`);
  expect(lines(dot, `"core-1/database" [`)[0]).toContain(`class="data same"`);
  expect(lines(dot, `"core-1/app" [`)[0]).toContain(`class="service gone"`);
  expect(lines(dot, `"cloudflare" -> "core-1/edge"`)[0]).toContain(`class="visitor gone"`);
  expect(lines(dot, `"legend/`)).toHaveLength(4);
});

test("a name with quotes or backslashes stays one label", () => {
  const title = 'a "quoted" \\ name';
  expect(dotOf({ title, after: drawingOf("mvp") })).toContain(String.raw`label="a \"quoted\" \\ name"`);
});
