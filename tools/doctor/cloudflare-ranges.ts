/** Checks Cloudflare's address ranges: requests from a range that firewalls and edges do not know are refused. */
import { z } from "zod";
import { cloudflareRanges } from "../../common/cloudflare-ranges.ts";
import { daysSince } from "../../common/dates.ts";
import type { Checked } from "./advice.ts";

/** An older list that cannot be compared is a problem. */
const usableDays = 180;
const requestSeconds = 10;

interface Ranges {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
}

/** What Cloudflare publishes, or why it is not known. */
export type Published = Ranges | { readonly problem: string };

const answerSchema = z.object({
  result: z.object({ ipv4_cidrs: z.array(z.string()).min(1), ipv6_cidrs: z.array(z.string()).min(1) }),
});

/** Asks Cloudflare for its ranges; the call needs no token. @param api address of its API, without a slash at the end */
export async function publishedRanges(api: string): Promise<Published> {
  try {
    const response = await fetch(`${api}/ips`, { signal: AbortSignal.timeout(requestSeconds * 1000) });
    if (!response.ok) return { problem: `${api}/ips answers ${response.status}` };
    const { result } = answerSchema.parse(await response.json());
    return { ipv4: result.ipv4_cidrs, ipv6: result.ipv6_cidrs };
  } catch (error) {
    return { problem: `${api} does not answer: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** @param known the list of common/cloudflare-ranges.ts with its date */
export function judgeRanges(
  published: Published,
  now: Date,
  known: Ranges & { readonly date: string } = cloudflareRanges,
): Checked {
  if ("problem" in published) {
    const days = daysSince(known.date, now);
    const detail = `of ${known.date}, ${days} days old, not compared: ${published.problem}`;
    return days > usableDays ? { problem: "ranges-old", detail } : { detail };
  }
  const [ours, theirs] = [known, published].map(({ ipv4, ipv6 }) => new Set([...ipv4, ...ipv6]));
  const added = [...(theirs ?? [])].filter((range) => !ours?.has(range));
  const gone = [...(ours ?? [])].filter((range) => !theirs?.has(range));
  if (added.length + gone.length === 0) return { detail: "as Cloudflare publishes them" };
  const list = (what: string, ranges: readonly string[]) =>
    ranges.length === 0 ? [] : [`${what} ${ranges.join(", ")}`];
  return { problem: "ranges-differ", detail: [...list("new:", added), ...list("gone:", gone)].join("; ") };
}
