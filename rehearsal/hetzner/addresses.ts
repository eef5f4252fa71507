/** IP address arithmetic: parses CIDRs, finds free addresses and subnets. Pure; IPv4 unless a name says otherwise. */
import { BlockList, isIPv6 } from "node:net";

export interface Range {
  /** The first address as a number. */
  readonly first: number;
  readonly last: number;
  readonly bits: number;
}

/** @returns undefined when the text is not an IPv4 address */
export function numberOf(address: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((number, part) => number * 256 + part, 0);
}

export const textOf = (number: number): string => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");

/** @returns undefined when the text is not an IPv4 CIDR, or has host bits set */
export function rangeOf(cidr: string): Range | undefined {
  const [address = "", prefix = ""] = cidr.split("/");
  const first = numberOf(address);
  const bits = /^\d{1,2}$/.test(prefix) ? Number(prefix) : 33;
  if (first === undefined || bits > 32) return undefined;
  const size = 2 ** (32 - bits);
  return first % size === 0 ? { first, last: first + size - 1, bits } : undefined;
}

export const contains = (outer: Range, inner: Range): boolean => outer.first <= inner.first && inner.last <= outer.last;
export const overlaps = (a: Range, b: Range): boolean => a.first <= b.last && b.first <= a.last;

/** Whether the text is an IPv6 CIDR without host bits. */
export function isRange6(cidr: string): boolean {
  const [address = "", prefix = ""] = cidr.split("/");
  if (!isIPv6(address) || !/^[0-9a-f:]+$/i.test(address) || !/^\d{1,3}$/.test(prefix)) return false;
  const [head = [], tail = []] = address.split("::").map((part) => part.split(":").filter(Boolean));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  const number = [...head, ...zeros, ...tail].reduce((sum, group) => sum * 65_536n + BigInt(`0x${group}`), 0n);
  return Number(prefix) <= 128 && number % 2n ** BigInt(128 - Number(prefix)) === 0n;
}

/** Whether an address equals an IPv4 address or lies in an IPv6 range. */
export function isOneOf(own: string, address: string): boolean {
  const [network = "", prefix] = own.split("/");
  if (prefix === undefined || !isIPv6(address)) return own === address;
  const range = new BlockList();
  range.addSubnet(network, Number(prefix), "ipv6");
  return range.check(address, "ipv6");
}

/** Gateway of a network and of its subnets: the first host address. */
export const gatewayOf = (cidr: string): string => {
  const range = rangeOf(cidr);
  return range ? textOf(range.first + 1) : "";
};

/** First free host address of a range. */
export function nextFree(cidr: string, taken: ReadonlySet<string>): string | undefined {
  const range = rangeOf(cidr);
  if (!range) return undefined;
  for (let number = range.first + 1; number < range.last; number++) {
    const address = textOf(number);
    if (!taken.has(address)) return address;
  }
  return undefined;
}

/** Whether a host can have an address: inside the range, and not its first or last one. */
export function isHostOf(cidr: string, address: string): boolean {
  const range = rangeOf(cidr);
  const number = numberOf(address);
  return range !== undefined && number !== undefined && number > range.first && number < range.last;
}

/** First /24 of a network that overlaps no other subnet. */
export function nextSubnet(cidr: string, others: readonly Range[]): string | undefined {
  const range = rangeOf(cidr);
  if (!range) return undefined;
  for (let first = range.first; first <= range.last; first += 256) {
    const subnet = { first, last: first + 255, bits: 24 };
    if (!others.some((one) => overlaps(one, subnet))) return `${textOf(first)}/24`;
  }
  return undefined;
}
