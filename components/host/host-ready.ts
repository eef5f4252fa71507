import * as pulumi from "@pulumi/pulumi";

export interface HostReadyArgs {
  /** `ssh://user@host` */
  readonly host: pulumi.Input<string>;
  readonly sshOptions: pulumi.Input<string[]>;
  /** Hetzner's number of the server. */
  readonly serverId: pulumi.Input<string>;
  /** Device of the Volume that is to be mounted. @default - the server has none */
  readonly volumeDevice?: pulumi.Input<string>;
  /** After this time the update fails and says what it waited for. */
  readonly timeoutSeconds: number;
}

/** A server that lets its operator in, whose Docker Engine answers and whose Volume is mounted (plugin/host-ready.ts). */
export class HostReady extends pulumi.CustomResource {
  constructor(name: string, args: HostReadyArgs, opts: pulumi.CustomResourceOptions) {
    super("orion:index:HostReady", name, { ...args }, opts);
  }
}
