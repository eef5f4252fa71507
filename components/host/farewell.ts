import * as pulumi from "@pulumi/pulumi";

export interface FarewellArgs {
  /** `ssh://user@host` */
  readonly host: pulumi.Input<string>;
  readonly sshOptions: pulumi.Input<string[]>;
  /** The stack that its containers are labelled with. */
  readonly stack: string;
}

/**
 * Ends the work of a server before the server is taken away (plugin/farewell.ts). Containers go with their server, and the
 * engine asks nobody to end them: a task that runs would be cut off.
 */
export class Farewell extends pulumi.CustomResource {
  constructor(name: string, args: FarewellArgs, opts: pulumi.CustomResourceOptions) {
    super("orion:index:Farewell", name, { ...args }, opts);
  }
}
