/** Content of DNS records that are made from structured data, in the format of their type. Pure. */
import type { Json } from "../json.ts";
import { invalid } from "./body.ts";
import { ApiError, notEmulated } from "./envelope.ts";

const byte = 255;
const word = 65_535;

interface Format {
  /** Whole numbers, with their maximum. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly texts: readonly string[];
  /** Fields that may be missing. @default - none */
  readonly optional?: readonly string[];
  /** @param field its value as a text @param priority the one of the record */
  readonly write: (field: (name: string) => string, priority: unknown) => string;
}

/** A format of fields that stand one after the other. */
const plain = (numbers: Readonly<Record<string, number>>, ...texts: readonly string[]): Format => ({
  ...{ numbers, texts },
  write: (field) => [...Object.keys(numbers), ...texts].map(field).join(" "),
});

const service = plain({ priority: word }, "target", "value");
const association = plain({ usage: byte, selector: byte, matching_type: byte }, "certificate");

const formats: Readonly<Record<string, Format>> = {
  CAA: {
    ...{ numbers: { flags: byte }, texts: ["tag", "value"] },
    write: (field) => `${field("flags")} ${field("tag")} "${field("value")}"`,
  },
  CERT: plain({ type: word, key_tag: word, algorithm: byte }, "certificate"),
  DNSKEY: plain({ flags: word, protocol: byte, algorithm: byte }, "public_key"),
  DS: plain({ key_tag: word, algorithm: byte, digest_type: byte }, "digest"),
  HTTPS: service,
  NAPTR: {
    numbers: { order: word, preference: word },
    texts: ["flags", "service", "regex", "replacement"],
    optional: ["flags", "service", "regex"],
    write: (field) => {
      const quoted = ["flags", "service", "regex"].map((name) => `"${field(name)}"`);
      return [field("order"), field("preference"), ...quoted, field("replacement")].join(" ");
    },
  },
  SMIMEA: association,
  SRV: {
    ...{ numbers: { priority: word, weight: word, port: word }, texts: ["target"], optional: ["priority"] },
    write: (field) => `${field("weight")} ${field("port")} ${field("target")}`,
  },
  SSHFP: plain({ algorithm: byte, type: byte }, "fingerprint"),
  SVCB: service,
  TLSA: association,
  URI: {
    ...{ numbers: { weight: word }, texts: ["target"] },
    write: (field, priority) =>
      `${typeof priority === "number" ? priority : 0} ${field("weight")} "${field("target")}"`,
  },
};

/**
 * The content of a record, as the API shows it.
 *
 * @throws {ApiError} for a field that is missing, has a wrong value or is not part of the type's data
 */
export function contentOfData(type: string, data: Json, priority: unknown): string {
  if (type === "LOC") return locationOf(data);
  const format = Object.hasOwn(formats, type) ? formats[type] : undefined;
  if (!format) throw new ApiError(400, 1004, `DNS Validation Error: a ${type} record has no data, but content`);
  const { numbers, texts, optional = [] } = format;
  checkNames(type, data, [...Object.keys(numbers), ...texts]);
  const field = (name: string): string => {
    const found = data[name] ?? undefined;
    const most = numbers[name];
    if (found === undefined && optional.includes(name)) return "";
    if (found === undefined) throw new ApiError(400, 9101, `data.${name} is a required field.`);
    if (most === undefined && typeof found === "string") return found;
    const text = typeof found === "number" || typeof found === "string" ? String(found) : "";
    if (most === undefined || !/^\d+$/.test(text) || Number(text) > most)
      throw invalid(`data.${name}`, found, most === undefined ? "a string" : `a whole number from 0 to ${most}`);
    return text;
  };
  for (const name of [...Object.keys(numbers), ...texts]) field(name);
  return format.write(field, priority);
}

function checkNames(type: string, data: Json, known: readonly string[]): void {
  const other = Object.keys(data).find((name) => !known.includes(name) && data[name] !== null);
  if (other !== undefined) throw notEmulated(`data.${other} of a ${type} record`);
}

/** A LOC record as in RFC 1876, with the digits that Cloudflare writes. */
function locationOf(data: Json): string {
  const lengths = ["size", "precision_horz", "precision_vert"];
  const angles = ["degrees", "minutes", "seconds", "direction"];
  checkNames("LOC", data, [
    ...["lat", "long"].flatMap((axis) => angles.map((part) => `${axis}_${part}`)),
    "altitude",
    ...lengths,
  ]);
  const number = (key: string, least: number, most: number, digits = 0, usual: unknown = 0): string => {
    const found = data[key] ?? usual;
    const isValid = typeof found === "number" && found >= least && found <= most;
    if (!isValid) throw invalid(`data.${key}`, data[key], `a number from ${least} to ${most}`);
    return found.toFixed(digits);
  };
  const angle = (axis: "lat" | "long", most: number, directions: readonly string[]): string[] => {
    const direction = directions.find((each) => each === data[`${axis}_direction`]);
    if (direction === undefined)
      throw invalid(`data.${axis}_direction`, data[`${axis}_direction`], directions.join(" or "));
    const whole = number(`${axis}_degrees`, 0, most, 0, null);
    return [whole, number(`${axis}_minutes`, 0, 59), number(`${axis}_seconds`, 0, 59.999, 3), direction];
  };
  return [
    ...angle("lat", 90, ["N", "S"]),
    ...angle("long", 180, ["E", "W"]),
    number("altitude", -100_000, 42_849_672.95, 2),
    ...lengths.map((key) => number(key, 0, 90_000_000, 2)),
  ].join(" ");
}
