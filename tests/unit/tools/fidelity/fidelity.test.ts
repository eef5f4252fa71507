/** The fidelity page says what the routes, the differences beside them and the clients' records say. */
import { readFileSync } from "node:fs";
import { fidelity } from "../../../../tools/fidelity/fidelity.ts";
import { operationsOf, shapeOf } from "../../../../tools/fidelity/operations.ts";
import { fidelityPage } from "../../../../tools/fidelity/page.ts";
import { servedCalls } from "../../../../tools/fidelity/served.ts";

test("the committed page and its versions are those of the code: make fidelity writes them", async () => {
  const { text, since } = await fidelity(".");
  expect(readFileSync("docs/fidelity.md", "utf8")).toBe(text);
  expect(JSON.parse(readFileSync("tools/fidelity/since.json", "utf8"))).toEqual(since);
});

test("what is served is read from the routes: refused paths and HEAD are not among it, and differences are", async () => {
  const { hetzner, cloudflare } = await servedCalls();
  const calls = cloudflare.map(({ call }) => call);
  expect(calls).toContain("GET /zones/:zone/dns_records/:record");
  expect(calls).not.toContain("GET /zones/:zone/dns_records/export");
  expect(calls.filter((call) => call.startsWith("HEAD"))).toEqual([]);
  expect(hetzner.find(({ call }) => call === "POST /certificates")?.differs).toContain("a managed one is refused");
});

test("a group is listed when one of its operations is served; of the others, only their number is kept", () => {
  const document = {
    paths: {
      "/servers/{id}": { get: { tags: ["Servers"] }, delete: { tags: ["Servers"] }, parameters: [] },
      "/zones": { get: { tags: ["dns_zones"] } },
    },
  };
  expect(operationsOf(document, new Set([shapeOf("GET /servers/:id")]))).toEqual({
    Servers: ["GET /servers/{id}", "DELETE /servers/{id}"],
    "dns zones": 1,
  });
});

test("an operation is on the page with its version, its clients and its difference; what is not served is named", () => {
  const page = fidelityPage({
    operations: {
      hetzner: { servers: ["GET /servers/{id}", "POST /servers", "PUT /servers/{id}"], isos: 2 },
      cloudflare: {},
    },
    served: {
      hetzner: [
        { call: "GET /servers/:id", differs: undefined },
        { call: "POST /servers", differs: "x86 only" },
      ],
      cloudflare: [{ call: "GET /ips", differs: undefined }],
    },
    objects: ["GetObject"],
    records: [
      { name: "one", version: "1", calls: ["hetzner GET /servers/:id", "r2 GetObject"] },
      { name: "two", version: "2", calls: ["hetzner GET /servers/:id"] },
    ],
    since: { "hetzner GET /servers/{}": "0.1.0", "hetzner POST /servers": "0.2.0" },
  });
  for (const line of [
    "2 of 5 operations.",
    "### Hetzner Cloud: servers (2 of 3)",
    "| `GET /servers/{id}` | yes | 0.1.0 | one, two | |",
    "| `POST /servers` | partly | 0.2.0 | | x86 only |",
    "Not supported: `PUT /servers/{id}`",
    "isos (2)",
    "### Cloudflare: operations that its document does not have",
    "| GetObject | yes | | one |",
  ]) {
    expect(page.split("\n")).toContain(line);
  }
});
