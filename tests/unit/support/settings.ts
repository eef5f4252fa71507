/** Checked settings of any phase, with what its schema insists on filled in. */
import { parseConfig } from "../../../config/parse.ts";
import type { Phase, SecretKey, Settings } from "../../../config/schema.ts";

/** The least that a stack of the phase must say. */
export function leastValues(phase: Phase): Record<string, unknown> {
  if (phase === "development") return { phase };
  return {
    phase,
    domain: "orion.example.com",
    storage: { bucket: "orion-files" },
    cloudflare: { accountId: "0".repeat(32) },
    email: { smtpHost: "smtp.example.com" },
    admin: { cidrs: ["203.0.113.0/24"], sshPublicKeys: ["ssh-ed25519 AAAA someone"] },
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
