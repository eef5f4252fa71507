import * as pulumi from "@pulumi/pulumi";
import { formerly } from "../../former.ts";
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
  readonly place: DockerRuntime;
  readonly hostname: string;
  /** URL of the authority's directory. */
  readonly server: string;
  /** Whom the authority writes to. @default - nobody */
  readonly email?: string | undefined;
  /** Authorities that vouch for the server's own address, in PEM. @default - the public ones */
  readonly authority?: string | undefined;
  /** Name of the edge's container, and the file in it with its configuration. */
  readonly edge: { readonly container: string; readonly config: string };
}

/**
 * What gets a certificate from an ACME authority by HTTP-01, and a first one for the edge to start with. The server itself
 * runs it: renewals go on when nobody runs the program.
 */
export class AcmeClient extends pulumi.ComponentResource {
  constructor(name: string, args: AcmeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:ingress:AcmeClient", name, {}, formerly({ ...opts }, { type: "orion:edge:AcmeClient" }));
    const { place, authority } = args;
    new HostFiles(
      `${name}-files`,
      {
        place,
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

/** The certificate itself, and its renewal; for when the edge answers and the host name leads to it. */
export class AcmeCertificate extends pulumi.ComponentResource {
  constructor(name: string, args: AcmeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:ingress:AcmeCertificate", name, {}, formerly({ ...opts }, { type: "orion:edge:AcmeCertificate" }));
    const units = { unit: acmeUnit, service: acmeService(args), timer: acmeTimer, first: `${acmeCommand} obtain` };
    new HostFiles(`${name}-units`, { place: args.place, ...timerFiles(units) }, { parent: this });
    this.registerOutputs({});
  }
}

const settingsOf = ({ place, authority, edge, ...rest }: AcmeArgs): pulumi.Output<string> =>
  pulumi.all([place.network, place.reference("certbot")]).apply(([network, image]) =>
    acmeSettingsText({
      ...rest,
      ...{ network, image, edge: edge.container, config: edge.config, hasAuthority: authority !== undefined },
    }),
  );
