/** Reads the running stack's configuration from the engine: the one place that does. */
import * as pulumi from "@pulumi/pulumi";
import { type ParsedConfig, parseConfig, type RawConfig } from "./parse.ts";
import type { SecretKey } from "./schema.ts";
import { decode } from "./value.ts";

export interface StackConfig extends ParsedConfig {
  readonly stack: string;
  /** The secret of that name, or undefined when the stack does not set it. */
  readonly secret: (key: SecretKey) => pulumi.Output<string> | undefined;
  /** How Hetzner's API is reached, as its provider finds it; undefined when there is no token. */
  readonly hetznerAccess: { readonly endpoint: string; readonly token: pulumi.Output<string> } | undefined;
}

/**
 * The configuration of the stack that the engine is running.
 *
 * @throws {pulumi.RunError} when it is not valid; the message lists every problem.
 */
export function loadConfig(): StackConfig {
  const config = new pulumi.Config();
  const parsed = orRunError(() => parseConfig(rawConfig(config.name)));
  return {
    ...parsed,
    stack: pulumi.getStack(),
    secret: (key) => config.getSecret(key),
    hetznerAccess: loadHetznerAccess(),
  };
}

/** By the keys and the variables that Hetzner's own provider knows. */
export function loadHetznerAccess(): StackConfig["hetznerAccess"] {
  const config = new pulumi.Config("hcloud");
  const { HCLOUD_TOKEN: ofEnvironment, HCLOUD_ENDPOINT: elsewhere } = process.env;
  const token = config.getSecret("token") ?? (ofEnvironment ? pulumi.secret(ofEnvironment) : undefined);
  const endpoint = config.get("endpoint") ?? elsewhere ?? "https://api.hetzner.cloud/v1";
  return token && { endpoint: endpoint.replace(/\/$/, ""), token };
}

/** Runs a step that checks the configuration: its errors are the user's, and are shown without a stack trace. */
export function orRunError<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof Error && error.name === "ConfigError" ? new pulumi.RunError(error.message) : error;
  }
}

function rawConfig(project: string): RawConfig {
  const prefix = `${project}:`;
  // The stack's file also holds what plugins are told.
  const ownNames = (key: string): string[] => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []);
  const values = Object.entries(pulumi.runtime.allConfig()).flatMap(([key, text]) =>
    ownNames(key).map((name) => [name, decode(text)] as const),
  );
  return { values: Object.fromEntries(values), secrets: new Set(secretConfigKeys().flatMap(ownNames)) };
}

/** The keys that the stack's file holds encrypted, as the language host tells the program. */
function secretConfigKeys(): string[] {
  const keys: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]");
  return Array.isArray(keys) ? keys.map(String) : [];
}
