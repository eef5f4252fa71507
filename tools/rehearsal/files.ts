/** Builds the Pulumi project of a rehearsal: the project's own files, changed to use a rehearsal cloud. Pure. */
import { resolve } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { isRecord } from "../../common/record.ts";
import { acmeDirectory } from "../../rehearsal/acme/acme-hostname.ts";
import { type CloudSettings, environmentOf } from "../../rehearsal/cloud/settings.ts";
import { objectsDomain } from "../../rehearsal/cloudflare/objects/r2-hosts.ts";

const projectSchema = z.looseObject({
  main: z.string().default("."),
  plugins: z
    .looseObject({ providers: z.array(z.looseObject({ name: z.string(), path: z.string().optional() })).default([]) })
    .default({ providers: [] }),
});
type Config = Readonly<Record<string, unknown>>;
const configSchema = z.looseObject({
  encryptionsalt: z.string().optional(),
  config: z.record(z.string(), z.unknown()).default({}),
});

const note = "# Written by `make rehearse` from the file of the same name in the project's folder.\n";

/**
 * Text of the rehearsal's Pulumi.yaml: the project's program and plugins, with a separate state.
 *
 * @param text of the project's Pulumi.yaml
 * @param root folder of the project
 * @param standIns folders of further plugins, by name
 */
export function projectFile(text: string, root: string, standIns: Readonly<Record<string, string>>): string {
  const project = projectSchema.parse(parse(text));
  const own = project.plugins.providers.map((plugin) => ({
    ...plugin,
    ...(plugin.path !== undefined && { path: resolve(root, plugin.path) }),
  }));
  const more = Object.entries(standIns).map(([name, path]) => ({ name, path }));
  const plugins = { ...project.plugins, providers: [...own, ...more] };
  return note + stringify({ ...project, main: resolve(root, project.main), plugins, backend: undefined });
}

export interface OverlayOptions {
  readonly phase: string | undefined;
  readonly cloud: CloudSettings;
  /** This machine's address as the cloud's servers see it. */
  readonly source: string;
  readonly publicKey: string;
  readonly identityFile: string;
  readonly sshFolder: string;
  /** CA certificate that verifies the cloud's ACME authority, in PEM. */
  readonly authority: string;
}

/** Polls actions more often than at Hetzner, since the emulator completes them sooner. */
export const pollConfig = { "hcloud:pollInterval": "100ms", "hcloud:pollFunction": "constant" } as const;

/** The settings that differ in a rehearsal, without tokens. */
export function overlayOf(options: OverlayOptions): Config {
  const { phase, cloud, source, publicKey, identityFile, sshFolder, authority } = options;
  const { HCLOUD_ENDPOINT: hetzner, CLOUDFLARE_BASE_URL: cloudflare } = environmentOf(cloud);
  const cidrs = [`${source}/32`];
  return {
    "hcloud:endpoint": hetzner,
    ...pollConfig,
    "cloudflare:baseUrl": cloudflare,
    ...(phase !== undefined && { "orion:phase": phase }),
    // The digests of the real registries' images are not those of the cloud's own registry: see withDigests.
    "orion:images": { pinned: false },
    "orion:cloudflare": { accountId: cloud.accountId },
    // As config/ has it by itself; the project may name the endpoint of its real account.
    "orion:storage": { endpoint: `https://${cloud.accountId}.${objectsDomain}` },
    "orion:edge": { acme: { server: acmeDirectory, authority } },
    // A rehearsal sends no e-mail.
    "orion:email": { backend: "console" },
    "orion:admin": { cidrs, sshPublicKeys: [publicKey], identityFile, sshFolder },
  };
}

export interface StackText {
  readonly text: string;
  /** The project's secrets that are left out, because the rehearsal has another passphrase. */
  readonly leftOut: readonly string[];
}

/**
 * Text of the rehearsal's Pulumi.<stack>.yaml: the project's plain values, overridden by the overlay. The rehearsal keeps its
 * own salt, its own secrets, and its `orion:database.primary`.
 *
 * @param theirs text of the project's file
 * @param before text of the rehearsal's file, if it exists
 */
export function stackFile(theirs: string, before: string | undefined, overlay: Config): StackText {
  const own = configSchema.parse(parse(before ?? "{}"));
  const project = Object.entries(configOf(parse(theirs))).filter(([key]) => !ofAccounts.test(key));
  const plain = Object.fromEntries(project.filter(([, value]) => !holdsSecret(value)));
  const secrets = Object.fromEntries(Object.entries(own.config).filter(([, value]) => holdsSecret(value)));
  const leftOut = project.flatMap(([key, value]) => (holdsSecret(value) && !(key in secrets) ? [key] : []));
  const config = merge(merge({ ...secrets, ...plain }, overlay), promotedIn(own.config));
  return { text: note + stringify({ encryptionsalt: own.encryptionsalt, config }), leftOut };
}

/**
 * Text of a stack's file in which official images are named with their digests in the cloud's registry.
 *
 * @param digests references with a digest, by the image's key
 */
export function withDigests(text: string, digests: Readonly<Record<string, string>>): string {
  const file = configSchema.parse(parse(text));
  return note + stringify({ ...file, config: merge(file.config, { "orion:images": digests }) });
}

/** The server with the primary, which `make promote-replica` has set in the rehearsal. */
function promotedIn(before: Config): Config {
  const database = before["orion:database"];
  return isRecord(database) && "primary" in database ? { "orion:database": { primary: database["primary"] } } : {};
}

/** Addresses and tokens of real accounts, and where the real state is. */
const ofAccounts = /^(hcloud:|cloudflare:|orion:stateUrl$)/;

/** The values of a stack's file, by its contents. */
export const configOf = (file: unknown): Config => configSchema.parse(file).config;

/** Whether a value of a stack's file is encrypted, or has a part that is. */
export function holdsSecret(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsSecret);
  return isRecord(value) && ("secure" in value || Object.values(value).some(holdsSecret));
}

function merge(base: Config, over: Config): Config {
  const merged = Object.entries(over).map(([key, value]) => {
    const below = base[key];
    return [key, isRecord(below) && isRecord(value) ? { ...below, ...value } : value] as const;
  });
  return { ...base, ...Object.fromEntries(merged) };
}
