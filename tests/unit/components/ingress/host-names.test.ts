/** A stack with more than one host name, from its settings to records, certificates, rules and nginx. */
import { types } from "../../../../policy/stateful.ts";
import { changesBetween } from "../../../../policy/changes.ts";
import { moveBetween } from "../../../../policy/dangers.ts";
import type { Graph } from "../../../../policy/graph.ts";
import { plan } from "../../../../topology/plan.ts";
import { fromText, sharedGraph, toText } from "../../support/graphs.ts";
import { settingsOf } from "../../support/settings.ts";

const graphOf = (
  values: Readonly<Record<string, unknown>>,
  phase: "mvp" | "scale" = "mvp",
  kind: "up" | "known" = "up",
): Promise<Graph> => {
  const settings = settingsOf(phase, values);
  return sharedGraph({ settings, topology: plan("prod", settings), secrets: [] }, kind);
};
const named = ({ resources }: Graph, name: string) => {
  const found = resources.find((one) => one.name === name);
  if (!found) throw new Error(`no ${name} in ${resources.map((one) => one.name).join(" ")}`);
  return found;
};
const recordsOf = ({ resources }: Graph) =>
  Object.fromEntries(
    resources.filter(({ type }) => type === types.record).map(({ name, inputs }) => [name, inputs["zoneId"]]),
  );

const more = { "www.example.com": "redirect", "shop.example.com": "serve", "orion.example.org": "redirect" };

test.each(["mvp", "scale"] as const)(
  "phase %s: each name has its record, its certificate and its server",
  async (phase) => {
    const graph = await graphOf({ domains: more }, phase);
    expect(recordsOf(graph)).toEqual({
      "hostname-orion.example.com-record": "zone-of-example.com",
      "hostname-www.example.com-record": "zone-of-example.com",
      "hostname-shop.example.com-record": "zone-of-example.com",
      "hostname-orion.example.org-record": "zone-of-example.org",
    });
    expect(named(graph, "origin-orion.example.org-certificate").inputs["hostnames"]).toEqual(["orion.example.org"]);
    expect(JSON.stringify(named(graph, "cloudflare-example.org-firewall").inputs)).toContain(
      String.raw`http.host eq \"orion.example.org\"`,
    );
    const edge = phase === "mvp" ? "edge-core-1-config" : "edge-app-nbg1-1-config";
    const files = named(graph, edge).inputs["files"] as Readonly<Record<string, unknown>>;
    expect(Object.keys(files).sort()).toEqual(
      expect.arrayContaining(["edge-orion.example.org.crt", "edge-shop.example.com.key", "edge.crt", "nginx.conf"]),
    );
    // Cloudflare shows the certificate of the zone that a request came through.
    expect(String(files["client-authority.crt"]).split("\n")).toHaveLength(3);
  },
);

test("the app is told the names that it answers, and its links name one of them", async () => {
  const graph = await graphOf({ domains: more });
  const { inputs } = named(graph, "app-core-1-1");
  expect(inputs["envs"]).toEqual(
    expect.arrayContaining([
      "ALLOWED_HOSTS=orion.example.com,shop.example.com,127.0.0.1",
      "PUBLIC_URL=https://orion.example.com",
    ]),
  );
});

test("a name that is redirected changes nothing but live files, and adds its record and certificate", async () => {
  const changes = changesBetween(await graphOf({}), await graphOf({ domains: { "www.example.com": "redirect" } }));
  expect(changes.filter(({ action }) => action === "replace" || action === "delete")).toEqual([]);
  const updated = changes.flatMap(({ action, before }) => (action === "update" && before ? [before.name] : []));
  expect(updated.sort()).toEqual([
    "cloudflare-example.com-cache",
    "cloudflare-example.com-firewall",
    "edge-core-1-config",
  ]);
});

test("another name in the place of the first one: the old one goes on, with its record, certificate and zone", async () => {
  const [before, after] = [
    await graphOf({}),
    await graphOf({ domain: "shop.example.org", domains: { "orion.example.com": "redirect" } }),
  ];
  const gone = changesBetween(before, after).filter(({ action }) => action === "delete");
  expect(gone).toEqual([]);
  expect(named(after, "hostname-orion.example.com-record").inputs).toEqual(
    named(before, "hostname-orion.example.com-record").inputs,
  );
  const { findings } = moveBetween(before, after);
  expect(findings.filter(({ severity }) => severity === "refused")).toEqual([]);
});

test("a name that is given up is refused until that is agreed to", async () => {
  const [before, after] = [await graphOf({ domains: more }), await graphOf({})];
  const refused = moveBetween(before, after).findings.filter(({ severity }) => severity === "refused");
  expect(refused.map(({ name }) => name).sort()).toEqual(
    expect.arrayContaining(["orion.example.org", "shop.example.com", "www.example.com"]),
  );
});

test.each(["mvp", "scale"] as const)("phase %s: a stack of the time of one host name is taken over", async (phase) => {
  const graph = await graphOf({}, phase, "known");
  const former = toText(graph)
    .replaceAll("cloudflare-example.com", "cloudflare")
    .replaceAll("hostname-orion.example.com", "hostname")
    .replaceAll(/origin-orion\.example\.com-(key|request|certificate)/g, "cloudflare-$1");
  expect(former).not.toBe(toText(graph));
  expect(changesBetween(fromText(former), graph)).toEqual([]);
});

test("on a local Docker Engine the app answers any name but those that are redirected, to the stack's own address", async () => {
  const domains = { "www.example.com": "redirect", "shop.example.com": "serve" };
  const settings = settingsOf("development", { domain: "orion.example.com", domains });
  const graph = await sharedGraph({ settings, topology: plan("dev", settings), secrets: [] });
  const { "nginx.conf": config } = named(graph, "edge-config").inputs["files"] as Readonly<Record<string, unknown>>;
  // nginx gives a request to the first server of a port where no name fits.
  expect([...String(config).matchAll(/listen 8080;\s+server_name (.*);/g)].map(([, name]) => name)).toEqual([
    "_",
    "www.example.com",
  ]);
  expect(config).toContain("return 308 http://127.0.0.1:8080$request_uri;");
});
