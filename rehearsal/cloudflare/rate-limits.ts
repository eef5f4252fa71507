/** Validates rate limit rules against what a zone's plan allows. Pure. */
import { isRecord } from "../../common/record.ts";
import { texts } from "./body.ts";
import { refuse } from "./refuse.ts";
import type { Plan } from "./state.ts";

/** Allowed periods and timeouts in seconds; a plan limits the longest one. */
const seconds = [
  ...[10, 15, 20, 30, 40, 45, 60, 90, 120, 180, 240, 300, 480],
  ...[600, 900, 1200, 1800, 2400, 3600, 65_535, 86_400],
];

interface Entitlement {
  /** Longest counting period. */
  readonly period: number;
  /** Longest mitigation timeout. */
  readonly timeout: number;
  readonly characteristics: readonly string[] | "all";
  readonly fields: readonly string[] | "all";
  /** Whether a separate counting expression is allowed. */
  readonly counting: boolean;
  /** Whether only the requests above the rate may be blocked (mitigation timeout 0). */
  readonly throttle: boolean;
}

const path = ["http.request.uri.path", "cf.bot_management.verified_bot"];
const url = [...path, "http.host", "http.request.uri", "http.request.full_uri", "http.request.uri.query"];
const client = [...url, "http.request.method", "ip.src", "http.user_agent"];
const address = ["cf.colo.id", "ip.src"];

const entitlements: Readonly<Record<Plan, Entitlement>> = {
  free: { period: 10, timeout: 10, characteristics: address, fields: path, counting: false, throttle: false },
  pro: { period: 60, timeout: 3600, characteristics: address, fields: url, counting: false, throttle: false },
  business: {
    period: 600,
    timeout: 86_400,
    characteristics: [...address, "cf.unique_visitor_id"],
    fields: client,
    counting: true,
    throttle: false,
  },
  enterprise: {
    period: 65_535,
    timeout: 86_400,
    characteristics: "all",
    fields: "all",
    counting: true,
    throttle: true,
  },
};

/** @throws {ApiError} for a field that the plan does not allow in rate limit rules */
export function checkFields(used: ReadonlySet<string>, plan: Plan, at: string): void {
  const { fields } = entitlements[plan];
  const surplus = [...used].find((name) => fields !== "all" && !fields.includes(name));
  if (surplus !== undefined) throw refuse(`not entitled to use the field ${surplus}, a higher plan is required`, at);
}

/** @throws {ApiError} for the first value that is invalid or not in the plan */
export function checkRateLimit(action: string, limit: unknown, plan: Plan, at: string): void {
  if (!isRecord(limit)) throw refuse("ratelimit is required in the phase http_ratelimit", at);
  const entitled = entitlements[plan];
  const characteristics = texts(limit["characteristics"]);
  if (!characteristics.includes("cf.colo.id")) {
    throw refuse("characteristics must include cf.colo.id", `${at}/characteristics`);
  }
  const surplus = characteristics.find(
    (name) => entitled.characteristics !== "all" && !entitled.characteristics.includes(name),
  );
  if (surplus !== undefined) throw refuse(`not entitled to use the characteristic ${surplus}`, `${at}/characteristics`);
  const { period, mitigation_timeout: timeout = 0, requests_per_period: requests } = limit;
  checkSeconds(period, entitled.period, "period", `${at}/period`);
  const isChallenge = action.endsWith("challenge");
  if (timeout !== 0) checkSeconds(timeout, entitled.timeout, "mitigation timeout", `${at}/mitigation_timeout`);
  if (!entitled.throttle && isChallenge !== (timeout === 0)) {
    const needed = isChallenge ? "must be 0 for" : "cannot be 0 for";
    throw refuse(`the mitigation timeout ${needed} the action ${action} on this plan`, `${at}/mitigation_timeout`);
  }
  if (typeof requests !== "number" || requests < 1) {
    throw refuse("requests_per_period must be at least 1", `${at}/requests_per_period`);
  }
  const counting = limit["counting_expression"];
  if (counting !== undefined && counting !== "" && !entitled.counting) {
    throw refuse("not entitled to use a counting expression", `${at}/counting_expression`);
  }
}

function checkSeconds(value: unknown, longest: number, what: string, at: string): void {
  const allowed = seconds.filter((each) => each <= longest);
  if (typeof value === "number" && allowed.includes(value)) return;
  throw refuse(`not entitled to use the ${what} ${String(value)}, can only use one of ${allowed.join(", ")}`, at);
}
