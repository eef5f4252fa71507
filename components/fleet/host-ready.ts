import * as pulumi from "@pulumi/pulumi";
import type { HostReadyInputs } from "../../plugin/host-ready.ts";
import type { InputsOf } from "../inputs.ts";

/** Settles the SSH host key of a server, and waits until a server accepts SSH, its Docker Engine answers and its Volume is mounted (plugin/host-ready.ts). */
export class HostReady extends pulumi.CustomResource {
  /** The server's own host key, as `algorithm key`. */
  declare readonly hostKey: pulumi.Output<string>;

  constructor(name: string, args: Omit<InputsOf<HostReadyInputs>, "hostKey">, opts: pulumi.CustomResourceOptions) {
    super("orion:index:HostReady", name, { ...args, hostKey: undefined }, opts);
  }
}
