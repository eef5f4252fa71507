import * as pulumi from "@pulumi/pulumi";

export interface AnswersArgs {
  readonly address: pulumi.Input<string>;
  readonly port: number;
  /** The host name that is asked for. */
  readonly hostname: string;
  readonly path: string;
  /** What stands behind it; something else there is waited for anew. */
  readonly behind: readonly string[];
  /** How many answers in a row it takes. */
  readonly inARow: number;
  /** After this time the update fails and says what it waited for. */
  readonly timeoutSeconds: number;
}

/** An address that answers over TLS, so that visitors can be sent there (plugin/answers.ts). */
export class Answers extends pulumi.CustomResource {
  declare readonly address: pulumi.Output<string>;

  constructor(name: string, { behind, ...args }: AnswersArgs, opts: pulumi.CustomResourceOptions) {
    super("orion:index:Answers", name, { ...args, behind: [...behind] }, opts);
  }
}
