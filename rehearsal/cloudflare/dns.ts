/** API routes of a zone's DNS records. */
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { invalid, isText, pick, texts } from "./body.ts";
import { checkRecord, type Wanted } from "./dns-content.ts";
import { ApiError, notEmulated, Page } from "./envelope.ts";
import { selectRecords, recordParameters } from "./dns-filters.ts";
import { checkProperties, type Shape } from "./properties.ts";
import { paging, type Routes, type ZoneCall } from "./routes.ts";
import { ownedBy, type Plan, type Zone } from "./state.ts";
import { flag, shortText, text, time, Value } from "./values.ts";
import type { World } from "./world.ts";

const kind = "cloudflare.record";

/** Record types of which a name may have either addresses or a CNAME. */
const addresses = ["A", "AAAA", "CNAME"];

export function registerDns(routes: Routes, world: World): void {
  const { store } = world;
  const shown = (record: Json): Json =>
    world.has("dns.null-tags") && texts(record["tags"]).length === 0 ? { ...record, tags: null } : record;

  const list = ({ zone, query }: ZoneCall): Page => {
    const found = selectRecords(ownedBy(store, kind, zone.id), query);
    return new Page(found.map(shown), query, { usual: 100, most: 5_000_000 });
  };
  const one = "/zones/:zone/dns_records/:record";
  routes.differs(
    ["POST /zones/:zone/dns_records", `PUT ${one}`, `PATCH ${one}`],
    "`flatten_cname`, `ipv4_only` and `ipv6_only` are kept without effect",
  );
  routes.zone("GET", "/dns_records", list, [...recordParameters, ...paging]);
  routes.notEmulated("GET", "/dns_records/export", "/dns_records/usage");
  routes.zone("POST", "/dns_records", ({ zone, body }) => {
    const record = build(world, zone, body, undefined);
    store.put(kind, record.id, { owner: zone.id, value: record.value });
    return shown(record.value);
  });
  routes.zone("GET", "/dns_records/:record", ({ zone, params }) => shown(find(world, zone, params["record"])));
  for (const method of ["PUT", "PATCH"] as const) {
    routes.zone(method, "/dns_records/:record", ({ zone, params, body }) => {
      const before = find(world, zone, params["record"]);
      const { id, value } = build(world, zone, method === "PATCH" ? { ...before, ...body } : body, before);
      store.put(kind, id, { owner: zone.id, value });
      return shown(value);
    });
  }
  routes.zone("DELETE", "/dns_records/:record", ({ zone, params }) => {
    const { id } = find(world, zone, params["record"]);
    store.delete(kind, String(id));
    return { id };
  });
}

function find(world: World, zone: Zone, id = ""): Json {
  const record = world.store.get(kind, id);
  if (record?.owner !== zone.id) throw new ApiError(404, 81044, "Record does not exist.");
  return record.value;
}

function build(world: World, zone: Zone, body: Json, before: Json | undefined): { id: string; value: Json } {
  const wanted = checkRecord(body, zone.name, zone.plan);
  refuseClash(
    wanted,
    ownedBy(world.store, kind, zone.id).filter(({ id }) => id !== before?.["id"]),
  );
  const id = isText(before?.["id"]) ? before["id"] : world.newId();
  checkRest(body, zone.plan);
  const comment = isText(body["comment"]) && body["comment"] !== "" ? body["comment"] : null;
  const tags = texts(body["tags"]);
  const decided = {
    name: wanted.name,
    type: wanted.type,
    content: wanted.content,
    proxiable: wanted.proxiable,
    proxied: wanted.proxied,
    ttl: wanted.ttl,
    ...(wanted.priority !== undefined && { priority: wanted.priority }),
    ...(wanted.data !== undefined && { data: wanted.data }),
    settings: settingsOf(world, wanted, body["settings"]),
    meta: {},
    comment,
    tags,
  };
  const created = before?.["created_on"] ?? world.now();
  // A write that changes nothing keeps the time of the last change.
  const isSame =
    before !== undefined &&
    Object.entries(decided).every(([key, value]) => JSON.stringify(before[key]) === JSON.stringify(value));
  const stamp = (key: string, value: unknown, isSet: boolean): Json => {
    if (!isSet) return {};
    const unchanged = before !== undefined && JSON.stringify(before[key]) === JSON.stringify(value);
    return { [`${key}_modified_on`]: unchanged ? before[`${key}_modified_on`] : world.now() };
  };
  const value = {
    id,
    ...decided,
    created_on: created,
    modified_on: isSame ? before["modified_on"] : world.now(),
    ...stamp("comment", comment, comment !== null),
    ...stamp("tags", tags, tags.length > 0),
  };
  return { id, value };
}

