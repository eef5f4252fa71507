/** One Cloudflare zone: settings (TLS, firewall, rate limits, bots, caching), origin certificates and origin pulls. */
import { BotManagement } from "@pulumi/cloudflare/botManagement.js";
import { getZoneOutput } from "@pulumi/cloudflare/getZone.js";
import { OriginCaCertificate } from "@pulumi/cloudflare/originCaCertificate.js";
import { Ruleset } from "@pulumi/cloudflare/ruleset.js";
import { ZoneSetting } from "@pulumi/cloudflare/zoneSetting.js";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { withAliases } from "../../aliases.ts";
import { type CloudflareAccess, OriginPulls } from "./origin-pulls.ts";
import { botManagement, type CloudflarePlan, planProblem, rulesets, zoneSettings } from "./rules.ts";

export interface CloudflareZoneArgs {
  /** Name of the zone. It is looked up and never managed, so that deleting a stack keeps the domain. */
  readonly zone: string;
  /** Host names of the platform in that zone. */
  readonly hostnames: readonly string[];
  readonly plan: CloudflarePlan;
  /** Whether Cloudflare's CA signs a certificate for the origins; otherwise they need one that Cloudflare trusts. */
  readonly certificate: boolean;
  /** Access to Cloudflare's API, to ask when a certificate is in use. @default - a fixed time is waited */
  readonly access?: CloudflareAccess | undefined;
  /** The one name that stacks had before they could have several, if it is in this zone. @default - it is not */
  readonly first?: string;
}

/** The CA's maximum. Only Cloudflare trusts the certificate. `pulumi up --replace` replaces it at any time; nothing renews it by itself. */
const validityDays = 5475;

export class CloudflareZone extends pulumi.ComponentResource {
  readonly zoneId: pulumi.Output<string>;
  /** The origins' certificates and their keys, in PEM, by host name; the keys are secrets. Empty without `certificate` in the arguments. */
  readonly certificates: ReadonlyMap<
    string,
    { readonly chain: pulumi.Output<string>; readonly privateKey: pulumi.Output<string> }
  >;

  /** The authority, in PEM, of the certificate that Cloudflare presents to origins; known once it does. */
  readonly clientAuthority: pulumi.Output<string>;

  constructor(name: string, args: CloudflareZoneArgs, opts?: pulumi.ComponentResourceOptions) {
    // Stacks that had one host name had one zone.
    const former =
      args.first === undefined
        ? []
        : [{ name: "cloudflare" }, { type: "orion:edge:CloudflareZone", name: "cloudflare" }];
    super("orion:ingress:CloudflareZone", name, {}, withAliases({ ...opts }, ...former));
    const zoneId = this.#findZone(args);
    this.#createSettings(name, args, zoneId);
    this.#createRulesets(name, args, zoneId);
    new BotManagement(`${name}-bots`, { zoneId, ...botManagement(args.plan) }, { parent: this });
    this.zoneId = zoneId;
    const certified = args.certificate ? args.hostnames : [];
    this.certificates = new Map(certified.map((host) => [host, this.#createCertificate(host, host === args.first)]));
    const { zone, access } = args;
    this.clientAuthority = new OriginPulls(
      `${name}-origin-pulls`,
      { zoneId, zone, access },
      { parent: this },
    ).authority;
    this.registerOutputs({});
  }

  #findZone({ zone, plan }: CloudflareZoneArgs): pulumi.Output<string> {
    return getZoneOutput({ filter: { name: zone } }, { parent: this }).apply((found) => {
      const problem = planProblem(found, plan);
      if (problem !== undefined) throw new pulumi.RunError(problem);
      return found.id;
    });
  }

  #createSettings(name: string, { certificate }: CloudflareZoneArgs, zoneId: pulumi.Output<string>): void {
    for (const [settingId, value] of Object.entries(zoneSettings(certificate))) {
      new ZoneSetting(`${name}-${settingId.replaceAll("_", "-")}`, { zoneId, settingId, value }, { parent: this });
    }
  }

  #createRulesets(name: string, { plan, hostnames }: CloudflareZoneArgs, zoneId: pulumi.Output<string>): void {
    // eslint-disable-next-line no-restricted-syntax -- a phase of Cloudflare's: the part of a request that the rules are about
    for (const { name: ruleset, phase, rules } of rulesets(plan, hostnames)) {
      new Ruleset(
        `${name}-${ruleset}`,
        { zoneId, kind: "zone", phase, name: `orion ${ruleset}`, description: "", rules: [...rules] },
        // A phase has one ruleset.
        { parent: this, deleteBeforeReplace: true },
      );
    }
  }

  /** One certificate for each name: the API returns several names in another order, and another name leaves the others' alone. */
  #createCertificate(hostname: string, isFirst: boolean) {
    const former = (part: string) => (isFirst ? [{ name: `cloudflare-${part}` }] : []);
    const name = `origin-${hostname}`;
    const key = new tls.PrivateKey(
      `${name}-key`,
      { algorithm: "ECDSA", ecdsaCurve: "P256" },
      withAliases({ parent: this }, ...former("key")),
    );
    const request = new tls.CertRequest(
      `${name}-request`,
      { privateKeyPem: key.privateKeyPem, subject: { commonName: hostname }, dnsNames: [hostname] },
      withAliases({ parent: this }, ...former("request")),
    );
    const certificate = new OriginCaCertificate(
      `${name}-certificate`,
      {
        csr: request.certRequestPem,
        hostnames: [hostname],
        requestType: "origin-ecc",
        requestedValidity: validityDays,
      },
      // The API does not always return the validity, and a change of it would replace the certificate.
      withAliases({ parent: this, ignoreChanges: ["requestedValidity"] }, ...former("certificate")),
    );
    return { chain: certificate.certificate, privateKey: pulumi.secret(key.privateKeyPem) };
  }
}
