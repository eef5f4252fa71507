/**
 * Where replies of the emulated Cloudflare are not what the document of the real API says, and why. The document is of
 * 2024: calls that it does not know are not checked, nor are properties that it does not know, and it has no null where
 * the API has one.
 */
import type { Deviation } from "../support/openapi.ts";

export const deviations: readonly Deviation[] = [
  {
    complaint: / 4\d\d (success|result|response) /,
    reason: "The document has refusals be a reply of success and one of failure at once, which nothing can be.",
  },
  {
    complaint: / 501 response /,
    reason: "What is not emulated is refused with a status that the real API does not have.",
  },
  {
    complaint: /^GET (\/ips|\/zones\/:zone\/bot_management) 200 result must match exactly one schema in oneOf$/,
    reason: "What the document takes for alternatives do not exclude each other.",
  },
  {
    complaint: /^PUT \/zones\/:zone\/bot_management 200 result must match exactly one schema in oneOf$/,
    reason: "As where it is read: the alternatives do not exclude each other.",
  },
  {
    complaint: /^GET \/zones(\/:zone)? 200 result(\/\d+)? must have required property 'original_\w+'$/,
    reason: "Null where a zone came from nowhere, and the document has no null.",
  },
  {
    complaint: /^GET \/zones\/:zone\/settings 200 result\/\d+(\/id|\/value)? must (be|match) /,
    reason:
      "The list has settings that the document knows only alone, and a time-out that is a text as the API has it.",
  },
  {
    complaint:
      /^(POST|PUT|GET) \/zones\/:zone\/rulesets(\/:ruleset|\/phases\/:phase\/entrypoint)? 200 result\/rules\/\d+/,
    reason:
      "The document wants a rule of the cache to have every part that there is, and no underscore in an action; the API " +
      "gives back what was sent.",
  },
  {
    complaint:
      /^(POST|GET|PUT|PATCH) \/zones\/:zone\/load_balancers(\/:item)? 200 result(\/\d+)?\/steering_policy must be equal to one/,
    reason: "The empty steering policy is newer than the document; the provider's own list has it.",
  },
  {
    complaint: /^(POST|GET) \/accounts\/:account\/r2\/buckets(\/:bucket)? 200 result\/location must be equal to one/,
    reason: "The API takes locations in small letters and gives them in capital ones.",
  },
  {
    complaint: /^GET \/accounts\/:account\/r2\/buckets 200 result must be array$/,
    reason: "The list lies one level deeper, where clients read it.",
  },
  {
    complaint: /^(GET|DELETE|POST) \/certificates(\/:certificate)? 200 result(\/\d+)?\/id must NOT have more than 32/,
    reason: "The ids of these certificates are their serial numbers, which are longer.",
  },
];
