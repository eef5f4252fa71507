/** Delays the deletion of a route until the requests on it had time to complete (plugin/drain-delay.ts). */
import * as pulumi from "@pulumi/pulumi";
import type { DrainDelayInputs } from "../../plugin/drain-delay.ts";
import { withAliases } from "../aliases.ts";
import type { InputsOf } from "../inputs.ts";

export class DrainDelay extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<DrainDelayInputs>, opts: pulumi.CustomResourceOptions) {
    super("orion:index:DrainDelay", name, { ...args }, withAliases(opts, { type: "orion:index:Pause" }));
  }
}
