/** Parses a stack's raw key-value pairs into checked settings, or throws one error that lists every problem. */
import { checkFolders } from "./checks/app.ts";
import { checkArchive, checkSaidArchive } from "./checks/archive.ts";
import { checkAlerts } from "./checks/alerts.ts";
import { checkCloudflare } from "./checks/cloudflare.ts";
import { checkDomains, checkSpellings } from "./checks/domains.ts";
import { checkEdgePaths } from "./checks/edge.ts";
import { checkEmail } from "./checks/email.ts";
import { checkEnvironment } from "./checks/environment.ts";
import { checkAppSecrets } from "./checks/app-secrets.ts";
import { checkExposure } from "./checks/exposure.ts";
import { checkCache } from "./checks/cache.ts";
import { checkGateway } from "./checks/gateway.ts";
import { checkImages } from "./checks/images.ts";
import { checkLocal } from "./checks/local.ts";
import { checkRequiredSettings } from "./checks/required-settings.ts";
import { checkServers } from "./checks/servers.ts";
import { checkQueues } from "./checks/workers.ts";
import { standardEngine } from "../common/docker-host.ts";
import { isRecord } from "../common/record.ts";
import { zoneLabels } from "./host-names.ts";
import { explain, explainPhase, valueAt } from "./explain.ts";
import { presets } from "./presets.ts";
import {
  type Chosen,
  type Phase,
  phases,
  secretKeys,
  type SecretKey,
  type Settings,
  settingsSchema,
} from "./schema.ts";
import { databaseMemoryMb } from "./server-types.ts";

/** The stack's configuration as read: keys without the `orion:` prefix. */
export interface RawConfig {
  /** Values by key; the value of a secret is never read. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The keys that the stack holds encrypted, or the paths below them: `sentryDsn`, `app.secrets.OPENAI_API_KEY`. */
  readonly secrets: ReadonlySet<string>;
  /** Address of the Docker Engine that this machine's `docker` command uses. @default - the standard one */
  readonly dockerHost?: string;
}

export interface ParsedConfig {
  readonly settings: Settings;
  /** The secrets that are set, by name; their values stay with the engine. */
  readonly secrets: readonly SecretKey[];
}

/** Every problem of a stack's configuration, one line each: key, value found, what is allowed. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(["The stack's configuration is not valid:", ...problems.map((problem) => `  ${problem}`)].join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/**
 * Checks a stack's configuration and fills in the defaults of its phase.
 *
 * @throws {ConfigError} naming each key that is unknown or has a value that is not allowed, the value, and what is allowed.
 */
export function parseConfig(raw: RawConfig): ParsedConfig {
  const secrets = secretKeys.filter((key) => key in raw.values);
  const problems = checkSecrecy(raw, secrets);
  // The engine fills in the defaults of Pulumi.yaml; an empty text there means that the stack sets nothing.
  const plain = Object.fromEntries(
    Object.entries(raw.values)
      .filter(([key, value]) => value !== "" && !isSecretKey(key) && !(raw.secrets.has(key) && !isRecord(value)))
      .map(([key, value]) => [key, withoutEncrypted(key === "app" ? withNamesOfSecrets(value) : value)]),
  );

  const phase = plain["phase"];
  if (!isPhase(phase)) {
    throw new ConfigError([...problems, explainPhase(plain)]);
  }
  const parsed = settingsSchema.safeParse(merge(presets[phase], plain));
  if (!parsed.success) {
    throw new ConfigError([...problems, ...parsed.error.issues.map((issue) => explain(issue, plain))]);
  }
  const settings = withDerived(withMemory(parsed.data, plain, problems), raw);
  problems.push(...checkTogether(settings, secrets), ...checkSaid(settings, plain));
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
  return { settings, secrets };
}

const isPhase = (value: unknown): value is Phase => phases.some((phase) => phase === value);
const isSecretKey = (key: string): boolean => secretKeys.some((secret) => secret === key);

function checkSecrecy(raw: RawConfig, secrets: readonly SecretKey[]): string[] {
  return [
    ...secrets
      .filter((key) => !raw.secrets.has(key))
      .map(
        (key) => `orion:${key}: is a secret but stored in clear text; set it with: pulumi config set --secret ${key}`,
      ),
    ...checkAppSecrets(raw.values["app"], raw.secrets),
    ...[...raw.secrets]
      .filter((path) => !isSecretKey(path) && !isOfApp(path))
      .map((path) => `orion:${path}: is stored as a secret; secrets are ${secretKeys.join(", ")}; all else is plain`),
  ];
}

