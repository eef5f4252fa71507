import * as pulumi from "@pulumi/pulumi";
import type { PauseInputs } from "../../plugin/pause.ts";
import type { InputsOf } from "../inputs.ts";

/** Time for those who are still on the way that is about to be taken away (plugin/pause.ts). */
export class Pause extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<PauseInputs>, opts: pulumi.CustomResourceOptions) {
    super("orion:index:Pause", name, { ...args }, opts);
  }
}
