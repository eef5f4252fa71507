import { pageOf } from "../../../../rehearsal/cloud/page.ts";
import { readStatus, type Status } from "../../../../rehearsal/cloud/status.ts";

/** A status in which every text is what `name` makes of it. */
function statusOf(name: (what: string) => string): Status {
  const status = {
    ...{ instance: name("main"), machines: name("docker"), pid: 1, totalCalls: 120 },
    ...{ hetzner: name("hetzner"), cloudflare: name("cloudflare"), page: name("page") },
    ...{ edge: name("edge"), registry: name("registry") },
    servers: [
      {
        ...{ id: 12, name: name("core-1"), type: name("cx23"), status: name("running"), address: name("127.77.0.4") },
        ...{ private: [name("10.20.1.10"), name("10.20.1.11")], volumes: [name("data")] },
      },
      { id: 13, name: name("bare"), type: name("cx33"), status: name("off"), address: null, private: [], volumes: [] },
    ],
    balancers: [
      {
        ...{ id: 1, name: name("edge-1"), address: name("127.77.0.9") },
        targets: [{ name: name("core-1"), health: [{ listen_port: 443, status: name("unhealthy") }] }],
      },
    ],
    records: [{ name: name("www"), type: name("CNAME"), content: name("orion.example.com"), proxied: true }],
    buckets: [name("files")],
    faults: [{ id: 3, kind: name("reply"), message: name("no-luck") }],
    calls: [
      {
        ...{ time: "2026-01-01T10:11:12.000Z", method: name("GET"), path: name("hetzner:/servers"), status: 503 },
        ...{ milliseconds: 7, problem: name("server_error") },
      },
      {
        ...{ time: "2026-01-01T10:11:13.000Z", method: "GET", path: "hetzner:/volumes", status: 0 },
        ...{ milliseconds: 0, problem: null },
      },
    ],
  };
  const read = readStatus(status);
  if (!read) throw new Error("no status");
  return read;
}

/** What a reader sees of the page. */
const textOf = (html: string): string =>
  html
    .replace(/<style>.*?<\/style>/s, "")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("&nbsp;", " ")
    .replaceAll(/\s+/g, " ");

test("it names everything that the cloud has", () => {
  const text = textOf(pageOf(statusOf((what) => what)));
  for (const line of [
    "Hetzner hetzner · Cloudflare cloudflare · machines: docker · edge edge",
    "Servers 2 · Load balancers 1 · DNS records 1 · Buckets 1 · Faults 1 · Last calls 120",
    "core-1 12 ● running 127.77.0.4 10.20.1.10 10.20.1.11 cx23 data",
    "bare 13 ● off cx33",
    "edge-1 1 127.77.0.9 core-1 443 ● unhealthy",
    "www CNAME orion.example.com yes",
    "files",
    "3 reply message=no-luck",
    "10:11:12 GET hetzner:/servers server_error 503 7",
    "10:11:13 GET hetzner:/volumes aborted 0",
  ]) {
    expect(text).toContain(line);
  }
});

test("no text of the cloud is taken for HTML", () => {
  const names: string[] = [];
  const page = pageOf(
    statusOf((what) => {
      names.push(what);
      return `<img src="x" title='&${what}'>`;
    }),
  );
  expect(page).not.toContain("<img");
  // The address of the page and of the registry are not on it.
  for (const what of names.filter((one) => !["page", "registry"].includes(one))) {
    expect(page).toMatch(new RegExp(`&lt;img src=(&quot;|\\\\&quot;)x(&quot;|\\\\&quot;) title='&amp;${what}'&gt;`));
  }
});

test("where there is nothing it says so", () => {
  const nothing = { servers: [], balancers: [], records: [], buckets: [], faults: [], calls: [], totalCalls: 0 };
  const text = textOf(pageOf({ ...statusOf((what) => what), ...nothing, edge: null }));
  expect(text).toContain("Servers 0 none Load balancers 0 none DNS records 0 none Buckets 0 none Faults 0 none");
  expect(text).not.toContain("edge");
});
