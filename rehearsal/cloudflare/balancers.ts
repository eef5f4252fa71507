/** API routes of load balancers, and of the account's pools and monitors that they use. */
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import {
  checkNumber,
  invalid,
  isText,
  omit,
  records,
  requireRecords,
  requireText,
  requireTexts,
  texts,
  withoutNulls,
} from "./body.ts";
import { ApiError, Page } from "./envelope.ts";
import { fullName } from "./dns-content.ts";
import { type Call, paging, type Routes } from "./routes.ts";
import { ownedBy, type OwnedKind, type Zone } from "./state.ts";
import type { World } from "./world.ts";

const monitorDefaults: Json = {
  type: "http",
  description: "",
  method: "GET",
  path: "/",
  timeout: 5,
  retries: 2,
  interval: 60,
  consecutive_up: 0,
  consecutive_down: 0,
  expected_body: "",
  expected_codes: "200",
  follow_redirects: false,
  allow_insecure: false,
  probe_zone: "",
};

/** Builds an object from defaults and the sent values; `modified_on` changes only when a value does. */
function build(world: World, before: Json | undefined, defaults: Json, sent: Json): Json & { readonly id: string } {
  const given = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== null));
  const decided = { ...defaults, ...given };
  const isSame =
    before !== undefined &&
    Object.entries(decided).every(([key, value]) => JSON.stringify(before[key]) === JSON.stringify(value));
  return {
    ...decided,
    id: isText(before?.["id"]) ? before["id"] : world.newId(),
    created_on: before?.["created_on"] ?? world.now(),
    modified_on: isSame ? before["modified_on"] : world.now(),
  };
}

const find = (world: World, kind: OwnedKind, owner: string, id = ""): Json => {
  const found = world.store.get(kind, id);
  if (found?.owner !== owner) throw new ApiError(404, 1001, "not found");
  return found.value;
};

interface Collection {
  readonly kind: OwnedKind;
  readonly path: string;
  readonly build: (body: Json, before: Json | undefined, owner: string) => Json & { readonly id: string };
  readonly show?: (value: Json) => Json;
  readonly refuseDelete?: (id: string) => void;
  /** Properties by which the list is filtered. @default - none */
  readonly filters?: readonly string[];
}

function register(
  world: World,
  add: (
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    handler: (call: Call, owner: string) => unknown,
    query?: readonly string[],
  ) => void,
  collection: Collection,
): void {
  const { kind, path, show = (value: Json): Json => value, filters = [] } = collection;
  const save = (owner: string, value: Json & { readonly id: string }): Json => {
    world.store.put(kind, value.id, { owner, value });
    return show(value);
  };
  add(
    "GET",
    path,
    ({ query }, owner) => {
      const wanted = filters.flatMap((name) => (query[name] === undefined ? [] : [[name, query[name]] as const]));
      const found = ownedBy(world.store, kind, owner).filter((one) => wanted.every(([name, is]) => one[name] === is));
      return new Page(found.map(show), query, { usual: 100, most: 1000 });
    },
    [...paging, ...filters],
  );
  add("POST", path, ({ body }, owner) => save(owner, collection.build(body, undefined, owner)));
  add("GET", `${path}/:item`, ({ params }, owner) => show(find(world, kind, owner, params["item"])));
  add("PUT", `${path}/:item`, ({ params, body }, owner) =>
    save(owner, collection.build(body, find(world, kind, owner, params["item"]), owner)),
  );
  add("PATCH", `${path}/:item`, ({ params, body }, owner) => {
    const before = find(world, kind, owner, params["item"]);
    return save(owner, collection.build({ ...before, ...body }, before, owner));
  });
  add("DELETE", `${path}/:item`, ({ params }, owner) => {
    const { id } = find(world, kind, owner, params["item"]);
    collection.refuseDelete?.(String(id));
    world.store.delete(kind, String(id));
    return { id };
  });
}

