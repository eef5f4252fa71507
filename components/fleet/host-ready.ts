import * as pulumi from "@pulumi/pulumi";
import type { HostReadyInputs } from "../../plugin/host-ready.ts";
import type { InputsOf } from "../inputs.ts";

/** Waits until a server accepts SSH, its Docker Engine answers and its Volume is mounted (plugin/host-ready.ts). */
export class HostReady extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<HostReadyInputs>, opts: pulumi.CustomResourceOptions) {
    super("orion:index:HostReady", name, { ...args }, opts);
  }
}
