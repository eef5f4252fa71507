/** TLS certificates that the edge presents to visitors, signed by the cloud's own public CA. */
import { createSecureContext, type SecureContext } from "node:tls";
import { CertificateAuthority } from "../authority.ts";
import { certificateNames, objectsDomain, objectsHostOf } from "../objects/r2-hosts.ts";
import type { World } from "../world.ts";

/** Days that a certificate is valid, and days after which it is replaced. */
const validity = { days: 90, used: 60 };

export class EdgeCertificates {
  readonly #world: World;
  readonly #contexts = new Map<string, { readonly until: number; readonly context: Promise<SecureContext> }>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Certificate of the public CA, for clients that must trust the edge. */
  async authority(): Promise<string> {
    const authority = await CertificateAuthority.open(this.#world.store, "public");
    return authority.certificate;
  }

  /** The TLS context for a host name. Like Cloudflare's universal certificates it covers the zone and one level below. */
  context(hostname: string): Promise<SecureContext> | undefined {
    const { accountId } = this.#world;
    const isObjects = objectsHostOf(hostname, accountId) !== undefined;
    const name = isObjects ? objectsDomain : this.#world.zoneOf(hostname)?.name;
    if (name === undefined) return undefined;
    const now = this.#world.date().getTime();
    const known = this.#contexts.get(name);
    if (known !== undefined && known.until > now) return known.context;
    const context = this.#issue(isObjects ? certificateNames(accountId) : [name, `*.${name}`]);
    this.#contexts.set(name, { until: now + validity.used * 86_400_000, context });
    return context;
  }

  async #issue(names: readonly string[]): Promise<SecureContext> {
    const authority = await CertificateAuthority.open(this.#world.store, "public");
    const { key, certificate } = await authority.issue(names, validity.days, this.#world.date());
    return createSecureContext({ key, cert: `${certificate}\n${authority.certificate}`, minVersion: "TLSv1.2" });
  }
}
