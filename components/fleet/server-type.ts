/** Chooses and changes a server's type (plugin/server-type.ts). */
import * as pulumi from "@pulumi/pulumi";
import type { ServerTypeInputs } from "../../plugin/server-type.ts";
import type { InputsOf } from "../inputs.ts";

export type ServerTypeArgs = Omit<InputsOf<ServerTypeInputs>, "type">;

/** Endpoint and token of Hetzner's API. */
export type HetznerAccess = NonNullable<ServerTypeArgs["access"]>;

/**
 * It is created before the server; what depends on it waits until a change of the type is complete. For a new server it does not
 * wait.
 */
export class ServerType extends pulumi.CustomResource {
  declare readonly type: pulumi.Output<string>;

  constructor(name: string, { access, ...args }: ServerTypeArgs, opts: pulumi.CustomResourceOptions) {
    super(
      "orion:index:ServerType",
      name,
      {
        ...args,
        ...(access && { access: { ...access, token: pulumi.secret(access.token) } }),
        // Output only: the plugin chooses it.
        type: undefined,
      },
      opts,
    );
  }
}
