/** Faults as words, the way a person types and reads them: `reply api=hetzner status=503`. Pure. */
import { UserError } from "../../common/user-error.ts";
import type { Fault } from "../faults.ts";
import { isRecord, type Json } from "../json.ts";

const calls = "[method=POST] [path=/servers]";
const often = "[rate=0.2] [times=3]";

/** What can be made to go wrong, and with which words. Servers and volumes are called by name or number. */
export const faultKinds: Readonly<Record<Fault["kind"], { readonly words: string; readonly what: string }>> = {
  reply: {
    words: `api=hetzner|cloudflare status=429 [code=...] [message=...] ${calls} ${often}`,
    what: "calls are answered with an error: 429, 409 (conflict), 423 (locked), 500, 502, 503, 504",
  },
  delay: { words: `api=hetzner|cloudflare seconds=5 ${calls} ${often}`, what: "calls are answered late" },
  timeout: { words: `api=hetzner|cloudflare ${calls} ${often}`, what: "calls are never answered" },
  action: {
    words: `[command=attach_volume] [resource=server/NAME] [seconds=20] [code=action_failed] [message=...] ${often}`,
    what: "actions are slow; with a code they fail",
  },
  sold_out: { words: "locations=fsn1,nbg1 [serverType=cx23]", what: "no server can be had (resource_unavailable)" },
  never_boots: { words: "server=NAME", what: "from its next start on, the server's boot hangs" },
  killed: { words: "server=NAME", what: "the server loses its power, once" },
  partition: { words: "servers=NAME,NAME", what: "nothing passes between two servers" },
  volume_full: { words: "volume=NAME", what: "the file system of an attached volume is full" },
};

const isKind = (text: string): text is Fault["kind"] => Object.hasOwn(faultKinds, text);
const usageOf = (kind: Fault["kind"]): string => `  ${kind} ${faultKinds[kind].words}\n      ${faultKinds[kind].what}`;

/** Every kind of fault with its words. */
export const faultUsage = Object.keys(faultKinds).filter(isKind).map(usageOf).join("\n");

const numbers = ["status", "rate", "times", "seconds"];
const lists = ["locations", "servers"];

function valueOf(key: string, text: string): unknown {
  if (numbers.includes(key) && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  if (lists.includes(key)) return text.split(",").map((one) => one.trim());
  const [type = "", ...id] = text.split("/");
  return key === "resource" && id.length > 0 ? { type, id: id.join("/") } : text;
}

/**
 * The fault that the words ask for; whether its values are right is for the cloud to say.
 *
 * @throws {UserError} when they are not a kind and its words
 */
export function faultOf([kind = "", ...words]: readonly string[]): Json {
  if (!isKind(kind)) {
    throw new UserError(
      `${kind === "" ? "A fault needs a kind" : `Unknown fault '${kind}'`}; the kinds and their words:\n${faultUsage}`,
    );
  }
  const entries = words.map((word): [string, unknown] => {
    const [, key, text] = /^(\w+)=(.*)$/s.exec(word) ?? [];
    if (key === undefined || text === undefined) {
      throw new UserError(`Fault ${kind}: got '${word}', expected key=value as in\n${usageOf(kind)}`);
    }
    return [key, valueOf(key, text)];
  });
  return { kind, ...Object.fromEntries(entries) };
}

/** A fault in the words that ask for it, without what is a matter of course. */
export function faultWords({ kind, ...rest }: Json): string {
  const plain = { path: "/", rate: 1, seconds: 0, message: "a fault of the rehearsal" };
  const words = Object.entries(rest)
    .filter(([key, value]) => key !== "id" && value !== Reflect.get(plain, key))
    .map(([key, value]) => `${key}=${textOf(value)}`);
  return [String(kind), ...words].join(" ");
}

function textOf(value: unknown): string {
  if (isRecord(value)) return Object.values(value).map(String).join("/");
  const text = Array.isArray(value) ? value.map(String).join(",") : String(value);
  return /\s/.test(text) ? JSON.stringify(text) : text;
}
