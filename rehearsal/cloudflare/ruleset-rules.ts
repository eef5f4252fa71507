/** What a phase allows in its rules, and how many of them a plan does. Pure. */
import { isRecord, type Json } from "../json.ts";
import { texts } from "./body.ts";
import { ApiError } from "./envelope.ts";
import { compile, ExpressionError } from "./expression.ts";
import { type Plan } from "./state.ts";

interface Phase {
  readonly actions: readonly string[];
  /** Rules that a zone may have, by plan; undefined: no matter. */
  readonly most?: Readonly<Record<Plan, number>>;
}

const filters = ["block", "challenge", "js_challenge", "managed_challenge", "log", "skip"];
const transforms = { free: 10, pro: 25, business: 50, enterprise: 300 };

export const phases: Readonly<Record<string, Phase>> = {
  ddos_l7: { actions: ["execute"] },
  http_config_settings: { actions: ["set_config"], most: transforms },
  http_custom_errors: { actions: ["serve_error"], most: { free: 0, pro: 25, business: 50, enterprise: 300 } },
  http_ratelimit: { actions: filters, most: { free: 1, pro: 2, business: 5, enterprise: 100 } },
  http_request_cache_settings: { actions: ["set_cache_settings"], most: transforms },
  http_request_dynamic_redirect: { actions: ["redirect"], most: transforms },
  http_request_firewall_custom: { actions: filters, most: { free: 5, pro: 20, business: 100, enterprise: 1000 } },
  http_request_firewall_managed: { actions: ["execute", "skip"] },
  http_request_late_transform: { actions: ["rewrite"], most: transforms },
  http_request_origin: { actions: ["route"], most: transforms },
  http_request_redirect: { actions: ["redirect"], most: transforms },
  http_request_transform: { actions: ["rewrite"], most: transforms },
  http_response_compression: { actions: ["compress_response"], most: transforms },
  http_response_headers_transform: { actions: ["rewrite"], most: transforms },
};

/** Rulesets that Cloudflare writes, by id; the others than the free one need a paid plan. */
export const managedRulesets: Readonly<Record<string, { readonly name: string; readonly free: boolean }>> = {
  "77454fe2d30c4220b5701f6fdfb893ba": { name: "Cloudflare Managed Free Ruleset", free: true },
  efb7b8c949ac4650a09736fc376e9aee: { name: "Cloudflare Managed Ruleset", free: false },
  "4814384a9e5d4991b9815dcfc25d2f1f": { name: "Cloudflare OWASP Core Ruleset", free: false },
  c2e184081120413c86c3ab7e14069605: { name: "Cloudflare Exposed Credentials Check Ruleset", free: false },
};

const refuse = (message: string, pointer: string, code = 20_120): ApiError => new ApiError(400, code, message, pointer);

/** @throws {ApiError} for the first rule that the phase or the plan does not allow */
export function checkRules(phaseName: string, rules: readonly Json[], plan: Plan): void {
  const phase = phases[phaseName];
  if (phase === undefined) {
    throw refuse(`'${phaseName}' is not a valid value for phase because it is unknown or not emulated`, "/phase");
  }
  const most = phase.most?.[plan];
  if (most !== undefined && rules.length > most) {
    throw refuse(
      `exceeded the maximum number of rules in the phase ${phaseName}: ${rules.length} out of ${most}`,
      "/rules",
    );
  }
  for (const [index, rule] of rules.entries()) checkRule(phaseName, phase, rule, plan, `/rules/${index}`);
  const refs = rules.map(({ ref }) => ref).filter((ref) => ref !== undefined);
  const twice = refs.find((ref, index) => refs.indexOf(ref) !== index);
  if (twice !== undefined)
    throw refuse(`${JSON.stringify(twice)} is not a valid value for ref because it is used twice`, "/rules");
}