/** What checks/app-secrets.ts judges. */
const isOfApp = (path: string): boolean => path === "app" || path.startsWith("app.");

/** A section without the values that a stack's file holds encrypted: checkSecrecy has judged them. */
const withoutEncrypted = (section: unknown): unknown =>
  isRecord(section)
    ? Object.fromEntries(
        Object.entries(section)
          .filter(([, value]) => !(isRecord(value) && "secure" in value))
          .map(([key, value]) => [key, withoutEncrypted(value)]),
      )
    : section;

/** The section `orion:app` with the names of its secrets in place of their values. */
function withNamesOfSecrets(app: unknown): unknown {
  if (!isRecord(app) || !("secrets" in app)) return app;
  const { secrets } = app;
  return { ...app, secrets: isRecord(secrets) ? Object.keys(secrets).sort() : [] };
}

/** Objects are merged key by key, so that a stack names only what differs; lists and values replace. */
function merge(
  preset: Readonly<Record<string, unknown>>,
  own: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const result: Record<string, unknown> = { ...preset };
  for (const [key, value] of Object.entries(own)) {
    const base = result[key];
    result[key] = isRecord(base) && isRecord(value) ? merge(base, value) : value;
  }
  return result;
}

/** A stack that names its database's server types, and no memory, gets the memory that follows from those types. */
function withMemory(settings: Chosen, own: Readonly<Record<string, unknown>>, problems: string[]): Chosen {
  const isSet = (key: string) => valueAt(own, ["database", key]) !== undefined;
  if (settings.hosting === "local" || !isSet("servers") || isSet("memoryMb")) return settings;
  const { servers } = settings.database;
  const memoryMb = databaseMemoryMb(servers);
  if (memoryMb !== undefined) return { ...settings, database: { ...settings.database, memoryMb } };
  problems.push(
    `orion:database.memoryMb: is needed with ${servers.join(", ")}, whose memory is not known here; set three eighths of it, in MiB`,
  );
  return settings;
}

/** Fills in the settings that follow from other keys, where a stack does not set them. */
function withDerived(settings: Chosen, { dockerHost = standardEngine }: RawConfig): Settings {
  const { domain, cloudflare, storage } = settings;
  const { accountId, enabled } = cloudflare;
  const zone = cloudflare.zone ?? (enabled ? domain && zoneLabels(domain) : undefined);
  const ofAccount = accountId === undefined ? undefined : `https://${accountId}.r2.cloudflarestorage.com`;
  const endpoint = storage.endpoint ?? (storage.backend === "r2" ? ofAccount : undefined);
  return {
    ...settings,
    dockerHost: settings.dockerHost ?? dockerHost,
    cloudflare: { ...cloudflare, ...(zone !== undefined && { zone }) },
    storage: { ...storage, ...(endpoint !== undefined && { endpoint }) },
  };
}

/** Checks what the stack says itself, which the settings do not show any more. */
const checkSaid = (settings: Settings, plain: Readonly<Record<string, unknown>>): string[] => [
  ...checkSpellings("domains", plain["domains"]),
  ...checkSpellings("cloudflare.zones", valueAt(plain, ["cloudflare", "zones"])),
  ...(valueAt(plain, ["backups", "pointInTime"]) === true ? checkSaidArchive(settings) : []),
];

/** Checks across several settings. */
function checkTogether(settings: Settings, secrets: readonly SecretKey[]): string[] {
  return [
    ...checkRequiredSettings(settings, secrets),
    ...checkEnvironment(settings),
    ...checkFolders(settings),
    ...checkQueues(settings),
    ...checkImages(settings),
    ...checkCloudflare(settings),
    ...checkDomains(settings),
    ...checkEdgePaths(settings),
    ...checkEmail(settings.email, secrets.includes("emailApiKey")),
    ...checkAlerts(settings),
    ...checkArchive(settings),
    ...checkCache(settings),
    ...(settings.hosting === "local"
      ? checkLocal(settings)
      : [...checkServers(settings), ...checkGateway(settings), ...checkExposure(settings)]),
  ];
}
