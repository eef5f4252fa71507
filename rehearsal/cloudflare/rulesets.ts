/** API routes of a zone's rulesets: one entry point per phase; rules keep their ids as long as their refs stay the same. */
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { invalid, isText, omit, pick, records, requireOneOf, requireText, withoutNulls } from "./body.ts";
import { ApiError } from "./envelope.ts";
import { checkRules } from "./ruleset-rules.ts";
import { noContent, type Routes } from "./routes.ts";
import { ownedBy, type Zone } from "./state.ts";
import type { World } from "./world.ts";

const kind = "cloudflare.ruleset";
const ruleKeys = [
  ...["action", "action_parameters", "categories", "description", "enabled", "exposed_credential_check"],
  ...["expression", "logging", "ratelimit", "ref"],
];

export function registerRulesets(routes: Routes, world: World): void {
  const { store } = world;
  const save = (zone: Zone, ruleset: Json): Json => {
    store.put(kind, String(ruleset["id"]), { owner: zone.id, value: ruleset });
    return shown(world, ruleset);
  };
  const write = (zone: Zone, before: Json | undefined, body: Json): Json =>
    save(zone, build(world, zone, before, body));
  const entryPoint = (zone: Zone, phase = ""): Json | undefined =>
    ownedBy(store, kind, zone.id).find((ruleset) => ruleset["phase"] === phase && ruleset["kind"] === "zone");

  const rules = ["PUT /zones/:zone/rulesets/phases/:phase/entrypoint", "POST /zones/:zone/rulesets"];
  routes.differs(
    [...rules, "PUT /zones/:zone/rulesets/:ruleset"],
    "the edge applies firewall and rate limit rules, and of cache rules `cache`, `edge_ttl` and the query string in `cache_key`; " +
      "all else, managed rulesets too, is kept without effect",
  );
  routes.zone("GET", "/rulesets", ({ zone }) =>
    ownedBy(store, kind, zone.id).map((ruleset) => omit(ruleset, ["rules"])),
  );
  routes.zone("POST", "/rulesets", ({ zone, body }) => {
    const phase = requireText(body, "phase", 20_120);
    const rulesetKind = requireOneOf(body, "kind", ["zone"], 20_120);
    if (entryPoint(zone, phase) !== undefined) {
      const why = `exceeded maximum number of zone rulesets for phase ${phase}`;
      throw new ApiError(400, 20_217, `'${rulesetKind}' is not a valid value for kind because ${why}`, "/kind");
    }
    requireText(body, "name", 20_120);
    return write(zone, undefined, body);
  });
  routes.zone("GET", "/rulesets/phases/:phase/entrypoint", ({ zone, params }) => {
    const found = entryPoint(zone, params["phase"]);
    if (found === undefined) throw notFound(`entrypoint ruleset in the phase ${String(params["phase"])}`);
    return shown(world, found);
  });
  routes.zone("PUT", "/rulesets/phases/:phase/entrypoint", ({ zone, params, body }) =>
    write(zone, entryPoint(zone, params["phase"]), { name: "default", ...body, kind: "zone", phase: params["phase"] }),
  );
  routes.zone("GET", "/rulesets/:ruleset", ({ zone, params }) => shown(world, find(world, zone, params["ruleset"])));
  routes.zone("PUT", "/rulesets/:ruleset", ({ zone, params, body }) => {
    const before = find(world, zone, params["ruleset"]);
    for (const key of ["kind", "phase"]) {
      if (body[key] !== undefined && body[key] !== before[key]) {
        throw new ApiError(
          400,
          20_120,
          `${JSON.stringify(body[key])} is not a valid value for ${key} because it cannot be changed`,
          `/${key}`,
        );
      }
    }
    return write(zone, before, { ...pick(before, ["kind", "phase", "name", "description"]), ...body });
  });
  routes.zone("DELETE", "/rulesets/:ruleset", ({ zone, params }) => {
    store.delete(kind, String(find(world, zone, params["ruleset"])["id"]));
    return noContent;
  });
  registerRules(routes, world, write);
}

