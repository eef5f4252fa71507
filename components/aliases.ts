/** Aliases for former types and names of resources, so that an existing state is taken over. */
import type * as pulumi from "@pulumi/pulumi";

/** A former identity of a resource. */
export interface FormerIdentity {
  /** Its type token. @default - the type has not changed */
  readonly type?: string;
  /** @default - the name has not changed */
  readonly name?: string;
}

/** The options with an alias for each former identity, so that the engine takes the existing resource over. */
export const withAliases = <Options extends pulumi.ResourceOptions>(
  opts: Options,
  ...former: readonly FormerIdentity[]
): Options => ({
  ...opts,
  aliases: [...(opts.aliases ?? []), ...former],
});
