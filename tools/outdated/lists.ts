/** The age of lists in config/ that were copied from a provider on a day. */
import { z } from "zod";
import { cloudflareRanges } from "../../common/cloudflare-ranges.ts";
import { priceList } from "../../config/prices.ts";
import { daysSince } from "../../common/dates.ts";
import { unanswered } from "./packages.ts";
import { reasonOf } from "./registry-api.ts";
import type { Item } from "./report.ts";

/** Days after which prices are worth a look: Hetzner changes them a few times a year. */
const pricesOld = 180;

/** Pure. */
export function priceItem(now: Date): Item {
  const age = daysSince(priceList.date, now);
  const item = { kind: "list" as const, name: "config/prices.ts", current: priceList.date };
  return age > pricesOld ? { ...item, state: "behind", note: `${age} days old` } : { ...item, state: "current" };
}

const rangesSchema = z.object({
  result: z.object({ etag: z.string(), ipv4_cidrs: z.array(z.string()), ipv6_cidrs: z.array(z.string()) }),
});

const rangesUrl = "https://api.cloudflare.com/client/v4/ips";

/** Compares Cloudflare's address ranges with those that it publishes; the question needs no token. */
export async function rangesItem(request: typeof fetch = fetch): Promise<Item> {
  const name = "common/cloudflare-ranges.ts";
  const current = `${cloudflareRanges.ipv4.length + cloudflareRanges.ipv6.length} ranges`;
  try {
    const response = await request(rangesUrl, { signal: AbortSignal.timeout(8_000) });
    if (!response.ok) return unanswered("list", name, current, `${rangesUrl} answers ${response.status}`);
    const { result } = rangesSchema.parse(await response.json());
    const published = new Set([...result.ipv4_cidrs, ...result.ipv6_cidrs]);
    const ours = new Set<string>([...cloudflareRanges.ipv4, ...cloudflareRanges.ipv6]);
    const missing = [...published].filter((range) => !ours.has(range));
    const gone = [...ours].filter((range) => !published.has(range));
    if (missing.length + gone.length === 0) return { kind: "list", name, current, state: "current" };
    const note = [...missing.map((range) => `+${range}`), ...gone.map((range) => `-${range}`)].join(" ");
    return { kind: "list", name, current, latest: `${published.size} ranges`, state: "behind", note };
  } catch (error) {
    return unanswered("list", name, current, reasonOf(error));
  }
}