export function registerBalancers(routes: Routes, world: World): void {
  const one = "/zones/:zone/load_balancers/:item";
  routes.differs(
    ["POST /zones/:zone/load_balancers", `PUT ${one}`, `PATCH ${one}`],
    "steering by country, region or place, rules and session affinity are kept without effect",
  );
  register(
    world,
    (method, path, handler, query) => {
      routes.zone(method, path, (call) => handler(call, call.zone.id), query);
    },
    {
      kind: "cloudflare.balancer",
      path: "/load_balancers",
      build: (body, before, owner) => buildBalancer(world, world.zone(owner), body, before),
    },
  );
}

export function registerPools(routes: Routes, world: World): void {
  const { store } = world;
  const writesOf = (path: string): string[] => [`POST ${path}`, `PUT ${path}/:item`, `PATCH ${path}/:item`];
  routes.differs(
    writesOf("/accounts/:account/load_balancers/pools"),
    "steering among origins, `flatten_cname`, load shedding, check regions, coordinates and notifications are kept without effect",
  );
  routes.differs(
    writesOf("/accounts/:account/load_balancers/monitors"),
    "the certificates of origins are not verified, redirects are not followed; `probe_zone` is kept without effect; " +
      "types other than http and https only open a connection",
  );
  const uses = (id: string): boolean =>
    store.list("cloudflare.balancer").some(({ value }) => poolsOf(value).includes(id));
  const add = (
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    path: string,
    handler: (call: Call, owner: string) => unknown,
    query?: readonly string[],
  ): void => {
    routes.account(method, path, (call) => handler(call, world.accountId), query);
  };
  register(world, add, {
    kind: "cloudflare.pool",
    path: "/load_balancers/pools",
    filters: ["monitor"],
    build: (body, before) => buildPool(world, body, before),
    show: (pool) => shownPool(world, pool),
    refuseDelete: (id) => {
      if (uses(id)) throw inUse();
    },
  });
  register(world, add, {
    kind: "cloudflare.monitor",
    path: "/load_balancers/monitors",
    build: (body, before) => buildMonitor(world, body, before),
    refuseDelete: (id) => {
      if (store.list("cloudflare.pool").some(({ value }) => value["monitor"] === id)) {
        throw inUse();
      }
    },
  });
}

const inUse = (): ApiError => new ApiError(412, 1005, "This object is referenced by other objects, delete them first.");

/** Ids of all pools to which a load balancer and its rules can steer. */
const poolsOf = (balancer: Json): string[] =>
  [balancer, ...records(balancer["rules"]).map(({ overrides }) => overrides)].filter(isRecord).flatMap((steered) => {
    const byPlace = ["country_pools", "pop_pools", "region_pools"].map((name) => steered[name]).filter(isRecord);
    return [
      ...texts([steered["fallback_pool"]]),
      ...texts(steered["default_pools"]),
      ...byPlace.flatMap((places) => Object.values(places).flatMap(texts)),
    ];
  });

function buildBalancer(world: World, zone: Zone, body: Json, before: Json | undefined): Json & { readonly id: string } {
  const name = fullName(requireText(body, "name", 1002), zone.name);
  const pools = requireTexts(body, "default_pools", 1002);
  requireText(body, "fallback_pool", 1002);
  for (const id of poolsOf(body)) {
    if (world.store.get("cloudflare.pool", id) === undefined)
      throw new ApiError(400, 1002, `default_pools: could not find pool: [${id}]: validation failed`);
  }
  if (pools.length === 0) throw invalid("default_pools", pools, "at least one pool", 1002);
  const taken = ownedBy(world.store, "cloudflare.balancer", zone.id).some(
    (each) => each["name"] === name && each["id"] !== before?.["id"],
  );
  if (taken) throw new ApiError(400, 1004, `a load balancer with the name ${name} exists already`);
  const proxied = body["proxied"] === true;
  const defaults = {
    description: "",
    enabled: true,
    proxied: false,
    session_affinity: "none",
    steering_policy: "",
    ...(!proxied && { ttl: 30 }),
  };
  return { ...build(world, before, defaults, { ...body, name }), zone_name: zone.name };
}

