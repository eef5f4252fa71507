/**
 * Every query parameter and every property of a body that the real API documents is honoured, or answered by an error that
 * names it; so is one that it does not document.
 */
import { isRecord } from "../../../../common/record.ts";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import type { Json } from "../../../../rehearsal/json.ts";
import { ownCertificate } from "../support/certificate.ts";
import { HetznerApi, specification } from "../support/hetzner.ts";
import type { Operation } from "../support/openapi.ts";
import { commands, making, type Step, undoing } from "./tour.ts";

jest.setTimeout(60_000);
const whereSpecified = specification ? test : test.skip;
const operations = (specification?.operations ?? []).filter(({ path }) => !/^\/(zones|storage_box)/.test(path));

/** A cloud with at least one of everything, and the steps that made it. */
async function full() {
  const api = new HetznerApi();
  const made = making(await ownCertificate("probe.example.com"));
  for (const step of made) await api.do(...step);
  return { api, made };
}
const pathOf = ({ path }: Operation): string =>
  path
    .replace(/^\/(server_type|image|iso)s\/\{\}/, (_, kind: string) => `/${kind}s/${String(first[kind])}`)
    .replaceAll("{}", "1");
const first: Readonly<Record<string, number>> = { server_type: 114, image: 114690387, iso: 26631 };

/** What an error says. */
const wordsOf = ({ error }: Json): string => JSON.stringify(error ?? null);
const isServed = (api: HetznerApi, { method, path }: Operation): boolean =>
  api.routes.some(([other, route]) => other === method && route.replace(/:\w+/g, "{}") === path);

describe("query parameters", () => {
  /** The rows that a list gives, without pages unless the query has them. */
  async function rowsOf(api: HetznerApi, path: string, query: string): Promise<Json[]> {
    const { meta, ...rest } = await api.do("GET", `${path}?${query}`);
    expect(meta).toBeDefined();
    return records(Object.values(rest)[0]);
  }
  const read = (row: Json, name: string): unknown => (name === "bound_to" ? (row["bound_to"] ?? "none") : row[name]);

  /** Whether one parameter does what its name says, seen from the rows with it and without it. */
  async function isHonoured(api: HetznerApi, path: string, { name, values }: Operation["query"][number]) {
    const all = await rowsOf(api, path, path === "/actions" ? "id=1&id=2&per_page=50" : "per_page=50");
    const pick = (query: string) =>
      rowsOf(api, path, `per_page=50&${path === "/actions" && name !== "id" ? "id=1&id=2&" : ""}${query}`);
    if (name === "per_page") {
      expect((await rowsOf(api, path, "per_page=1")).length).toBe(Math.min(1, all.length));
    } else if (name === "page") {
      expect(await rowsOf(api, path, "per_page=1&page=2")).toEqual(all.slice(1, 2));
    } else if (name === "sort") {
      const keys = (values ?? []).filter((value) => !value.includes(":"));
      expect(keys).not.toEqual([]);
      for (const key of keys) {
        const up = (await pick(`sort=${key}:asc`)).map((row) => row[key]);
        const down = (await pick(`sort=${key}:desc`)).map((row) => row[key]);
        expect(down).toEqual([...up].reverse());
        expect(await pick(`sort=${key}`)).toEqual(await pick(`sort=${key}:asc`));
      }
    } else if (name === "label_selector") {
      const chosen = await pick("label_selector=role%3Dweb");
      expect(chosen).toEqual(all.filter(({ labels }) => isRecord(labels) && labels["role"] === "web"));
    } else if (name.startsWith("include_")) {
      const more = path === "/isos" ? "architecture=arm&" : "";
      const [without, with_] = [await pick(`${more}${name}=false`), await pick(`${more}${name}=true`)];
      expect(with_).toEqual(expect.arrayContaining(without));
    } else {
      let found = 0;
      for (const value of values ?? new Set(all.map((row) => String(read(row, name))))) {
        const chosen = await pick(`${name}=${encodeURIComponent(value)}`);
        expect(chosen.map((row) => String(read(row, name)))).toEqual(chosen.map(() => value));
        found += chosen.length;
      }
      if (name !== "bound_to") expect(found).toBe(all.length);
      if (!values) expect(await pick(`${name}=4711`)).toEqual([]);
    }
  }

  whereSpecified("each does what it says on every list, or the call is not emulated", async () => {
    const { api } = await full();
    const lists = operations.filter(({ method, query }) => method === "GET" && query.length > 0);
    expect(lists.length).toBeGreaterThan(30);
    const notServed = [];
    for (const operation of lists) {
      const path = pathOf(operation);
      if (!isServed(api, operation)) {
        notServed.push(operation.path);
        expect([410, 501]).toContain((await api.refusal("GET", path))[0]);
        continue;
      }
      for (const parameter of operation.query) {
        try {
          await isHonoured(api, path, parameter);
        } catch (error) {
          throw new Error(`GET ${path}: ${parameter.name}`, { cause: error });
        }
      }
    }
    expect(notServed).toEqual(["/datacenters", "/load_balancers/{}/metrics", "/servers/{}/metrics"]);
  });

  test("one that no call has is refused by name on every call, and changes nothing", async () => {
    const { api } = await full();
    for (const [method, route] of api.routes) {
      const path = route.replace(
        /^\/(server_type|image|iso)s\/:id/,
        (_, kind: string) => `/${kind}s/${String(first[kind])}`,
      );
      const { status, body } = await api.call(
        method,
        `${path.replace(/:\w+/g, "1")}?colour=red`,
        method === "GET" ? undefined : {},
      );
      expect([method, route, status, wordsOf(body)]).toEqual([method, route, 501, expect.stringContaining("'colour'")]);
    }
    expect(api.store.count("hetzner.server")).toBe(2);
  });

  test.each([
    ["/servers?status=asleep", "status"],
    ["/images?architecture=riscv", "architecture"],
    ["/primary_ips?sort=name", "sort"],
    ["/servers?label_selector=a&label_selector=b", "label_selector"],
    ["/certificates?type=borrowed", "type"],
  ])("%s names the parameter", async (path, name) => {
    const { status, body } = await new HetznerApi().call("GET", path);
    expect([status, wordsOf(body)]).toEqual([422, expect.stringContaining(`'${name}'`)]);
  });
});