function checkRule(phaseName: string, phase: Phase, rule: Json, plan: Plan, at: string): void {
  const { action, expression, action_parameters: parameters, ratelimit, logging } = rule;
  if (typeof action !== "string" || !phase.actions.includes(action)) {
    throw refuse(
      `'${String(action)}' is not a valid value for action because it is not allowed in the phase ${phaseName}`,
      `${at}/action`,
    );
  }
  checkExpression(expression, plan, `${at}/expression`);
  if (logging !== undefined && logging !== null && action !== "skip") {
    throw refuse(
      "'logging' is not a valid value for rule because it is only allowed with the action skip",
      `${at}/logging`,
    );
  }
  if (action === "block" && isRecord(parameters) && parameters["response"] !== undefined && plan === "free") {
    throw refuse("not entitled to use the action parameter response", `${at}/action_parameters/response`);
  }
  if (action === "execute") checkExecute(parameters, plan, `${at}/action_parameters/id`);
  if (phaseName === "http_ratelimit") checkRateLimit(ratelimit, plan, `${at}/ratelimit`);
  else if (ratelimit !== undefined && ratelimit !== null) {
    throw refuse(`'ratelimit' is not a valid value for rule because the phase is ${phaseName}`, `${at}/ratelimit`);
  }
}

function checkExpression(expression: unknown, plan: Plan, at: string): void {
  if (typeof expression !== "string" || expression === "") throw refuse("expression is required", at);
  try {
    const { usesMatches } = compile(expression);
    if (usesMatches && (plan === "free" || plan === "pro")) {
      throw new ExpressionError(
        "the use of operator Matches is not allowed, a Business plan or a WAF Advanced plan is required",
      );
    }
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw refuse(
      `'${expression}' is not a valid value for expression because the expression is invalid: ${error.message}`,
      at,
      20_127,
    );
  }
}

function checkExecute(parameters: unknown, plan: Plan, at: string): void {
  const id = isRecord(parameters) ? String(parameters["id"]) : "";
  const managed = managedRulesets[id];
  if (managed === undefined) throw refuse(`could not find ruleset '${id}'`, at);
  if (plan === "free" && !managed.free) throw refuse(`not entitled to execute the ruleset ${managed.name}`, at);
}

/** Seconds that rate limits of a plan may count over and act for. */
const periods: Readonly<Record<Plan, readonly number[]>> = {
  free: [10],
  pro: [10, 60],
  business: [10, 60, 120, 300, 600],
  enterprise: [10, 60, 120, 300, 600, 3600, 86_400],
};
const mitigations: Readonly<Record<Plan, readonly number[]>> = {
  free: [0, 10],
  pro: [0, 10, 60, 120, 300, 600, 3600],
  business: [0, 10, 60, 120, 300, 600, 3600, 86_400],
  enterprise: [0, 10, 30, 60, 120, 300, 600, 3600, 86_400],
};

function checkRateLimit(limit: unknown, plan: Plan, at: string): void {
  if (!isRecord(limit)) throw refuse("ratelimit is required in the phase http_ratelimit", at);
  const characteristics = texts(limit["characteristics"]);
  if (!characteristics.includes("cf.colo.id")) {
    throw refuse("characteristics must include cf.colo.id", `${at}/characteristics`);
  }
  const allowed = plan === "free" || plan === "pro" ? ["cf.colo.id", "ip.src"] : undefined;
  const surplus = characteristics.find((name) => allowed?.includes(name) === false);
  if (surplus !== undefined) throw refuse(`not entitled to use the characteristic ${surplus}`, `${at}/characteristics`);
  const { period, mitigation_timeout: timeout, requests_per_period: requests } = limit;
  if (typeof period !== "number" || !periods[plan].includes(period)) {
    throw refuse(
      `not entitled to use the period ${String(period)}, can only use one of ${periods[plan].join(", ")}`,
      `${at}/period`,
    );
  }
  if (typeof timeout !== "number" || !mitigations[plan].includes(timeout)) {
    throw refuse(
      `not entitled to use the mitigation timeout ${String(timeout)}, can only use one of ${mitigations[plan].join(", ")}`,
      `${at}/mitigation_timeout`,
    );
  }
  if (typeof requests !== "number" || requests < 1)
    throw refuse("requests_per_period must be at least 1", `${at}/requests_per_period`);
  if (typeof limit["counting_expression"] === "string" && limit["counting_expression"] !== "") {
    checkExpression(limit["counting_expression"], plan, `${at}/counting_expression`);
  }
}
