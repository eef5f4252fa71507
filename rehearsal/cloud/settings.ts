/** One rehearsal cloud: its name, addresses, token; kept in a file of its folder. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../common/user-error.ts";
import { type Plan, plans } from "../cloudflare/state.ts";
import type { ZoneConfig } from "../cloudflare/world.ts";

/** A zone as it is written: its domain and, unless that is free, behind a colon its plan. */
const zoneSchema = z
  .string()
  .transform((text) => {
    const [name, plan = "free"] = text.split(/:(.*)/);
    return { name, plan };
  })
  .pipe(z.object({ name: z.hostname(), plan: z.enum(plans) }));
export const zoneOf = (text: string): ZoneConfig => zoneSchema.parse(text);
const domainOf = (text: string): string => text.replace(/:.*/, "");

const settingsSchema = z.strictObject({
  instance: z.string().regex(/^[a-z0-9]{1,8}$/, "one to eight of a-z and 0-9"),
  /** Second octet of the addresses: 127.<block>.0.0/16 and 10.<block>.0.0/16. */
  block: z.int().min(1).max(254),
  /** Port of the APIs on 127.0.0.1. */
  port: z.int().min(1).max(65535),
  machines: z.enum(["docker", "none"]),
  /** Zones of the emulated Cloudflare, each as `zoneOf` reads it. */
  zones: z
    .array(
      z.string().refine((text) => zoneSchema.safeParse(text).success, {
        error: ({ input }) =>
          `got "${String(input)}", expected a domain, alone or with its plan (${plans.join(", ")}): example.com:pro`,
      }),
    )
    .min(1)
    .refine((zones) => new Set(zones.map(domainOf)).size === zones.length, "a zone is there twice"),
  /** For everything: Hetzner's and Cloudflare's API and the page. */
  token: z.string().regex(/^[0-9a-f]{64}$/),
  accountId: z.string().regex(/^[0-9a-f]{32}$/),
});
export type CloudSettings = z.infer<typeof settingsSchema>;
export type CloudChoices = Partial<Omit<CloudSettings, "token" | "accountId">>;

export const cloudFolder = (root: string, instance: string): string => join(root, ".orion", "cloud", instance);
/** Where a stack is rehearsed on a cloud: a Pulumi project of its own, that goes when the cloud goes. */
export const rehearsalFolder = (root: string, instance: string, stack: string): string =>
  join(cloudFolder(root, instance), "stacks", stack);

/** Bytes that the path of a socket may have, and how many of them ssh puts behind the folder while it makes one. */
const socketPath = { most: 107, ownPart: "/".length + 40 + 17 };

/** Where this machine's ssh keeps what it knows of a cloud's servers; below the home directory when the path is too long. */
export function sshFolder(folder: string, { accountId }: Pick<CloudSettings, "accountId">): string {
  const inFolder = join(folder, "ssh");
  const fits = Buffer.byteLength(inFolder) + socketPath.ownPart <= socketPath.most;
  return fits ? inFolder : join(homedir(), ".orion", "ssh", accountId.slice(0, 8));
}

const fileIn = (folder: string): string => join(folder, "settings.json");

const defaults = { block: 77, port: 8470, machines: "docker", zones: ["example.com"] } as const;

/** The settings of a cloud that is there; undefined where there is none. */
export function readSettings(folder: string): CloudSettings | undefined {
  const path = fileIn(folder);
  if (!existsSync(path)) return undefined;
  const { data, error } = settingsSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (data) return data;
  throw new UserError(
    `${path} is not what this program wrote:\n${z.prettifyError(error)}\nDelete the folder to begin anew.`,
  );
}

/** Zones with one more, on a plan; one that is there stays on the plan that it has. */
export function withZone(zones: readonly string[], name: string, plan: Plan): string[] {
  const isThere = zones.some((one) => domainOf(one) === name);
  return isThere ? [...zones] : [...zones, plan === "free" ? name : `${name}:${plan}`];
}

/**
 * The settings of a cloud, written when it is new. A cloud that has data keeps its addresses and its machines.
 *
 * @throws {UserError} when a choice is not valid, or is other than what the cloud was made with
 */
export function makeSettings(folder: string, instance: string, choices: CloudChoices): CloudSettings {
  const before = readSettings(folder);
  const wanted = {
    ...defaults,
    token: randomBytes(32).toString("hex"),
    accountId: randomBytes(16).toString("hex"),
    ...before,
    ...choices,
    instance,
  };
  const { data, error } = settingsSchema.safeParse(wanted);
  if (!data) throw new UserError(`The cloud cannot be made like this:\n${z.prettifyError(error)}`);
  for (const key of ["block", "machines"] as const) {
    if (before && before[key] !== data[key]) {
      throw new UserError(
        `The cloud '${instance}' was made with ${key} ${before[key]}, which cannot change to ${data[key]}. ` +
          "Take it down first (make cloud-down), or use another name: CLOUD=other.",
      );
    }
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(fileIn(folder), `${JSON.stringify(data, null, 2)}\n`, { mode: 0o600 });
  return data;
}

/** Addresses of the cloud itself: the edge with object storage and the name server, the image registry, the ACME authority. */
export const cloudAddresses = (block: number) => ({
  edge: `127.${block}.255.1`,
  registry: `127.${block}.255.2`,
  acme: `127.${block}.255.3`,
});

/** The one that Docker takes for a registry whose name has no port and that has no TLS. */
export const registryPort = 80;

/** What programs need to use the cloud, as variables of the environment. */
export const environmentOf = ({ port, token }: CloudSettings): Readonly<Record<string, string>> => ({
  HCLOUD_TOKEN: token,
  HCLOUD_ENDPOINT: `http://127.0.0.1:${port}/hetzner/v1`,
  CLOUDFLARE_API_TOKEN: token,
  CLOUDFLARE_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
});
