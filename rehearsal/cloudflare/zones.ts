/** API routes of zones and their plans. Zones come from the cloud's settings; the API cannot create them. */
import { isRecord } from "../../common/record.ts";
import { requireOneOf } from "./body.ts";
import { notEmulated, Page } from "./envelope.ts";
import { selectZones, zoneParameters } from "./zone-filters.ts";
import type { Json } from "../json.ts";
import { mayCall } from "./permissions.ts";
import { type Call, paging, type Routes } from "./routes.ts";
import { type Plan, plans, type Zone } from "./state.ts";
import type { World } from "./world.ts";

const sold: Readonly<Record<Plan, { readonly id: string; readonly name: string; readonly price: number }>> = {
  free: { id: "0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", name: "Free Website", price: 0 },
  pro: { id: "1ac039f6c29b691475c3d74fe588d1ae", name: "Pro Website", price: 20 },
  business: { id: "94f3b7b768b0458b56d2cac4fe5ec0f9", name: "Business Website", price: 200 },
  enterprise: { id: "94f3b7b768b0458b56d2cac4fe5ec0fa", name: "Enterprise Website", price: 0 },
};

export function registerZones(routes: Routes, world: World): void {
  const list = ({ caller, query }: Call): Page => {
    const visible = world.store
      .list("cloudflare.zone")
      .filter(({ id }) => mayCall(caller, { area: "Zone", write: false, zone: id, account: world.accountId }));
    const found = selectZones(
      visible.map((zone) => zoneOf(zone, world)),
      query,
    );
    return new Page(found, query, { usual: 20, most: 50 });
  };
  routes.user("GET", "/zones", list, [...zoneParameters, ...paging]);
  routes.zone("GET", "", ({ zone }) => zoneOf(zone, world));
}

export function registerSubscriptions(routes: Routes, world: World): void {
  routes.zone("GET", "/subscription", ({ zone }) => subscriptionOf(zone));
  for (const method of ["POST", "PUT"] as const) {
    routes.zone(method, "/subscription", ({ zone, body }) => {
      const wanted = isRecord(body["rate_plan"]) ? body["rate_plan"] : {};
      const { frequency = "monthly" } = body;
      if (frequency !== "monthly") throw notEmulated(`a subscription with the frequency ${JSON.stringify(frequency)}`);
      const changed = { ...zone, plan: requireOneOf(wanted, "id", plans, 1200) };
      world.store.put("cloudflare.zone", zone.id, changed);
      return subscriptionOf(changed);
    });
  }
}

/** The subscription of a zone: its plan and price. */
function subscriptionOf({ id, plan }: Zone): Json {
  const { name, price } = sold[plan];
  const ratePlan = { id: plan, public_name: name, currency: "USD", scope: "zone", sets: [], is_contract: false };
  return { id, price, currency: "USD", frequency: "monthly", state: "Paid", rate_plan: ratePlan };
}

function zoneOf({ id, name, plan, created }: Zone, world: World): Json {
  const { id: planId, name: planName, price } = sold[plan];
  return {
    id,
    name,
    status: "active",
    paused: false,
    type: "full",
    development_mode: 0,
    name_servers: ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
    original_name_servers: null,
    original_registrar: null,
    original_dnshost: null,
    modified_on: created,
    created_on: created,
    activated_on: created,
    meta: {
      step: 2,
      custom_certificate_quota: 0,
      page_rule_quota: 3,
      phishing_detected: false,
    },
    owner: { id: null, type: "user", email: null },
    account: { id: world.accountId, name: "Rehearsal" },
    tenant: { id: null, name: null },
    tenant_unit: { id: null },
    permissions: [
      "#dns_records:edit",
      "#dns_records:read",
      "#zone:read",
      "#zone_settings:edit",
      "#waf:edit",
      "#ssl:edit",
    ],
    plan: {
      id: planId,
      name: planName,
      price,
      currency: "USD",
      frequency: price === 0 ? "" : "monthly",
      is_subscribed: true,
      can_subscribe: false,
      legacy_id: plan,
      legacy_discount: false,
      externally_managed: false,
    },
  };
}
