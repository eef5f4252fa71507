/** API routes of a zone's settings, bot management, tiered caching and smart routing. */
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { invalid, omit, pick, requireOneOf } from "./body.ts";
import { ApiError, notEmulated } from "./envelope.ts";
import type { Routes } from "./routes.ts";
import { isAllowed, isEntitled, type Setting, settings, settingsNotEmulated } from "./setting-values.ts";
import type { Plan, Zone } from "./state.ts";
import type { World } from "./world.ts";

const kind = "cloudflare.setting";

/** How long a zone stays in development mode. */
const developmentSeconds = 3 * 3600;

const get = (world: World, zone: Zone, name: string): Json | undefined =>
  world.store.get(kind, `${zone.id}/${name}`)?.value;

const put = (world: World, zone: Zone, name: string, value: Json): Json => {
  world.store.put(kind, `${zone.id}/${name}`, { owner: zone.id, value });
  return value;
};

/** The current value of a zone's setting. */
export const settingOf = (world: World, zone: Zone, name: string): unknown =>
  get(world, zone, `settings/${name}`)?.["value"] ?? settings[name]?.initial;

export function registerSettings(routes: Routes, world: World): void {
  const known = (name = ""): [string, Setting] => {
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (settingsNotEmulated.includes(name)) throw notEmulated(`the zone setting ${name}`);
    if (setting === undefined) throw new ApiError(400, 1006, `Unrecognized zone setting name: ${name}`);
    return [name, setting];
  };
  const read = (zone: Zone, name: string, { initial, plan }: Setting): Json => ({
    id: name,
    value: initial,
    modified_on: null,
    editable: isEntitled(zone.plan, plan),
    ...get(world, zone, `settings/${name}`),
    ...(name === "development_mode" && developing(get(world, zone, `settings/${name}`))),
  });
  /** Development mode ends by itself. */
  const developing = (set: Json | undefined): Json => {
    const since = set?.["value"] === "on" ? Date.parse(String(set["modified_on"])) : -Infinity;
    const left = Math.max(0, Math.ceil(developmentSeconds - (world.date().getTime() - since) / 1000));
    return { value: left > 0 ? "on" : "off", time_remaining: left };
  };

  routes.differs(["PATCH /zones/:zone/settings/:setting"], "most settings are kept and given back without effect");
  routes.zone("GET", "/settings", ({ zone }) =>
    Object.entries(settings).map(([name, setting]) => read(zone, name, setting)),
  );
  routes.zone("GET", "/settings/:setting", ({ zone, params }) => read(zone, ...known(params["setting"])));
  routes.zone("PATCH", "/settings/:setting", ({ zone, params, body }) => {
    const [name, setting] = known(params["setting"]);
    const { value } = body;
    if (!isEntitled(zone.plan, setting.plan) || !isEntitled(zone.plan, setting.plans?.get(value)))
      throw new ApiError(400, 1015, `Not allowed to edit setting for ${name}`);
    if (!isAllowed(setting, value)) {
      const allowed = setting.allowed?.map(String).join(", ") ?? setting.shape?.expected ?? "";
      throw new ApiError(
        400,
        1007,
        `Invalid value for zone setting ${name}: got ${JSON.stringify(value)}, allowed: ${allowed}`,
      );
    }
    const before = read(zone, name, setting);
    const isSame = before["modified_on"] !== null && JSON.stringify(before["value"]) === JSON.stringify(value);
    put(world, zone, `settings/${name}`, { value, modified_on: isSame ? before["modified_on"] : world.now() });
    const after = read(zone, name, setting);
    return world.has("zone-setting.editable") ? { ...after, editable: false } : after;
  });
}

const sbfm = [
  "sbfm_definitely_automated",
  "sbfm_likely_automated",
  "sbfm_static_resource_protection",
  "sbfm_verified_bots",
  "optimize_wordpress",
];
const botDefaults: Json = {
  ai_bots_protection: "disabled",
  cf_robots_variant: "off",
  crawler_protection: "disabled",
  enable_js: true,
  is_robots_txt_managed: false,
  using_latest_model: true,
};
const botChoices: Readonly<Record<string, readonly string[]>> = {
  ai_bots_protection: ["block", "disabled", "only_on_ad_pages"],
  cf_robots_variant: ["off", "policy_only"],
  crawler_protection: ["enabled", "disabled"],
};
const botsOf = (plan: Plan): Json =>
  plan === "free"
    ? { ...botDefaults, fight_mode: false }
    : {
        ...botDefaults,
        optimize_wordpress: false,
        sbfm_definitely_automated: "allow",
        sbfm_static_resource_protection: false,
        sbfm_verified_bots: "allow",
        ...(plan !== "pro" && { sbfm_likely_automated: "allow" }),
        ...(plan === "enterprise" && {
          auto_update_model: true,
          suppress_session_score: false,
          bm_cookie_enabled: true,
        }),
      };

