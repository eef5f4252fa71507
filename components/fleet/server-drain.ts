/**
 * Drains a server before it is deleted (plugin/server-drain.ts). The containers of a server are deleted
 * with it, without a call to the server, which would cut running tasks off.
 */
import * as pulumi from "@pulumi/pulumi";
import type { ServerDrainInputs } from "../../plugin/server-drain.ts";
import { withAliases } from "../aliases.ts";
import type { InputsOf } from "../inputs.ts";

export class ServerDrain extends pulumi.CustomResource {
  /** @param name `<server>-drain` */
  constructor(name: string, args: InputsOf<ServerDrainInputs>, opts: pulumi.CustomResourceOptions) {
    const former = { type: "orion:index:Farewell", name: name.replace(/-drain$/, "-farewell") };
    super("orion:index:ServerDrain", name, { ...args }, withAliases(opts, former));
  }
}