/** Routes that add, change and delete single rules. */
function registerRules(routes: Routes, world: World, write: (zone: Zone, before: Json, body: Json) => Json): void {
  const edit = (zone: Zone, id: string | undefined, change: (rules: readonly Json[]) => readonly Json[]): Json => {
    const before = find(world, zone, id);
    return write(zone, before, { ...before, rules: change(records(before["rules"])) });
  };
  const requireRule = (rules: readonly Json[], id: string | undefined): void => {
    if (!rules.some((rule) => rule["id"] === id)) throw notFound(`rule '${String(id)}'`);
  };
  routes.zone("POST", "/rulesets/:ruleset/rules", ({ zone, params, body }) =>
    edit(zone, params["ruleset"], (rules) => placed(rules, omit(body, ["position"]), body["position"])),
  );
  routes.zone("PATCH", "/rulesets/:ruleset/rules/:rule", ({ zone, params, body }) =>
    edit(zone, params["ruleset"], (rules) => {
      requireRule(rules, params["rule"]);
      const changed = rules.map((rule) =>
        rule["id"] === params["rule"] ? { ...rule, ...omit(body, ["position"]) } : rule,
      );
      const [moved] = changed.filter((rule) => rule["id"] === params["rule"]);
      if (moved === undefined || body["position"] === undefined) return changed;
      return placed(omitRule(changed, moved), moved, body["position"]);
    }),
  );
  routes.zone("DELETE", "/rulesets/:ruleset/rules/:rule", ({ zone, params }) =>
    edit(zone, params["ruleset"], (rules) => {
      requireRule(rules, params["rule"]);
      return rules.filter((rule) => rule["id"] !== params["rule"]);
    }),
  );
}

const omitRule = (rules: readonly Json[], one: Json): Json[] => rules.filter((rule) => rule !== one);

/**
 * Puts a rule where a client wants it: `{ index }` from 1, `{ before }` or `{ after }` the rule with an id, of which an empty
 * one is the first place or the last. @default the last place
 */
function placed(rules: readonly Json[], rule: Json, position: unknown): Json[] {
  if (position === undefined || position === null) return [...rules, rule];
  const wrong = (): ApiError => invalid("position", position, "one of index, before and after", 20_120);
  const [[how, where] = [], ...more] = Object.entries(isRecord(position) ? position : {});
  if (more.length > 0) throw wrong();
  const at = (): number => {
    const index = rules.findIndex(({ id }) => id === where);
    if (index < 0) throw notFound(`rule '${String(where)}'`);
    return index;
  };
  switch (how) {
    case "index":
      if (!Number.isInteger(where) || Number(where) < 1 || Number(where) > rules.length + 1) throw wrong();
      return rules.toSpliced(Number(where) - 1, 0, rule);
    case "before":
      return rules.toSpliced(where === "" ? 0 : at(), 0, rule);
    case "after":
      return rules.toSpliced(where === "" ? rules.length : at() + 1, 0, rule);
    default:
      throw wrong();
  }
}

const notFound = (what: string): ApiError => new ApiError(404, 10_003, `could not find ${what}`);

function find(world: World, zone: Zone, id = ""): Json {
  const ruleset = world.store.get(kind, id);
  if (ruleset?.owner !== zone.id) throw notFound(`ruleset '${id}'`);
  return ruleset.value;
}

function build(world: World, zone: Zone, before: Json | undefined, body: Json): Json {
  const sent = records(body["rules"]);
  const phase = requireText(body, "phase", 20_120);
  checkRules(phase, sent, zone.plan);
  const previous = records(before?.["rules"]);
  const used = new Set<unknown>();
  const rules = sent.map((rule) => {
    const old = previous.find(
      (each) =>
        !used.has(each["id"]) && (rule["ref"] === undefined ? each["id"] === rule["id"] : each["ref"] === rule["ref"]),
    );
    used.add(old?.["id"]);
    return buildRule(world, rule, old);
  });
  return {
    id: before?.["id"] ?? world.newId(),
    name: requireText(body, "name", 20_120),
    description: isText(body["description"]) ? body["description"] : "",
    kind: "zone",
    version: String(Number(before?.["version"] ?? 0) + 1),
    ...(body["rules"] !== undefined && { rules }),
    last_updated: world.now(),
    phase,
  };
}

function buildRule(world: World, rule: Json, old: Json | undefined): Json {
  const decided: Json = {
    description: "",
    enabled: true,
    ...(rule["action"] === "skip" && { logging: { enabled: true } }),
    ...withoutNulls(pick(rule, ruleKeys)),
    ...(isRecord(rule["ratelimit"]) && { ratelimit: { mitigation_timeout: 0, ...rule["ratelimit"] } }),
  };
  const keepsId = old !== undefined && !world.has("ruleset.new-rule-ids");
  const id = keepsId ? old["id"] : world.newId();
  const isSame =
    old !== undefined &&
    ruleKeys.every(
      (key) => JSON.stringify(old[key]) === JSON.stringify(decided[key] ?? (key === "ref" ? id : undefined)),
    );
  return {
    id,
    version: isSame ? old["version"] : String(Number(old?.["version"] ?? 0) + 1),
    ref: id,
    ...decided,
    last_updated: isSame ? old["last_updated"] : world.now(),
  };
}

function shown(world: World, ruleset: Json): Json {
  if (!world.has("ruleset.logging") || ruleset["rules"] === undefined) return ruleset;
  return { ...ruleset, rules: records(ruleset["rules"]).map((rule) => ({ logging: { enabled: true }, ...rule })) };
}
