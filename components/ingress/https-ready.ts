/** Waits until an address answers over HTTPS, before visitors are routed to it (plugin/https-ready.ts). */
import * as pulumi from "@pulumi/pulumi";
import type { HttpsReadyInputs } from "../../plugin/https-ready.ts";
import { withAliases } from "../aliases.ts";
import type { InputsOf } from "../inputs.ts";

export class HttpsReady extends pulumi.CustomResource {
  declare readonly address: pulumi.Output<string>;

  /** @param name `<load balancer>-ready` */
  constructor(name: string, args: InputsOf<HttpsReadyInputs>, opts: pulumi.CustomResourceOptions) {
    const former = { type: "orion:index:Answers", name: name.replace(/-ready$/, "-answers") };
    super("orion:index:HttpsReady", name, { ...args }, withAliases(opts, former));
  }
}
