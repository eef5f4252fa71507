/** A certificate from an ACME authority, obtained and renewed by the server. */
import * as pulumi from "@pulumi/pulumi";
import { withAliases } from "../../aliases.ts";
import { HostFiles } from "../../runtime/docker/host-files.ts";
import type { DockerRuntime } from "../../runtime/docker/runtime.ts";
import { timerFiles } from "../../runtime/docker/timer-files.ts";
import {
  acmeAuthorityFile,
  acmeCommand,
  acmeScript,
  acmeService,
  acmeSettingsFile,
  acmeSettingsText,
  acmeTimer,
  acmeUnit,
} from "./acme-files.ts";

export interface AcmeArgs {
  /** The server that the edge runs on. */
  readonly runtime: DockerRuntime;
  /** The names of the certificate, the platform's own first. */
  readonly hostnames: readonly string[];
  /** URL of the authority's directory. */
  readonly server: string;
  /** Address for the authority's notices. @default - none */
  readonly email?: string | undefined;
  /** CA certificates, in PEM, that verify the authority's own server. @default - the public CAs */
  readonly authority?: string | undefined;
  /** Name of the edge's container, and the file in it with its configuration. */
  readonly edge: { readonly container: string; readonly config: string };
}

/**
 * Installs the ACME client on the edge's server, with a first certificate that the edge can start with. The client obtains
 * certificates by HTTP-01. A timer of the server runs it, so renewals do not depend on updates.
 */
export class AcmeClient extends pulumi.ComponentResource {
  constructor(name: string, args: AcmeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:ingress:AcmeClient", name, {}, withAliases({ ...opts }, { type: "orion:edge:AcmeClient" }));
    const { runtime, authority } = args;
    new HostFiles(
      `${name}-files`,
      {
        runtime,
        files: {
          [acmeCommand]: { text: acmeScript, mode: "0755" },
          [acmeSettingsFile]: { text: settingsOf(args), mode: "0644" },
          ...(authority !== undefined && { [acmeAuthorityFile]: { text: authority, mode: "0644" } }),
        },
        command: [acmeCommand, "prepare"],
        // The certificate stays: an edge that runs may still use it.
        removal: ["true"],
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

/** Obtains the certificate, and starts the timer that renews it. The edge must answer at the host name before. */
export class AcmeCertificate extends pulumi.ComponentResource {
  constructor(name: string, args: AcmeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:ingress:AcmeCertificate", name, {}, withAliases({ ...opts }, { type: "orion:edge:AcmeCertificate" }));
    const units = { unit: acmeUnit, service: acmeService(args), timer: acmeTimer, first: `${acmeCommand} obtain` };
    new HostFiles(`${name}-units`, { runtime: args.runtime, ...timerFiles(units) }, { parent: this });
    this.registerOutputs({});
  }
}

const settingsOf = ({ runtime, authority, edge, ...rest }: AcmeArgs): pulumi.Output<string> =>
  pulumi.all([runtime.networks.edge, runtime.reference("certbot")]).apply(([network, image]) =>
    acmeSettingsText({
      ...rest,
      ...{ network, image, edge: edge.container, config: edge.config, hasAuthority: authority !== undefined },
    }),
  );
