/** Validates and normalises DNS records: name, content by type, TTL, priority. Pure. */
import { isIPv4, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { invalid, isText } from "./body.ts";
import { contentOfData } from "./dns-data.ts";
import { ApiError } from "./envelope.ts";
import type { Plan } from "./state.ts";

export const recordTypes = [
  ...["A", "AAAA", "CAA", "CERT", "CNAME", "DNSKEY", "DS", "HTTPS", "LOC", "MX", "NAPTR", "NS", "OPENPGPKEY", "PTR"],
  ...["SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "TXT", "URI"],
];

const proxiable = ["A", "AAAA", "CNAME"];

/** The validated and normalised fields of a record that the client sets. */
export interface Wanted {
  readonly name: string;
  readonly type: string;
  readonly content: string;
  readonly proxied: boolean;
  readonly proxiable: boolean;
  readonly ttl: number;
  readonly priority: number | undefined;
  readonly data: Json | undefined;
}

const refuse = (code: number, message: string): ApiError => new ApiError(400, code, message);

/**
 * @param zone the name of the zone that the record belongs to
 * @throws {ApiError} with Cloudflare's codes and messages
 */
export function checkRecord(body: Json, zone: string, plan: Plan): Wanted {
  const type = typeof body["type"] === "string" ? body["type"].toUpperCase() : "";
  if (!recordTypes.includes(type))
    throw refuse(1004, `DNS Validation Error: ${JSON.stringify(body["type"])} is not a record type`);
  const { proxied: sent = null } = body;
  if (sent !== null && typeof sent !== "boolean") throw invalid("proxied", sent, "true or false");
  const proxied = sent === true;
  if (proxied && !proxiable.includes(type)) throw refuse(9004, "This record type cannot be proxied.");
  const name = fullName(body["name"], zone);
  const sentData = isRecord(body["data"]) ? body["data"] : undefined;
  const host = isText(body["content"]) ? body["content"].replace(/\.$/, "").toLowerCase() : undefined;
  if (type === "CNAME" && host === name) throw refuse(9039, "CNAME content cannot reference itself.");
  const data = type === "SRV" ? sentData && withoutName(sentData, name, zone) : sentData;
  return {
    name,
    type,
    content: data === undefined ? contentOf(type, body["content"]) : contentOfData(type, data, body["priority"]),
    proxied,
    proxiable: proxiable.includes(type),
    ttl: proxied ? 1 : lifetime(body["ttl"], plan),
    priority: priorityOf(type, body["priority"], data),
    data,
  };
}

/** Expands `@`, `www` or `www.example.com` to the full name. */
export function fullName(name: unknown, zone: string): string {
  if (typeof name !== "string" || name === "") throw refuse(9000, "DNS name is invalid.");
  const bare = name.replace(/\.$/, "").toLowerCase();
  const ascii = bare.startsWith("*") ? bare : domainToASCII(bare) || bare;
  const whole = bare === "@" || ascii === zone || ascii.endsWith(`.${zone}`) ? ascii : `${ascii}.${zone}`;
  const result = bare === "@" ? zone : whole;
  const isName =
    result.length <= 253 &&
    result
      .split(".")
      .every((label, index) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label) || (index === 0 && label === "*"));
  if (!isName) throw refuse(9000, "DNS name is invalid.");
  return result;
}

/** The data of a SRV record without the former fields that repeat its name, which clients still send; others stay, and are refused. */
function withoutName(data: Json, name: string, zone: string): Json {
  const { service, proto, name: rest = zone, ...others } = data;
  if (typeof service !== "string" || typeof proto !== "string") return data;
  return fullName([service, proto, rest].join("."), zone) === name ? others : data;
}

function contentOf(type: string, content: unknown): string {
  if (typeof content !== "string" || content === "") throw refuse(9101, "content is a required field.");
  switch (type) {
    case "A":
      if (!isIPv4(content)) throw refuse(9005, "Content for A record must be a valid IPv4 address.");
      return content;
    case "AAAA":
      if (!isIPv6(content) || content.includes("%"))
        throw refuse(9006, "Content for AAAA record must be a valid IPv6 address.");
      // Shortest form, in small letters.
      return new URL(`http://[${content}]`).hostname.slice(1, -1);
    case "CNAME":
    case "MX":
    case "NS":
    case "PTR": {
      // A domain that takes no mail (RFC 7505).
      if (type === "MX" && content === ".") return content;
      const host = content.replace(/\.$/, "").toLowerCase();
      const isHost =
        /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?$/.test(host);
      if (!isHost || isIPv4(host))
        throw refuse(type === "CNAME" ? 9007 : 9009, `Content for ${type} record is invalid.`);
      return host;
    }
    case "CAA":
    case "SRV":
    case "HTTPS":
    case "SVCB":
    case "TLSA":
    case "SSHFP":
      throw refuse(9101, `data is a required field for ${type} records.`);
    default:
      return content;
  }
}

function lifetime(ttl: unknown, plan: Plan): number {
  const least = plan === "enterprise" ? 30 : 60;
  if (ttl === undefined || ttl === null || ttl === 1) return 1;
  if (typeof ttl !== "number" || !Number.isInteger(ttl) || ttl < least || ttl > 86_400) {
    throw refuse(9021, `Invalid TTL. Must be between ${least} and 86,400 seconds, or 1 for Automatic.`);
  }
  return ttl;
}

function priorityOf(type: string, priority: unknown, data: Json | undefined): number | undefined {
  const given = priority ?? (type === "SRV" ? data?.["priority"] : undefined);
  if (typeof given === "number" && given >= 0 && given <= 65_535) return given;
  if (["MX", "URI"].includes(type) || (given !== undefined && given !== null)) {
    throw refuse(9102, "priority is a required field.");
  }
  return undefined;
}
