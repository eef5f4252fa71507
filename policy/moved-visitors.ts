/** Refuses that visitors are sent to an address that nobody answers: without Cloudflare, people keep the DNS records of a stack. Pure. */
import { agreeTo, type Finding, refused } from "./findings.ts";
import type { Graph } from "./graph.ts";

/**
 * Says which records must be changed when load balancers come or go, and when: the update removes the edge that the records
 * still name as soon as the new one answers.
 */
export function movedVisitors(before: Graph, after: Graph): Finding[] {
  const [was, is] = [before.balancing, after.balancing];
  if (was === undefined || is === undefined || (was === "direct") === (is === "direct")) return [];
  const name = `edge.balancing.${is}`;
  const visited = (after.hostNames ?? []).join(", ");
  const [from, to, ready] =
    is === "direct"
      ? ["the load balancer's address", "the server's", "the edge on the server answers"]
      : ["the server's address", "the load balancer's", "all targets of the load balancer are healthy"];
  return [
    refused(
      name,
      `would end what answers at ${from}, where the DNS records of ${visited} send visitors; this program does not keep these records, and visitors are cut off until each has ${to}`,
      `set the TTL of these A records to a minute the day before; ${agreeTo(name)}; during the update, as soon as ${ready} (Hetzner's console shows it), set them to ${to} (docs/scale.md)`,
    ),
  ];
}
