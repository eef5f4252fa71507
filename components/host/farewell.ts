import * as pulumi from "@pulumi/pulumi";
import type { FarewellInputs } from "../../plugin/farewell.ts";
import type { InputsOf } from "../inputs.ts";

/**
 * Ends the work of a server before the server is taken away (plugin/farewell.ts). Containers go with their server, and the
 * engine asks nobody to end them: a task that runs would be cut off.
 */
export class Farewell extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<FarewellInputs>, opts: pulumi.CustomResourceOptions) {
    super("orion:index:Farewell", name, { ...args }, opts);
  }
}