function buildPool(world: World, body: Json, before: Json | undefined): Json & { readonly id: string } {
  const name = requireText(body, "name", 1002);
  if (!/^[A-Za-z0-9_-]+$/.test(name)) throw invalid("name", name, "letters, digits, hyphens and underscores", 1002);
  const taken = world.store
    .list("cloudflare.pool")
    .some(({ value }) => value["name"] === name && value["id"] !== before?.["id"]);
  if (taken) throw new ApiError(400, 1004, `a pool with the name ${name} exists already`);
  const origins = requireRecords(body, "origins", 1002).map((origin) => {
    requireText(origin, "address", 1002);
    checkNumber(origin, "weight", 0, 1, 0.01, 1002);
    checkNumber(origin, "port", 0, 65_535, 1, 1002);
    return {
      enabled: true,
      weight: 1,
      ...Object.fromEntries(Object.entries(origin).filter(([, value]) => value !== null)),
    };
  });
  if (origins.length === 0) throw invalid("origins", origins, "at least one origin", 1002);
  checkNumber(body, "minimum_origins", 0, origins.length, 1, 1002);
  const monitor = body["monitor"];
  if (isText(monitor) && monitor !== "" && world.store.get("cloudflare.monitor", monitor) === undefined) {
    throw new ApiError(400, 1002, `monitor: could not find monitor: [${monitor}]: validation failed`);
  }
  const defaults = { description: "", enabled: true, minimum_origins: 1, notification_email: "", check_regions: null };
  return build(world, before, withoutNulls(defaults), { ...body, origins });
}

function shownPool(world: World, pool: Json): Json {
  const origins = records(pool["origins"]).map((origin) =>
    world.has("pool.port-zero") ? { port: 0, ...origin } : origin,
  );
  const sorted = world.has("pool.sorted-origins")
    ? [...origins].sort((a, b) => String(a["name"]).localeCompare(String(b["name"])))
    : origins;
  return { ...pool, origins: sorted };
}

function buildMonitor(world: World, body: Json, before: Json | undefined): Json & { readonly id: string } {
  const type = body["type"] ?? "http";
  if ((type === "tcp" || type === "smtp") && !(typeof body["port"] === "number" && body["port"] > 0)) {
    throw invalid("port", body["port"], `a port, because the type is ${type}`, 1002);
  }
  checkNumber(body, "interval", 1, 3600, 1, 1002);
  checkNumber(body, "timeout", 1, 3600, 1, 1002);
  checkNumber(body, "retries", 0, 5, 1, 1002);
  checkNumber(body, "port", 0, 65_535, 1, 1002);
  const { timeout = 5, interval = 60, path = "/", expected_codes: codes = "200" } = body;
  if (path !== null && path !== "" && !(isText(path) && path.startsWith("/")))
    throw invalid("path", path, "a path that begins with /", 1002);
  if (codes !== null && codes !== "" && !(isText(codes) && /^[1-5](\d\d|xx)([,-] ?[1-5](\d\d|xx))*$/.test(codes)))
    throw invalid("expected_codes", codes, "codes such as 200, or ranges such as 2xx", 1002);
  if (typeof timeout !== "number" || typeof interval !== "number" || timeout >= interval) {
    throw invalid("timeout", timeout, `less than the interval of ${String(interval)} s`, 1002);
  }
  if (body["header"] !== undefined && body["header"] !== null && !isRecord(body["header"]))
    throw invalid("header", body["header"], "an object", 1002);
  const isHttp = type === "http" || type === "https";
  return build(
    world,
    before,
    isHttp ? monitorDefaults : omit(monitorDefaults, ["expected_body", "expected_codes"]),
    body,
  );
}