/** What clients send back as they have read it. */
const readOnly: Shape = {
  ...{ id: shortText(32), zone_id: text, zone_name: text, proxiable: flag, locked: flag },
  ...{ created_on: time, modified_on: time, comment_modified_on: time, tags_modified_on: time },
  meta: new Value("an object", isRecord),
};

/** What clients send of a record, and what they send back of one that they read. */
const properties = [
  ...["name", "type", "content", "data", "priority", "proxied", "ttl", "settings", "comment", "tags"],
  ...Object.keys(readOnly),
];
const settingNames = ["flatten_cname", "ipv4_only", "ipv6_only"];

/** Refuses what would be left out of the record, and more notes than a plan has. */
function checkRest(body: Json, plan: Plan): void {
  const other = Object.keys(body).find(
    (name) => !properties.includes(name) && body[name] !== null && body[name] !== false,
  );
  if (other !== undefined) throw notEmulated(`${other} of a DNS record`);
  checkProperties(pick(body, Object.keys(readOnly)), readOnly, "a DNS record");
  const { comment = null, tags = null, settings = null, data = null } = body;
  if (data !== null && !isRecord(data)) throw invalid("data", data, "an object");
  const length = plan === "free" ? 100 : 500;
  if (comment !== null && !(isText(comment) && comment.length <= length))
    throw invalid("comment", comment, `a string of at most ${length} characters`);
  if (tags !== null && !(Array.isArray(tags) && tags.every((tag) => isText(tag) && /^[\w-]+(:.*)?$/.test(tag))))
    throw invalid("tags", tags, "a list of strings <name>:<value>");
  const [sent, quota] = [texts(tags).length, plan === "free" ? 0 : 20];
  if (sent > quota) throw new ApiError(400, 9300, `DNS record has ${sent} tags, exceeding the quota of ${quota}.`);
  if (settings === null) return;
  if (!isRecord(settings)) throw invalid("settings", settings, "an object");
  for (const [name, value] of Object.entries(settings)) {
    if (!settingNames.includes(name)) throw notEmulated(`settings.${name} of a DNS record`);
    if (value !== null && typeof value !== "boolean") throw invalid(`settings.${name}`, value, "true or false");
  }
}

function settingsOf(world: World, { type, proxied }: Wanted, sent: unknown): Json {
  const given = isRecord(sent) ? Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== null)) : {};
  return world.has("dns.cname-settings") && type === "CNAME" && !proxied ? { flatten_cname: false, ...given } : given;
}

function refuseClash(wanted: Wanted, others: readonly Json[]): void {
  const sameName = others.filter(({ name }) => name === wanted.name);
  if (sameName.some(({ type, content }) => type === wanted.type && content === wanted.content)) {
    throw new ApiError(400, 81058, "An identical record already exists.");
  }
  if (!addresses.includes(wanted.type)) return;
  const clash = sameName.some(({ type }) =>
    wanted.type === "CNAME" ? addresses.includes(String(type)) : type === "CNAME",
  );
  if (clash) throw new ApiError(400, 81053, "An A, AAAA, or CNAME record with that host already exists.");
}