export function registerBots(routes: Routes, world: World): void {
  // Values set on another plan are kept and returned separately, as stale.
  const read = (zone: Zone): Json => {
    const [initial, set] = [botsOf(zone.plan), get(world, zone, "bots") ?? {}];
    const stale = omit(set, Object.keys(initial));
    return {
      ...initial,
      ...pick(set, Object.keys(initial)),
      ...(Object.keys(stale).length > 0 && { stale_zone_configuration: stale }),
    };
  };
  routes.differs(["PUT /zones/:zone/bot_management"], "kept and given back without effect");
  routes.zone("GET", "/bot_management", ({ zone }) => read(zone));
  routes.zone("PUT", "/bot_management", ({ zone, body }) => {
    const allowed = Object.keys(botsOf(zone.plan));
    const surplus = Object.keys(body).find((key) => !allowed.includes(key) && body[key] !== null);
    if (surplus !== undefined) {
      const why = sbfm.includes(surplus)
        ? `zone is not entitled to ${surplus}`
        : `${surplus} is not available on this plan`;
      throw new ApiError(400, 1000, why, `/${surplus}`);
    }
    const initial = botsOf(zone.plan);
    for (const [key, value] of Object.entries(body)) {
      const choices = botChoices[key];
      if (choices !== undefined && value !== null) requireOneOf(body, key, choices, 1000);
      else if (value !== null && typeof value !== typeof initial[key])
        throw invalid(key, value, typeof initial[key] === "boolean" ? "true or false" : "a string", 1000);
    }
    for (const key of sbfm) {
      if (typeof body[key] === "string") {
        requireOneOf(
          body,
          key,
          key === "sbfm_verified_bots" ? ["allow", "block"] : ["allow", "block", "managed_challenge"],
          1000,
        );
      }
    }
    put(world, zone, "bots", { ...get(world, zone, "bots"), ...body });
    return read(zone);
  });
}

/** On-off settings that have their own path. */
const switches: readonly (readonly [path: string, id: string, plan: Plan])[] = [
  ["/argo/tiered_caching", "tiered_caching", "free"],
  ["/argo/smart_routing", "smart_routing", "free"],
  ["/cache/regional_tiered_cache", "tc_regional", "enterprise"],
];

export function registerCaching(routes: Routes, world: World): void {
  const write = (zone: Zone, id: string, body: Json): Json => {
    const value = requireOneOf(body, "value", ["on", "off"], 1007);
    const before = get(world, zone, id);
    const modified = before?.["value"] === value ? before["modified_on"] : world.now();
    return put(world, zone, id, { id, value, editable: true, modified_on: modified });
  };
  routes.differs(
    switches.map(([path]) => `PATCH /zones/:zone${path}`),
    "kept and given back without effect",
  );
  for (const [path, id, plan] of switches) {
    routes.zone(
      "GET",
      path,
      ({ zone }) =>
        get(world, zone, id) ?? { id, value: "off", editable: isEntitled(zone.plan, plan), modified_on: null },
    );
    routes.zone("PATCH", path, ({ zone, body }) => {
      if (!isEntitled(zone.plan, plan)) throw new ApiError(400, 1015, `Not allowed to edit setting for ${id}`);
      return write(zone, id, body);
    });
  }
  const smart = "tiered_cache_smart_topology_enable";
  const find = (zone: Zone): Json => {
    const found = get(world, zone, smart);
    if (!isRecord(found))
      throw new ApiError(404, 1142, `Unable to retrieve ${smart} setting value. The zone setting does not exist.`);
    return found;
  };
  routes.zone("GET", `/cache/${smart}`, ({ zone }) => find(zone));
  // Versions of the provider up to 5.19 create it with PATCH, later ones with POST.
  routes.zone("POST", `/cache/${smart}`, ({ zone, body }) => write(zone, smart, body));
  routes.zone("PATCH", `/cache/${smart}`, ({ zone, body }) => write(zone, smart, body));
  routes.zone("DELETE", `/cache/${smart}`, ({ zone }) => {
    const found = find(zone);
    world.store.delete(kind, `${zone.id}/${smart}`);
    return found;
  });
}
