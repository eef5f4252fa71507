import * as pulumi from "@pulumi/pulumi";
import type { ServerTypeInputs } from "../../plugin/server-type.ts";
import type { InputsOf } from "../inputs.ts";

export type ServerTypeArgs = Omit<InputsOf<ServerTypeInputs>, "type">;

/** How Hetzner's API is reached. */
export type HetznerAccess = NonNullable<ServerTypeArgs["access"]>;

/**
 * The type that a server gets, or has (plugin/server-type.ts). It is there before the server, and what depends on it waits
 * until a change of the type is over; nothing is waited for when the server is made.
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
        // An output alone: the plugin chooses it.
        type: undefined,
      },
      opts,
    );
  }
}
