/** Conditions of API tokens: the addresses from which they may be used. Pure. */
import { BlockList, isIP } from "node:net";
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { invalid, texts } from "./body.ts";
import { notEmulated } from "./envelope.ts";

/** Whether a token may be used from an address. */
export function mayComeFrom({ condition }: Json, address: string): boolean {
  const { request_ip: from } = isRecord(condition) ? condition : {};
  if (!isRecord(from)) return true;
  const [allowed, denied] = [texts(from["in"]), texts(from["not_in"])];
  return (allowed.length === 0 || contains(allowed, address)) && !contains(denied, address);
}

/** @throws {ApiError} for a condition that would not be checked */
export function checkCondition(condition: unknown): void {
  if (condition === undefined || condition === null) return;
  if (!isRecord(condition)) throw invalid("condition", condition, "an object", 1000);
  const { request_ip: from = null, ...others } = condition;
  const [other] = Object.keys(others);
  if (other !== undefined) throw notEmulated(`condition.${other} of a token`);
  if (from === null) return;
  if (!isRecord(from)) throw invalid("condition.request_ip", from, "an object", 1000);
  for (const [name, ranges] of Object.entries(from)) {
    if (!["in", "not_in"].includes(name)) throw notEmulated(`condition.request_ip.${name} of a token`);
    const wrong = texts(ranges).find((range) => rangeOf(range) === undefined);
    if (ranges !== null && (!Array.isArray(ranges) || wrong !== undefined))
      throw invalid(`condition.request_ip.${name}`, wrong ?? ranges, "a list of addresses and ranges", 1000);
  }
}

interface Range {
  readonly network: string;
  readonly bits: number;
  readonly family: "ipv4" | "ipv6";
}

function rangeOf(text: string): Range | undefined {
  const [network = "", size, more] = text.split("/");
  const version = isIP(network);
  const most = version === 4 ? 32 : 128;
  const bits = size === undefined ? most : /^\d+$/.test(size) ? Number(size) : Number.NaN;
  if (version === 0 || more !== undefined || !(bits <= most)) return undefined;
  return { network, bits, family: version === 4 ? "ipv4" : "ipv6" };
}

function contains(ranges: readonly string[], address: string): boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const found = rangeOf(range);
    if (found) list.addSubnet(found.network, found.bits, found.family);
  }
  const plain = address.replace(/^::ffff:(?=\d+\.)/, "");
  return list.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
}