describe("properties of bodies", () => {
  /** The body with something at a place that cannot be there; lists and objects on the way are made. */
  function spoilt(body: unknown, [key = "", ...rest]: readonly string[], value: unknown): unknown {
    if (key === "*") {
      const [head, ...others] = Array.isArray(body) ? (body as unknown[]) : [];
      return [rest.length === 0 ? value : spoilt(head, rest, value), ...others];
    }
    const alternatives = ["server", "label_selector", "ip"];
    const isAlternative = alternatives.includes(key) && rest.length > 0;
    // An object that is one of several is told apart by its type, and has none of the others.
    const kept = Object.entries(isRecord(body) ? body : {}).filter(
      ([name]) => !isAlternative || name === key || !alternatives.includes(name),
    );
    const own: Json = { ...Object.fromEntries(kept), ...(isAlternative && { type: key }) };
    return { ...own, [key]: rest.length === 0 ? value : spoilt(own[key], rest, value) };
  }

  whereSpecified("each is read: what it cannot be is refused by its name", async () => {
    const { api, made } = await full();
    const steps: readonly Step[] = [...made, ...commands, ...undoing];
    /** A body that is right, from the way through all calls. */
    const bodyOf = ({ method, path }: Operation): Json => {
      const found = steps.find(([verb, at]) => verb === method && at.replace(/\/\d+/g, "/{}") === path)?.[2];
      const body = isRecord(found) ? found : {};
      return "name" in body ? { ...body, name: "another" } : body;
    };
    let count = 0;
    for (const operation of operations.filter(({ method }) => method !== "GET")) {
      const { method } = operation;
      const path = pathOf(operation);
      if (!isServed(api, operation)) {
        expect([method, path, ...(await api.refusal(method, path, {}))]).toEqual([method, path, 501, "not_emulated"]);
        continue;
      }
      const known = specification?.properties(method, operation.path) ?? [];
      for (const { place, wrong } of [...known, { place: ["colour"], wrong: ["red"] }]) {
        const name = place.filter((key) => key !== "*").at(-1) ?? "";
        for (const value of [{ "no such": "value" }, ...wrong]) {
          const { status, body } = await api.call(method, path, spoilt(bodyOf(operation), place, value));
          // One of the right type can be what is not found.
          const said = typeof value === "object" || name === "colour" ? wordsOf(body) : `'${name}'`;
          expect([method, path, place, value, [422, 501].includes(status), said]).toEqual([
            ...[method, path, place, value, true],
            expect.stringMatching(new RegExp(`['".]${name}['".]`)),
          ]);
          count++;
        }
      }
    }
    expect(count).toBeGreaterThan(2000);
    expect(api.failures).toEqual([]);
  });

  test.each([
    ["/servers", { name: "b", server_type: "cx23", image: "debian-12", datacenter: "fsn1-dc14" }, "datacenter"],
    [
      "/networks",
      { name: "b", ip_range: "10.9.0.0/16", subnets: [{ type: "cloud", network_zone: "eu-central", vswitch_id: 1 }] },
      "vswitch_id",
    ],
    [
      "/load_balancers/1/actions/add_target",
      { type: "ip", ip: { ip: "203.0.113.1" }, use_private_ip: true },
      "use_private_ip",
    ],
    [
      "/load_balancers/1/actions/add_service",
      { protocol: "tcp", listen_port: 1, destination_port: 1, http: { sticky_sessions: true } },
      "http",
    ],
    [
      ...(["/load_balancers/1/actions/add_service"] as const),
      { protocol: "tcp", listen_port: 1, destination_port: 1, health_check: { protocol: "tcp", http: { path: "/" } } },
      "http",
    ],
    ["/servers/1/actions/poweron", { force: true }, "force"],
    ["/servers/1/actions/enable_rescue", { ssh_keys: [7] }, "7"],
  ])("POST %s %j is refused by name", async (path, body, name) => {
    const { api } = await full();
    const reply = await api.call("POST", path, body);
    expect([404, 422, 501]).toContain(reply.status);
    expect(wordsOf(reply.body)).toContain(name);
  });
});
