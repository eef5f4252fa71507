/** Settles a server's SSH host key, and waits for SSH, its Docker Engine and its Volume (plugin/host-ready.ts). */
import * as pulumi from "@pulumi/pulumi";
import type { HostReadyInputs } from "../../plugin/host-ready.ts";
import type { InputsOf } from "../inputs.ts";

export class HostReady extends pulumi.CustomResource {
  /** The server's own host key, as `algorithm key`. */
  declare readonly hostKey: pulumi.Output<string>;

  constructor(name: string, args: Omit<InputsOf<HostReadyInputs>, "hostKey">, opts: pulumi.CustomResourceOptions) {
    super("orion:index:HostReady", name, { ...args, hostKey: undefined }, opts);
  }
}
