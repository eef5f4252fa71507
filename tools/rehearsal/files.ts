/** The Pulumi project in which a stack is rehearsed: the project's own files, with a rehearsal cloud put in. Pure. */
import { resolve } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { acmeDirectory } from "../../rehearsal/acme/acme-hostname.ts";
import { type CloudSettings, environmentOf } from "../../rehearsal/cloud/settings.ts";
import { objectsDomain } from "../../rehearsal/cloudflare/edge/certificates.ts";

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
 * Text of the rehearsal's Pulumi.yaml. Program and plugins are the project's; where the state lies is not.
 *
 * @param text of the project's
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
  /** The address that servers see this machine's packets come from. */
  readonly source: string;
  readonly publicKey: string;
  readonly identityFile: string;
  readonly sshFolder: string;
  /** Who vouches for the cloud's ACME authority, in PEM. */
  readonly authority: string;
}

/** How often the engine asks whether an action is over: nothing here takes the seconds that it takes at Hetzner. */
export const pollConfig = { "hcloud:pollInterval": "100ms", "hcloud:pollFunction": "constant" } as const;

/** What a stack says differently when it is rehearsed; objects name only what differs. Tokens are not among it. */
export function overlayOf(options: OverlayOptions): Config {
  const { phase, cloud, source, publicKey, identityFile, sshFolder, authority } = options;
  const { HCLOUD_ENDPOINT: hetzner, CLOUDFLARE_BASE_URL: cloudflare } = environmentOf(cloud);
  const cidrs = [`${source}/32`];
  return {
    "hcloud:endpoint": hetzner,
    ...pollConfig,
    "cloudflare:baseUrl": cloudflare,
    ...(phase !== undefined && { "orion:phase": phase }),
    "orion:cloudflare": { accountId: cloud.accountId },
    // Without TLS: the certificate of the real address is not the cloud's to have.
    "orion:storage": { endpoint: `http://${cloud.accountId}.${objectsDomain}` },
    "orion:edge": { acme: { server: acmeDirectory, authority } },
    // A rehearsal writes to nobody.
    "orion:email": { backend: "console" },
    "orion:admin": { cidrs, sshPublicKeys: [publicKey], identityFile, sshFolder },
  };
}

export interface StackText {
  readonly text: string;
  /** The project's secrets that the rehearsal does not have: it has another passphrase. */
  readonly leftOut: readonly string[];
}

/**
 * Text of the rehearsal's Pulumi.<stack>.yaml: the plain values of the project's with the overlay on them. What the
 * rehearsal keeps of its own from one time to the next are its salt, the secrets that were set in it, and where its primary is.
 *
 * @param theirs text of the project's
 * @param before text of the rehearsal's, when there is one
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

/** Where the primary is: a fact of what was rehearsed, which `make promote-replica` put there. */
function promotedIn(before: Config): Config {
  const database = before["orion:database"];
  return isRecord(database) && "primary" in database ? { "orion:database": { primary: database["primary"] } } : {};
}

/** Addresses and tokens of real accounts. */
const ofAccounts = /^(hcloud|cloudflare):/;

const isRecord = (value: unknown): value is Config =>
  typeof value === "object" && value !== null && !Array.isArray(value);

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
