/** Reads a stack's file without the engine, checks it and plans the stack. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parse, YAMLParseError } from "yaml";
import { chosenEngine } from "../common/docker-host.ts";
import { nearest } from "../common/nearest.ts";
import { isRecord } from "../common/record.ts";
import { forStack } from "../common/remedies.ts";
import { UserError } from "../common/user-error.ts";
import { didYouMean } from "../config/line.ts";
import { ConfigError, parseConfig, type RawConfig } from "../config/parse.ts";
import type { SecretKey, Settings } from "../config/schema.ts";
import { decode, encryptedPaths } from "../config/value.ts";
import { stackExists } from "../guard/backend.ts";
import { rehearsalFolder } from "../rehearsal/cloud/settings.ts";
import { plan } from "../topology/plan.ts";
import type { Topology } from "../topology/topology.ts";
import { makeVariables, rehearsalCloud } from "../toolchain/src/environment.ts";
import { readText } from "./text-file.ts";

export interface StackFile {
  readonly stack: string;
  readonly settings: Settings;
  readonly topology: Topology;
  /** The secrets that it sets. */
  readonly secrets: readonly SecretKey[];
  /** The variables of a make command for this stack. @example STACK=staging */
  readonly variables: string;
  /** Address of Cloudflare's API, without a slash at the end. */
  readonly cloudflareApi: string;
}

/**
 * Reads `Pulumi.<stack>.yaml`, checks it and plans the stack.
 *
 * @param change what the contents would be after a change. @default - what they are
 * @throws {UserError} when there is no such file, or it cannot be read or is not valid
 */
export function readStackFile(
  root: string,
  stack: string,
  change: (file: unknown) => unknown = (file) => file,
): StackFile {
  const contents = change(parseStackText(stack, readStackText(root, stack)));
  try {
    return describeStack(stack, contents, rehearsalCloud(root));
  } catch (error) {
    // In a fresh clone the engine knows the stack's file, but not the stack.
    const isMissing =
      error instanceof UserError && /pulumi config set/.test(error.message) && !stackExists(root, stack);
    throw isMissing
      ? new UserError(`${error.message}\nThe stack is not made yet; first: npx pulumi stack init ${stack}`)
      : error;
  }
}

/**
 * Settings and plan of a stack, from the contents of its file.
 *
 * @param cloud for a rehearsal, its cloud
 * @param source what the contents were read from, for messages
 * @throws {UserError} when the contents are not valid
 */
export function describeStack(stack: string, file: unknown, cloud?: string, source = fileNameOf(stack)): StackFile {
  try {
    checkNamespaces(file);
    const { settings, secrets } = parseConfig(rawConfig(file));
    return {
      ...{ stack, settings, topology: plan(stack, settings), secrets },
      ...{ variables: makeVariables(stack, cloud), cloudflareApi: cloudflareApiOf(file) },
    };
  } catch (error) {
    // A rehearsal has settings of its own, above all secrets.
    const folder = cloud === undefined ? undefined : rehearsalFolder("", cloud, stack);
    throw error instanceof ConfigError ? new UserError(`${source}: ${forStack(error.message, stack, folder)}`) : error;
  }
}

function cloudflareApiOf(file: unknown): string {
  const own = configIn(file)["cloudflare:baseUrl"];
  return typeof own === "string" ? own.replace(/\/$/, "") : "https://api.cloudflare.com/client/v4";
}

/** The contents of a stack's file, with another phase. */
export const inPhase = (file: unknown, phase: string): unknown => withValue(file, "orion:phase", phase);

/** The contents of a stack's file, without a replica. */
export const withoutReplicas = (file: unknown): unknown => withDatabase(file, { availability: "single" });

/** The contents of a stack's file, with another `orion:database.mode`. */
export const inDatabaseMode =
  (mode: Settings["database"]["mode"]) =>
  (file: unknown): unknown =>
    withDatabase(file, { mode });

function withDatabase(file: unknown, values: Readonly<Partial<Settings["database"]>>): unknown {
  const found: unknown = configIn(file)["orion:database"];
  // `pulumi config set` may have written it as a text.
  const database = typeof found === "string" ? decode(found) : found;
  return withValue(file, "orion:database", { ...(isRecord(database) && database), ...values });
}

const withValue = (file: unknown, key: string, value: unknown): unknown => ({
  ...(isRecord(file) && file),
  config: { ...configIn(file), [key]: value },
});

/** The `config:` section of a stack's file. */
function configIn(file: unknown): Readonly<Record<string, unknown>> {
  const section: unknown = isRecord(file) ? file["config"] : undefined;
  return isRecord(section) ? section : {};
}

const fileNameOf = (stack: string): string => `Pulumi.${stack}.yaml`;

/** @throws {UserError} when there is no such file */
export function readStackText(root: string, stack: string): string {
  const path = join(root, fileNameOf(stack));
  if (!existsSync(path)) {
    const known = readdirSync(root).flatMap((name) => /^Pulumi\.([^.]+)\.yaml$/.exec(name)?.[1] ?? []);
    throw new UserError(
      `There is no stack '${stack}' here: ${fileNameOf(stack)} was not found. Stacks: ${known.join(", ")}`,
    );
  }
  return readText(path, "The stack file");
}

/** @param source what the text was read from, for messages. @throws {UserError} when it is not YAML */
export function parseStackText(stack: string, text: string, source = fileNameOf(stack)): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw error instanceof YAMLParseError ? new UserError(`${source} is not YAML: ${error.message}`) : error;
  }
}

/** Those of the program, of the providers that it uses, and of the engine. */
const namespaces = ["orion", "hcloud", "cloudflare", "docker", "random", "tls", "pulumi"];

/** Neither the engine nor a provider reads a key of another namespace: what it says would be missing without a word. */
function checkNamespaces(file: unknown): void {
  const problems = Object.keys(configIn(file)).flatMap((key) => {
    const [namespace = "", ...rest] = key.split(":");
    if (namespaces.includes(namespace)) return [];
    const meant = nearest(namespace, namespaces) ?? namespaces.find((one) => namespace.startsWith(`${one}-`));
    const guess = didYouMean(meant && [meant, ...rest].join(":"));
    return [`${key}: allowed: a key of ${namespaces.join(", ")}${guess}`];
  });
  if (problems.length > 0) throw new ConfigError(problems);
}

/** The `config:` section of a stack's file, as the engine would pass it. */
function rawConfig(file: unknown): RawConfig {
  const entries = Object.entries(configIn(file))
    .filter(([key]) => key.startsWith("orion:"))
    // `pulumi config set` writes `false` as a text, and the engine passes every value as one.
    .map(([key, value]) => [key.slice("orion:".length), typeof value === "string" ? decode(value) : value] as const);
  return {
    values: Object.fromEntries(entries),
    secrets: new Set(entries.flatMap(([key, value]) => encryptedPaths(key, value))),
    dockerHost: chosenEngine().host,
  };
}
