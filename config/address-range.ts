/** Ranges of addresses in CIDR notation. Pure. */
import { isIPv6 } from "node:net";

/** What is wrong with a valid range as a source of a firewall's rule; undefined: nothing. Hetzner refuses a range with bits of a host. */
export function rangeProblem(cidr: string): string | undefined {
  const [address = "", bits = ""] = cidr.split("/");
  const network = networkOf(address, Number(bits));
  if (network === normalAddress(address)) return undefined;
  return `${network}/${bits}, or ${address}/${isIPv6(address) ? 128 : 32} for one address`;
}

/** The same text for each spelling of a range. */
export function normalRange(cidr: string): string {
  const [address = "", bits = ""] = cidr.split("/");
  return `${normalAddress(address)}/${Number(bits)}`;
}

/** As browsers write it: in lower case, with the longest row of zeros left out. */
const normalAddress = (address: string): string =>
  isIPv6(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;

/** An address without the bits behind the first ones. */
function networkOf(address: string, bits: number): string {
  const [parts, width] = isIPv6(address) ? [groupsOf(address), 16] : [address.split(".").map(Number), 8];
  const kept = parts.map((part, index) => {
    const own = Math.min(width, Math.max(0, bits - index * width));
    return part - (part % 2 ** (width - own));
  });
  return width === 8 ? kept.join(".") : normalAddress(kept.map((part) => part.toString(16)).join(":"));
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [before = "", after] = normalAddress(address).split("::");
  const numbers = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const [start, end] = [numbers(before), numbers(after ?? "")];
  return [...start, ...Array.from({ length: 8 - start.length - end.length }, () => 0), ...end];
}
