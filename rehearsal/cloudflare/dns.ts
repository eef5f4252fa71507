/** API routes of a zone's DNS records. */
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { invalid, isText, texts } from "./body.ts";
import { checkRecord, type Wanted } from "./dns-content.ts";
import { ApiError, Page } from "./envelope.ts";
import { selectRecords, recordParameters } from "./dns-filters.ts";
import { paging, type Routes, type ZoneCall } from "./routes.ts";
import { ownedBy, type Zone } from "./state.ts";
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
  checkNotes(body);
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

/** Refuses what would be left out of the record. */
function checkNotes({ comment = null, tags = null, settings = null }: Json): void {
  if (comment !== null && !isText(comment)) throw invalid("comment", comment, "a string");
  if (tags !== null && !(Array.isArray(tags) && tags.every(isText))) throw invalid("tags", tags, "a list of strings");
  if (settings !== null && !isRecord(settings)) throw invalid("settings", settings, "an object");
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
