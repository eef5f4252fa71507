/** Settings of a rehearsal cloud (name, addresses, token, zones), validated and stored in its folder. */
import { randomBytes } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";
import { UserError } from "../../common/user-error.ts";
import { type Plan, plans } from "../cloudflare/state.ts";
import { digestOf, ownerId, type ZoneConfig } from "../cloudflare/world.ts";
import type { CloudService } from "../machines/docker/packet-rules.ts";
import { commandFor } from "./commands.ts";

/** A zone as text: `domain` or `domain:plan`; the default plan is free. */
const zoneSchema = z
  .string()
  .transform((text) => {
    const [name, plan = "free"] = text.split(/:(.*)/);
    return { name, plan };
  })
  .pipe(z.object({ name: z.hostname(), plan: z.enum(plans) }));
export const zoneOf = (text: string): ZoneConfig => zoneSchema.parse(text);
const domainOf = (text: string): string => text.replace(/:.*/, "");

/**
 * What a cloud's folder and machines are made like. Raise it with a change after which the clouds of before do not work any
 * more: commands then say so, and which one deletes them.
 */
const layout = 2;

const settingsSchema = z.strictObject({
  /** @default - a cloud of a version that did not note it */
  layout: z.int().optional(),
  instance: z.string().regex(/^[a-z0-9]{1,8}$/, "one to eight of a-z and 0-9"),
  /** Second octet of the addresses: 127.<block>.0.0/16 and 10.<block>.0.0/16. */
  block: z.int().min(1).max(254),
  /** Port of both APIs on 127.0.0.1. */
  port: z.int().min(1).max(65535),
  machines: z.enum(["docker", "none"]),
  /** Object storage without machines, which always have it. @default false */
  storage: z.boolean().optional(),
  /** Zones of the emulated Cloudflare, each as `zoneOf` reads it. */
  zones: z
    .array(
      z.string().refine((text) => zoneSchema.safeParse(text).success, {
        error: ({ input }) =>
          `got "${String(input)}", expected a domain, alone or with its plan (${plans.join(", ")}): example.com:pro`,
      }),
    )
    .min(1)
    .refine((zones) => new Set(zones.map(domainOf)).size === zones.length, "a zone is listed twice"),
  /** Token of Hetzner's API, Cloudflare's API and the status page. */
  token: z.string().regex(/^[0-9a-f]{64}$/),
  accountId: z.string().regex(/^[0-9a-f]{32}$/),
});
export type CloudSettings = z.infer<typeof settingsSchema>;
export type CloudChoices = Partial<Omit<CloudSettings, "layout" | "token" | "accountId">>;

export const cloudFolder = (root: string, instance: string): string => join(root, ".orion", "cloud", instance);
/** Folder of the Pulumi project that rehearses a stack on a cloud; it is deleted with the cloud. */
export const rehearsalFolder = (root: string, instance: string, stack: string): string =>
  join(cloudFolder(root, instance), "stacks", stack);

/** The names of the clouds on which a stack is rehearsed, in their order. */
export const rehearsedOn = (root: string, stack: string): string[] =>
  globSync(rehearsalFolder(root, "*", stack))
    .map((folder) => basename(join(folder, "..", "..")))
    .sort();

/** Maximum length of a socket's path in bytes, and the length that ssh appends to the folder while it creates one. */
const socketPath = { most: 107, ownPart: "/".length + 40 + 17 };

/** Folder for the known hosts and sockets of ssh to a cloud's servers; below the home folder when the path is too long. */
export function sshFolder(folder: string, { accountId }: Pick<CloudSettings, "accountId">): string {
  const inFolder = join(folder, "ssh");
  const fits = Buffer.byteLength(inFolder) + socketPath.ownPart <= socketPath.most;
  return fits ? inFolder : join(homedir(), ".orion", "ssh", accountId.slice(0, 8));
}

/** The CA certificate, in PEM, that signs the certificates of the cloud's edge and object storage. */
export const authorityIn = (folder: string): string => join(folder, "edge-authority.pem");

const fileIn = (folder: string): string => join(folder, "settings.json");

const defaults = { block: 77, port: 8470, machines: "docker", zones: ["example.com"] } as const;

/** The settings of an existing cloud; undefined when it does not exist. */
export function readSettings(folder: string): CloudSettings | undefined {
  const path = fileIn(folder);
  if (!existsSync(path)) return undefined;
  const { data, error } = settingsSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (data) return data;
  throw new UserError(`${path} is not valid:\n${z.prettifyError(error)}\nDelete the folder to start over.`);
}

