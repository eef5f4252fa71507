import { isRecord } from "../../../../common/record.ts";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { labelSelector } from "../../../../rehearsal/hetzner/listing.ts";
import { HetznerApi } from "../support/hetzner.ts";

/** The names of a list, and the page that it says it is. */
async function list(api: HetznerApi, path: string) {
  const { meta, ...rest } = await api.do("GET", path);
  const [rows] = Object.values(rest);
  const pagination = isRecord(meta) ? meta["pagination"] : undefined;
  return { names: records(rows).map(({ name }) => String(name)), pagination };
}

describe("pages", () => {
  const many = async (count: number) => {
    const api = new HetznerApi();
    for (let n = 1; n <= count; n++) await api.make("placement_group", { name: `g${n}`, type: "spread" });
    return api;
  };

  test("a list comes in pages of 25, and says where the next is", async () => {
    const api = await many(53);
    const first = await list(api, "/placement_groups");
    expect(first.names).toHaveLength(25);
    expect(first.pagination).toEqual({
      page: 1,
      per_page: 25,
      previous_page: null,
      next_page: 2,
      last_page: 3,
      total_entries: 53,
    });
    const last = await list(api, "/placement_groups?page=3");
    expect(last.names).toEqual(["g51", "g52", "g53"]);
    expect(last.pagination).toMatchObject({ previous_page: 2, next_page: null });
    const behind = await list(api, "/placement_groups?page=4");
    expect(behind.names).toEqual([]);
    expect(behind.pagination).toMatchObject({ next_page: null });
    // More than 50 at once are never given.
    expect((await list(api, "/placement_groups?per_page=100")).names).toHaveLength(50);
    expect((await list(api, "/placement_groups?per_page=2&page=2")).names).toEqual(["g3", "g4"]);
  });

  test("an empty list has one page", async () => {
    const { names, pagination } = await list(new HetznerApi(), "/servers");
    expect(names).toEqual([]);
    expect(pagination).toMatchObject({ page: 1, next_page: null, last_page: 1, total_entries: 0 });
  });

  test.each(["page=0", "page=x", "per_page=0", "per_page=-1", "page=1.5", "sort=name:up", "sort=colour"])(
    "%s is refused",
    async (query) => {
      expect(await new HetznerApi().refusal("GET", `/servers?${query}`)).toEqual([422, "invalid_input"]);
    },
  );
});

describe("filters", () => {
  test("by name: that one, or none", async () => {
    const api = new HetznerApi();
    await api.server({ name: "a" });
    await api.server({ name: "ab" });
    expect((await list(api, "/servers?name=a")).names).toEqual(["a"]);
    expect((await list(api, "/servers?name=b")).names).toEqual([]);
  });

  test("by labels, by status, and in an order", async () => {
    const api = new HetznerApi();
    await api.server({ name: "b", labels: { role: "web" } });
    await api.server({ name: "c", labels: { role: "db" }, start_after_create: false });
    await api.server({ name: "a", labels: { role: "web", old: "" } });
    expect((await list(api, "/servers?label_selector=role%3Dweb")).names).toEqual(["b", "a"]);
    expect((await list(api, "/servers?label_selector=role%3Dweb,!old")).names).toEqual(["b"]);
    expect((await list(api, "/servers?status=off")).names).toEqual(["c"]);
    expect((await list(api, "/servers?status=off&status=running&sort=name")).names).toEqual(["a", "b", "c"]);
    expect((await list(api, "/servers?sort=id:desc")).names).toEqual(["a", "c", "b"]);
    expect((await list(api, "/servers?sort=created&sort=name:desc")).names).toEqual(["c", "b", "a"]);
    expect(await api.refusal("GET", "/servers?label_selector=role%20web")).toEqual([400, "invalid_input"]);
  });

  const labels = { role: "web", stack: "prod", empty: "" };
  test.each([
    ["role", true],
    ["!role", false],
    ["!gone", true],
    ["role=web", true],
    ["role==db", false],
    ["role!=db", true],
    ["gone!=db", true],
    ["role = web", true],
    ["empty=", true],
    ["role in (web,db)", true],
    ["role in (db)", false],
    ["role notin (db, cache)", true],
    ["gone notin (db)", true],
    ["gone in (db)", false],
    ["stack=prod,role in (web, db),!gone", true],
    ["stack=prod,role in (db),!gone", false],
  ])("the selector %s: %s", (selector, matches) => {
    expect(labelSelector(selector)(labels)).toBe(matches);
  });

  test.each(["role web", "role in web", "=web", "role=web=db", "a b c", "role>1"])(
    "the selector %s is none",
    (text) => {
      expect(() => labelSelector(text)).toThrow(/not valid/);
    },
  );
});

describe("lookups", () => {
  test.each([
    ["/server_types?name=cx33", ["cx33"]],
    ["/server_types?name=cx99", []],
    ["/images?name=debian-12&architecture=x86&include_deprecated=true", ["debian-12"]],
    ["/images?architecture=arm", ["debian-12", "ubuntu-24.04"]],
    ["/images?type=system&status=available&name=ubuntu-24.04", ["ubuntu-24.04", "ubuntu-24.04"]],
    ["/images?type=snapshot", []],
    ["/locations", ["fsn1", "nbg1", "hel1", "ash", "hil", "sin"]],
    ["/locations?name=hel1", ["hel1"]],
    ["/load_balancer_types?name=lb21", ["lb21"]],
    ["/isos?name=debian-12.0.0-amd64-netinst.iso", ["debian-12.0.0-amd64-netinst.iso"]],
  ])("%s", async (path, names) => {
    expect((await list(new HetznerApi(), path)).names).toEqual(names);
  });

  test("a server type says where it is to be had, and what it costs there", async () => {
    const api = new HetznerApi();
    await api.fault({ kind: "sold_out", serverType: "cx23", locations: ["fsn1"] });
    const type = await api.show("server_type", 114);
    expect(type).toMatchObject({ name: "cx23", cores: 2, memory: 4, disk: 40, architecture: "x86", deprecation: null });
    expect(records(type["locations"]).map(({ name, available }) => [name, available])).toEqual([
      ["fsn1", false],
      ["nbg1", true],
      ["hel1", true],
    ]);
    const [price] = records(type["prices"]);
    expect(price).toMatchObject({
      location: "fsn1",
      price_monthly: { net: "5.4900000000", gross: "6.5331000000" },
    });
  });

  test("prices are those of the types", async () => {
    const api = new HetznerApi();
    const { pricing } = await api.do("GET", "/pricing");
    const { server_types: types, currency } = isRecord(pricing) ? pricing : {};
    const { prices } = await api.show("server_type", 115);
    expect(currency).toBe("EUR");
    expect(records(types).find(({ name }) => name === "cx33")?.["prices"]).toEqual(prices);
  });
});
