import * as pulumi from "@pulumi/pulumi";

export interface PauseArgs {
  /** The way that visitors take. */
  readonly way: pulumi.Input<string>;
  /** How long to wait after it has changed, for those who are still on the old one. */
  readonly afterChangeSeconds: number;
  /** How long to wait when it is taken away, before what this depends on goes. */
  readonly atRemovalSeconds: number;
}

/** Time for those who are still on the way that is about to be taken away (plugin/pause.ts). */
export class Pause extends pulumi.CustomResource {
  constructor(name: string, args: PauseArgs, opts: pulumi.CustomResourceOptions) {
    super("orion:index:Pause", name, { ...args }, opts);
  }
}