/** @throws {UserError} for a cloud of another version, which can only be deleted */
export function requireOwnLayout({ instance, layout: made = 1 }: CloudSettings): void {
  if (made === layout) return;
  throw new UserError(
    `The rehearsal cloud '${instance}' was made by ${made < layout ? "an older" : "a newer"} version, and does not work with ` +
      `this one. Delete it and everything in it: ${commandFor("down", { name: instance })}`,
  );
}

/** Adds a zone with its plan; a zone that is listed already keeps its plan. */
export function withZone(zones: readonly string[], name: string, plan: Plan): string[] {
  const isThere = zones.some((one) => domainOf(one) === name);
  return isThere ? [...zones] : [...zones, plan === "free" ? name : `${name}:${plan}`];
}

/**
 * Creates or updates the settings of a cloud. An existing cloud keeps its address block and kind of machines.
 *
 * @throws {UserError} when a choice is not valid, or changes what an existing cloud must keep
 */
export function makeSettings(folder: string, instance: string, choices: CloudChoices): CloudSettings {
  const before = readSettings(folder);
  if (before) requireOwnLayout(before);
  const wanted = {
    layout,
    ...defaults,
    token: randomBytes(32).toString("hex"),
    accountId: randomBytes(16).toString("hex"),
    ...before,
    ...choices,
    instance,
  };
  const { data, error } = settingsSchema.safeParse(wanted);
  if (!data) throw new UserError(`The settings of the cloud are not valid:\n${z.prettifyError(error)}`);
  for (const key of ["block", "machines"] as const) {
    if (before && before[key] !== data[key]) {
      throw new UserError(
        `The cloud '${instance}' was created with ${key} ${before[key]}, which cannot change to ${data[key]}. ` +
          `Delete it first (${commandFor("down")}), or use another name: ${commandFor("up", { name: "other" })}.`,
      );
    }
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(fileIn(folder), `${JSON.stringify(data, null, 2)}\n`, { mode: 0o600 });
  return data;
}

/** Loopback addresses of the cloud's own services: edge (with object storage and name server), image registry, ACME authority, metadata. */
export const cloudAddresses = (block: number) => ({
  edge: `127.${block}.255.1`,
  registry: `127.${block}.255.2`,
  acme: `127.${block}.255.3`,
  metadata: `127.${block}.255.5`,
});

/** Port of the image registry: Docker's default for a registry without TLS and without a port in its name. */
export const registryPort = 80;

/** The cloud's own services with the ports that servers may reach: all others at these addresses belong to this machine. */
export function cloudServices(block: number): Readonly<Record<keyof ReturnType<typeof cloudAddresses>, CloudService>> {
  const { edge, registry, acme, metadata } = cloudAddresses(block);
  return {
    edge: { address: edge, tcp: [53, 80, 443], udp: [53] },
    registry: { address: registry, tcp: [registryPort], udp: [] },
    acme: { address: acme, tcp: [443], udp: [] },
    metadata: { address: metadata, as: "169.254.169.254", tcp: [80], udp: [] },
  };
}

/** Where the S3 server behind R2 listens; machines cannot reach it, but only R2's own interface. */
export const storageAddress = (block: number) => ({ host: `127.${block}.255.4`, port: 7070 });

/** Environment variables with which clients use the cloud. */
export const environmentOf = ({ port, token, accountId }: CloudSettings): Readonly<Record<string, string>> => ({
  HCLOUD_TOKEN: token,
  HCLOUD_ENDPOINT: `http://127.0.0.1:${port}/hetzner/v1`,
  CLOUDFLARE_API_TOKEN: token,
  CLOUDFLARE_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
  // Wrangler has a name of its own for the address.
  CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
  CLOUDFLARE_ACCOUNT_ID: accountId,
});

/** Environment variables with which S3 clients on this machine use the cloud's object storage, with the key of its token. */
export const objectsEnvironmentOf = (
  { port, token }: CloudSettings,
  objectsPort = port + 1,
): Readonly<Record<string, string>> => ({
  AWS_ENDPOINT_URL: `http://127.0.0.1:${objectsPort}`,
  AWS_ACCESS_KEY_ID: ownerId,
  AWS_SECRET_ACCESS_KEY: digestOf(token),
  AWS_REGION: "auto",
  AWS_DEFAULT_REGION: "auto",
});

/** Whether the cloud has R2's S3 interface. */
export const hasStorage = ({ machines, storage = false }: CloudSettings): boolean => machines === "docker" || storage;
