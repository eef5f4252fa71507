/** Parses and formats faults as people type and read them: `reply api=hetzner status=503`. Pure. */
import { isRecord } from "../../common/record.ts";
import { UserError } from "../../common/user-error.ts";
import type { Fault } from "../faults.ts";
import type { Json } from "../json.ts";

const calls = "[method=POST] [path=/servers]";
const often = "[rate=0.2] [times=3]";

/** Every kind of fault: its arguments and its effect. Servers and volumes are given by name or number. */
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
  sold_out: { words: "locations=fsn1,nbg1 [serverType=cx23]", what: "no server can be created (resource_unavailable)" },
  closed: { words: "locations=fsn1,nbg1", what: "a location takes no new servers (server location disabled)" },
  limit: {
    words: "resource=server|primary_ip|volume|load_balancer|floating_ip|network|firewall most=5",
    what: "the account may have no more of them (resource_limit_exceeded)",
  },
  never_boots: { words: "server=NAME", what: "the server's boot hangs, from its next start on" },
  killed: { words: "server=NAME", what: "the server loses its power, once" },
  partition: { words: "servers=NAME,NAME", what: "all packets between two servers are dropped" },
  volume_full: { words: "volume=NAME", what: "the file system of an attached volume is full" },
};

const isKind = (text: string): text is Fault["kind"] => Object.hasOwn(faultKinds, text);
const usageOf = (kind: Fault["kind"]): string => `  ${kind} ${faultKinds[kind].words}\n      ${faultKinds[kind].what}`;

/** Usage text: every kind of fault with its arguments. */
export const faultUsage = Object.keys(faultKinds).filter(isKind).map(usageOf).join("\n");

const numbers = ["status", "rate", "times", "seconds", "most"];
const lists = ["locations", "servers"];

function valueOf(key: string, text: string): unknown {
  if (numbers.includes(key) && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  if (lists.includes(key)) return text.split(",").map((one) => one.trim());
  const [type = "", ...id] = text.split("/");
  return key === "resource" && id.length > 0 ? { type, id: id.join("/") } : text;
}

/**
 * Parses a fault from command line arguments; the cloud validates the values.
 *
 * @throws {UserError} when the kind is unknown or an argument is not key=value
 */
export function parseFault([kind = "", ...words]: readonly string[]): Json {
  if (!isKind(kind)) {
    throw new UserError(
      `${kind === "" ? "A fault needs a kind" : `Unknown fault '${kind}'`}; the kinds and their arguments:\n${faultUsage}`,
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

/** Formats a fault as the arguments that add it, without default values. */
export function formatFault({ kind, ...rest }: Json): string {
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
