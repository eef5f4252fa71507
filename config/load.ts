/** Reads the running stack's configuration from the engine; no other file does. */
import { existsSync, readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { chosenEngine } from "../common/docker-host.ts";
import { forStack } from "../common/remedies.ts";
import { type ParsedConfig, parseConfig, type RawConfig } from "./parse.ts";
import { type SecretKey, secretKeys, type SecretName } from "./schema.ts";
import { decode, encryptedPaths } from "./value.ts";

/** Endpoint and token of an API. */
interface Access {
  readonly endpoint: string;
  readonly token: pulumi.Output<string>;
}

export interface StackConfig extends ParsedConfig {
  readonly stack: string;
  /** The secret of that name, or undefined when the stack does not set it. */
  readonly secret: (name: SecretName) => pulumi.Output<string> | undefined;
  /** Endpoint and token of Hetzner's API, found as its provider finds them; undefined without a token. */
  readonly hetznerAccess: Access | undefined;
  /** The same for Cloudflare's API; undefined without an API token. */
  readonly cloudflareAccess: Access | undefined;
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
    secret: (name) => (isSecretKey(name) ? config.getSecret(name) : appSecret(config, name)),
    hetznerAccess: loadHetznerAccess(),
    cloudflareAccess: loadCloudflareAccess(),
  };
}

/** Reads the keys and environment variables that Hetzner's own provider reads. */
export function loadHetznerAccess(): StackConfig["hetznerAccess"] {
  const config = new pulumi.Config("hcloud");
  const { HCLOUD_TOKEN: tokenVariable, HCLOUD_ENDPOINT: endpointVariable } = process.env;
  const token = config.getSecret("token") ?? (tokenVariable ? pulumi.secret(tokenVariable) : undefined);
  const endpoint = config.get("endpoint") ?? endpointVariable ?? "https://api.hetzner.cloud/v1";
  return token && { endpoint: endpoint.replace(/\/$/, ""), token };
}

/** Reads the keys and environment variables that Cloudflare's own provider reads. */
export function loadCloudflareAccess(): StackConfig["cloudflareAccess"] {
  const config = new pulumi.Config("cloudflare");
  const { CLOUDFLARE_API_TOKEN: tokenVariable, CLOUDFLARE_BASE_URL: endpointVariable } = process.env;
  const token = config.getSecret("apiToken") ?? (tokenVariable ? pulumi.secret(tokenVariable) : undefined);
  const endpoint = config.get("baseUrl") ?? endpointVariable ?? "https://api.cloudflare.com/client/v4";
  return token && { endpoint: endpoint.replace(/\/$/, ""), token };
}

/** Runs a step that checks the configuration: its errors are the user's, and are shown without a stack trace. */
export function orRunError<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof Error && error.name === "ConfigError"
      ? new pulumi.RunError(forStack(error.message, pulumi.getStack()))
      : error;
  }
}

function rawConfig(project: string): RawConfig {
  const prefix = `${project}:`;
  // The stack's file also holds settings of the providers.
  const ownNames = (key: string): string[] => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []);
  const values = Object.entries(pulumi.runtime.allConfig()).flatMap(([key, text]) =>
    ownNames(key).map((name) => [name, decode(text)] as const),
  );
  const secrets = secretConfigKeys().flatMap((key) => ownNames(key).flatMap((name) => pathsIn(key, name)));
  const { host: dockerHost } = chosenEngine();
  return { values: Object.fromEntries(values), secrets: new Set(secrets), dockerHost };
}

/** What is encrypted below a key. The engine says only that something is; the stack's file, where it is found, says what. */
function pathsIn(key: string, name: string): string[] {
  const file = `Pulumi.${pulumi.getStack()}.yaml`;
  const contents: unknown = existsSync(file) ? parse(readFileSync(file, "utf8")) : undefined;
  const { config } = (contents ?? {}) as { readonly config?: Readonly<Record<string, unknown>> | null };
  const paths = encryptedPaths(name, config?.[key]);
  return paths.length > 0 ? paths : [name];
}

const isSecretKey = (name: SecretName): name is SecretKey => secretKeys.some((key) => key === name);

/** One of the image's own secrets, of `orion:app.secrets`. */
const appSecret = (config: pulumi.Config, name: SecretName): pulumi.Output<string> | undefined =>
  config
    .getSecretObject<{ readonly secrets?: Readonly<Record<string, string>> }>("app")
    ?.apply(({ secrets = {} }) => secrets[name.slice("app.secrets.".length)] ?? "");

/** The keys that the stack's file holds encrypted, as the language host tells the program. */
function secretConfigKeys(): string[] {
  const keys: unknown = JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]");
  return Array.isArray(keys) ? keys.map(String) : [];
}
