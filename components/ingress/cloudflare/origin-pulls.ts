/** Authenticated origin pulls: the client certificate that Cloudflare presents to the edges. */
import { AuthenticatedOriginPullsCertificate } from "@pulumi/cloudflare/authenticatedOriginPullsCertificate.js";
import { AuthenticatedOriginPullsSettings } from "@pulumi/cloudflare/authenticatedOriginPullsSettings.js";
import * as pulumi from "@pulumi/pulumi";
import type { OriginPullsReadyInputs } from "../../../plugin/origin-pulls-ready.ts";
import { Authority } from "../../authority/authority.ts";
import type { InputsOf } from "../../inputs.ts";

/** Endpoint and token of Cloudflare's API. */
export type CloudflareAccess = NonNullable<InputsOf<OriginPullsReadyInputs>["access"]>;

export interface OriginPullsArgs {
  readonly zoneId: pulumi.Input<string>;
  /** Name of the zone. */
  readonly zone: string;
  /** @default - a fixed time is waited instead of asking Cloudflare whether it presents the certificate */
  readonly access?: CloudflareAccess | undefined;
}

/**
 * The certificate shows that a request comes through this zone, and not through the zone of another of Cloudflare's customers,
 * whose requests come from the same addresses. An authority of its own signs it, so that no other certificate of the stack is
 * accepted.
 *
 * A certificate that is replaced is followed by the old one's deletion, so there is always one that the origins accept.
 */
export class OriginPulls extends pulumi.ComponentResource {
  /** The authority, in PEM, that origins may demand of a client's certificate; known once Cloudflare presents such a certificate. */
  readonly authority: pulumi.Output<string>;

  constructor(name: string, args: OriginPullsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:ingress:OriginPulls", name, {}, opts);
    const { zoneId, zone } = args;
    const authority = new Authority(`${name}-authority`, { protect: false }, { parent: this });
    const { certificate, privateKey } = authority.sign(
      `${name}-client`,
      { dnsNames: [zone], ipAddresses: [], uses: ["client_auth"] },
      { parent: this },
    );
    const upload = new AuthenticatedOriginPullsCertificate(
      `${name}-upload`,
      { zoneId, certificate, privateKey },
      { parent: this },
    );
    const settings = new AuthenticatedOriginPullsSettings(
      `${name}-settings`,
      { zoneId, enabled: true },
      { parent: this, dependsOn: upload },
    );
    this.authority = this.#waitUntilPresented(name, args, { upload, settings, certificate: authority.certificate });
    this.registerOutputs({});
  }

  #waitUntilPresented(
    name: string,
    { zoneId, access }: OriginPullsArgs,
    made: {
      readonly upload: AuthenticatedOriginPullsCertificate;
      readonly settings: pulumi.Resource;
      readonly certificate: pulumi.Output<string>;
    },
  ): pulumi.Output<string> {
    const args = { zoneId, certificateId: made.upload.id, authority: made.certificate, ...waiting };
    const opts = { parent: this, dependsOn: made.settings };
    return new OriginPullsReady(`${name}-ready`, { ...args, ...(access && { access }) }, opts).authority;
  }
}

/**
 * Cloudflare speaks of a few minutes until a certificate is everywhere. After it says so, its servers may need some seconds
 * more for the setting.
 */
const waiting = { settleSeconds: 15, blindSeconds: 300, timeoutSeconds: 900 } as const;

/** Waits until Cloudflare presents the certificate to origins (plugin/origin-pulls-ready.ts). */
class OriginPullsReady extends pulumi.CustomResource {
  declare readonly authority: pulumi.Output<string>;

  constructor(name: string, { access, ...args }: InputsOf<OriginPullsReadyInputs>, opts: pulumi.CustomResourceOptions) {
    const secret = access && { access: { ...access, token: pulumi.secret(access.token) } };
    super("orion:index:OriginPullsReady", name, { ...args, ...secret }, opts);
  }
}
