import * as pulumi from "@pulumi/pulumi";
import type { AnswersInputs } from "../../plugin/answers.ts";
import type { InputsOf } from "../inputs.ts";

/** An address that answers over TLS, so that visitors can be sent there (plugin/answers.ts). */
export class Answers extends pulumi.CustomResource {
  declare readonly address: pulumi.Output<string>;

  constructor(name: string, args: InputsOf<AnswersInputs>, opts: pulumi.CustomResourceOptions) {
    super("orion:index:Answers", name, { ...args }, opts);
  }
}
