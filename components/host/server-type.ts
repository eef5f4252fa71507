import * as pulumi from "@pulumi/pulumi";

/** How Hetzner's API is reached. */
export interface HetznerAccess {
  readonly endpoint: string;
  readonly token: pulumi.Input<string>;
}

export interface ServerTypeArgs {
  /** The server's name at Hetzner. */
  readonly server: string;
  readonly location: string;
  /** In order of preference. */
  readonly types: readonly string[];
  /** The stack that its containers are labelled with. */
  readonly stack: string;
  /** URL at which load balancers ask for its edge. @default - it has none */
  readonly edgeHealth?: string;
  /** Where this machine's ssh has its files. */
  readonly ssh: { readonly folder: string; readonly identityFile?: string };
  /** @default - Hetzner is not asked: the first type is taken */
  readonly access?: HetznerAccess;
}

/**
 * The type that a server gets, or has (plugin/server-type.ts). It is there before the server, and what depends on it waits
 * until a change of the type is over; nothing is waited for when the server is made.
 */
export class ServerType extends pulumi.CustomResource {
  declare readonly type: pulumi.Output<string>;

  constructor(name: string, { types, access, ...args }: ServerTypeArgs, opts: pulumi.CustomResourceOptions) {
    super(
      "orion:index:ServerType",
      name,
      {
        ...args,
        types: [...types],
        ...(access && { access: { endpoint: access.endpoint, token: pulumi.secret(access.token) } }),
        // An output alone: the plugin chooses it.
        type: undefined,
      },
      opts,
    );
  }
}
