/** Validates the rules of a ruleset: what its phase allows, and how many rules the plan allows. Pure. */
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { compile, ExpressionError } from "./expression.ts";
import { actionParameters, checkProperties, rateLimit, rule as ruleProperties } from "./properties.ts";
import { refuse } from "./refuse.ts";
import { checkFields, checkRateLimit } from "./rate-limits.ts";
import type { Plan } from "./state.ts";

interface Phase {
  readonly actions: readonly string[];
  /** Maximum number of rules by plan; undefined: no limit. */
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

/** Actions that do nothing without parameters. */
const needsParameters = [
  ...["compress_response", "execute", "redirect", "rewrite", "route", "serve_error", "set_cache_settings"],
  ...["set_config", "skip"],
];

/** Rulesets managed by Cloudflare, by id; all but the free one need a paid plan. */
const managedRulesets: Readonly<Record<string, { readonly name: string; readonly free: boolean }>> = {
  "77454fe2d30c4220b5701f6fdfb893ba": { name: "Cloudflare Managed Free Ruleset", free: true },
  "4d21379b4f9f4bb088e0729962c8b3cf": { name: "DDoS L7 ruleset", free: true },
  efb7b8c949ac4650a09736fc376e9aee: { name: "Cloudflare Managed Ruleset", free: false },
  "4814384a9e5d4991b9815dcfc25d2f1f": { name: "Cloudflare OWASP Core Ruleset", free: false },
  c2e184081120413c86c3ab7e14069605: { name: "Cloudflare Exposed Credentials Check Ruleset", free: false },
};

/** @throws {ApiError} for the first rule that phase or plan do not allow */
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
  checkProperties(rule, ruleProperties, "a rule", 20_120);
  const { action, expression, action_parameters: parameters, ratelimit, logging } = rule;
  if (typeof action !== "string" || !phase.actions.includes(action)) {
    throw refuse(
      `'${String(action)}' is not a valid value for action because it is not allowed in the phase ${phaseName}`,
      `${at}/action`,
    );
  }
  const fields = checkExpression(expression, plan, `${at}/expression`);
  if (logging !== undefined && logging !== null && action !== "skip") {
    throw refuse(
      "'logging' is not a valid value for rule because it is only allowed with the action skip",
      `${at}/logging`,
    );
  }
  if (action === "block" && isRecord(parameters) && parameters["response"] !== undefined && plan === "free") {
    throw refuse("not entitled to use the action parameter response", `${at}/action_parameters/response`);
  }
  const known = actionParameters[action];
  if (known !== undefined) checkProperties(parameters, known, `the action ${action}`, 20_120);
  checkProperties(ratelimit, rateLimit, "ratelimit", 20_120);
  if (needsParameters.includes(action) && !(isRecord(parameters) && Object.keys(parameters).length > 0)) {
    throw refuse(`action_parameters is required for the action ${action}`, `${at}/action_parameters`);
  }
  if (action === "log" && plan !== "enterprise") throw refuse("not entitled to use the action log", `${at}/action`);
  if (action === "set_cache_settings") checkTimes(parameters, `${at}/action_parameters`);
  if (action === "execute") checkExecute(parameters, plan, `${at}/action_parameters/id`);
  if (phaseName === "http_ratelimit") {
    checkRateLimit(action, ratelimit, plan, `${at}/ratelimit`);
    checkFields(fields, plan, `${at}/expression`);
    const counting = isRecord(ratelimit) ? ratelimit["counting_expression"] : undefined;
    if (counting !== undefined && counting !== "")
      checkExpression(counting, plan, `${at}/ratelimit/counting_expression`);
  } else if (ratelimit !== undefined && ratelimit !== null) {
    throw refuse(`'ratelimit' is not a valid value for rule because the phase is ${phaseName}`, `${at}/ratelimit`);
  }
}

/** Refuses a time that is missing, or that would be left out. */
function checkTimes(parameters: unknown, at: string): void {
  for (const name of ["edge_ttl", "browser_ttl"]) {
    const ttl = isRecord(parameters) ? parameters[name] : undefined;
    if (!isRecord(ttl)) continue;
    const { mode, default: seconds } = ttl;
    if (typeof mode !== "string") throw refuse("mode is required", `${at}/${name}/mode`);
    const hasSeconds = seconds !== undefined && seconds !== null;
    if (mode === "override_origin" && !hasSeconds)
      throw refuse("default is required in override_origin mode", `${at}/${name}/default`);
    if (mode !== "override_origin" && hasSeconds)
      throw refuse(`default is useless in ${mode} mode`, `${at}/${name}/default`);
  }
}

/** @returns the request fields that the expression reads */
function checkExpression(expression: unknown, plan: Plan, at: string): ReadonlySet<string> {
  if (typeof expression !== "string" || expression === "") throw refuse("expression is required", at);
  if (expression.length > 4096) throw refuse(`expression is ${expression.length} characters long, at most 4096`, at);
  try {
    const { usesMatches, fields } = compile(expression);
    if (usesMatches && (plan === "free" || plan === "pro")) {
      throw new ExpressionError(
        "the use of operator Matches is not allowed, a Business plan or a WAF Advanced plan is required",
      );
    }
    return fields;
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
