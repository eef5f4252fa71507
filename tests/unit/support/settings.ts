/** Checked settings of any phase, with what its schema insists on filled in. */
import { createHash } from "node:crypto";
import { parseConfig } from "../../../config/parse.ts";
import type { Phase, SecretKey, Settings } from "../../../config/schema.ts";

/** A public key of ssh that nobody has a private one for: each comment has its own. */
export function publicKey(comment: string): string {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const fields = [Buffer.from("ssh-ed25519"), createHash("sha256").update(comment).digest()];
  return `ssh-ed25519 ${Buffer.concat(fields.map(field)).toString("base64")} ${comment}`;
}

/** The least that a stack of the phase must say. */
export function leastValues(phase: Phase): Record<string, unknown> {
  if (phase === "development") return { phase };
  return {
    phase,
    domain: "orion.example.com",
    storage: { bucket: "orion-files" },
    cloudflare: { accountId: "0".repeat(32) },
    email: { smtpHost: "smtp.example.com" },
    admin: { cidrs: ["203.0.113.0/24"], sshPublicKeys: [publicKey("someone")] },
  };
}

/** @param secrets names of secrets that the stack sets */
export function settingsOf(
  phase: Phase,
  values: Readonly<Record<string, unknown>> = {},
  secrets: readonly SecretKey[] = [],
): Settings {
  const hidden = Object.fromEntries(secrets.map((key) => [key, "hidden"]));
  return parseConfig({ values: { ...leastValues(phase), ...values, ...hidden }, secrets: new Set(secrets) }).settings;
}

/** The message with which a configuration is refused. */
export function refusalOf(values: Readonly<Record<string, unknown>>, secrets: readonly string[] = []): string {
  try {
    parseConfig({ values, secrets: new Set(secrets) });
  } catch (error) {
    if (error instanceof Error && error.name === "ConfigError") return error.message;
    throw error;
  }
  throw new Error(`accepted, but it should have been refused: ${JSON.stringify(values)}`);
}
