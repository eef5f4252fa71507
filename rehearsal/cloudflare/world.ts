/** Shared state of the emulated Cloudflare API: account, zones, callers by token, ids and the clock. */
import { createHash, randomBytes } from "node:crypto";
import { ApiError } from "./envelope.ts";
import { records } from "./body.ts";
import type { Caller } from "./permissions.ts";
import { type Quirk, hasQuirk } from "./quirks.ts";
import { mayComeFrom } from "./token-conditions.ts";
import type { CloudflareStore, Plan, Zone } from "./state.ts";

export interface ZoneConfig {
  readonly name: string;
  /** Initial plan; a changed value here, or a subscription through the API, changes the plan later. */
  readonly plan: Plan;
}

export interface WorldOptions {
  readonly store: CloudflareStore;
  /** The token with all permissions. */
  readonly token: string;
  /** The 32 hexadecimal digits of the account. */
  readonly accountId: string;
  readonly now: () => Date;
}

/** The id of the cloud's own token. */
export const ownerId = "0".repeat(32);

const identifier = /^[0-9a-f]{32}$/;

export class World {
  readonly store: CloudflareStore;
  readonly accountId: string;
  readonly #token: string;
  readonly #now: () => Date;

  constructor({ store, token, accountId, now }: WorldOptions) {
    this.store = store;
    this.accountId = accountId;
    this.#token = token;
    this.#now = now;
  }

  /** The current time as the API formats it, with microseconds. */
  now(): string {
    return this.#now().toISOString().replace("Z", "000Z");
  }

  date(): Date {
    return this.#now();
  }

  /** The S3 key of the cloud's own token, made as that of any token: from its id and the SHA-256 of its value. */
  get ownerKey(): { readonly id: string; readonly secret: string } {
    return { id: ownerId, secret: digestOf(this.#token) };
  }

  newId(): string {
    return randomBytes(16).toString("hex");
  }

  has(quirk: Quirk): boolean {
    return hasQuirk(this.store, quirk);
  }

  /** Creates the zones of the cloud's settings that are missing, and applies a plan that changed in the settings. */
  seed(zones: readonly ZoneConfig[]): void {
    for (const { name, plan } of zones) {
      const id = createHash("sha256").update(`zone ${name}`).digest("hex").slice(0, 32);
      const before = this.store.get("cloudflare.zone", id);
      if (before !== undefined && (before.configured ?? "free") === plan) continue;
      const created = before?.created ?? this.now();
      this.store.put("cloudflare.zone", id, { id, name, plan, configured: plan, created });
    }
  }

  zone(id: string): Zone {
    const zone = this.store.get("cloudflare.zone", id);
    if (zone !== undefined) return zone;
    throw identifier.test(id)
      ? new ApiError(403, 9109, "Unauthorized to access requested resource")
      : new ApiError(404, 7003, `Could not route to /zones/${id}, perhaps your object identifier is invalid?`);
  }

  account(id: string): void {
    if (id === this.accountId) return;
    throw identifier.test(id)
      ? new ApiError(403, 9109, "Unauthorized to access requested resource")
      : new ApiError(404, 7003, `Could not route to /accounts/${id}, perhaps your object identifier is invalid?`);
  }

  /** The zone of a host name; the longest matching zone wins. */
  zoneOf(hostname: string): Zone | undefined {
    return this.store
      .list("cloudflare.zone")
      .filter(({ name }) => hostname === name || hostname.endsWith(`.${name}`))
      .sort((a, b) => b.name.length - a.name.length)[0];
  }

  /** The caller that an Authorization header belongs to. @param address the IP address of the client */
  callerOf(authorization: string | undefined, address: string): Caller {
    if (authorization === undefined)
      throw new ApiError(400, 9106, "Missing X-Auth-Key, X-Auth-Email or Authorization headers");
    const [, secret] = /^Bearer (\S+)$/.exec(authorization) ?? [];
    if (secret === undefined) throw new ApiError(400, 6003, "Invalid request headers");
    if (digestOf(secret) === digestOf(this.#token)) return "owner";
    const digest = digestOf(secret);
    const token = this.store.list("cloudflare.token").find((each) => each.digest === digest);
    if (token === undefined) throw new ApiError(401, 1000, "Invalid API Token");
    if (!this.isActive(token.value)) throw new ApiError(403, 9109, "Token is not active");
    if (!mayComeFrom(token.value, address))
      throw new ApiError(403, 9109, `Cannot use the access token from location: ${address}`);
    return { id: String(token.value["id"]), policies: records(token.value["policies"]) };
  }

  isActive(token: Readonly<Record<string, unknown>>): boolean {
    const { status, expires_on: expires, not_before: notBefore } = token;
    const present = this.#now().getTime();
    if (typeof expires === "string" && Date.parse(expires) <= present) return false;
    if (typeof notBefore === "string" && Date.parse(notBefore) > present) return false;
    return status !== "disabled";
  }
}

export const digestOf = (secret: string): string => createHash("sha256").update(secret).digest("hex");
