/**
 * Where replies of the emulated Cloudflare are not what the document of the real API says, and why. The document is of
 * 2024: calls that it does not know are not checked, nor are properties, and it has no null where the API has one.
 */
import { type Deviation } from "../support/openapi.ts";

export const deviations: readonly Deviation[] = [
  {
    complaint: / 4\d\d (success|result) /,
    reason: "The document has refusals be a reply of success and one of failure at once, which nothing can be.",
  },
];
