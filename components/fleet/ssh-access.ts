/** Who may log in at a server, and its sshd's settings; a change that would lock this machine out is undone (plugin/ssh-access.ts). */
import * as pulumi from "@pulumi/pulumi";
import type { SshAccessInputs } from "../../plugin/ssh-access.ts";
import type { InputsOf } from "../inputs.ts";

export class SshAccess extends pulumi.CustomResource {
  constructor(name: string, args: InputsOf<SshAccessInputs>, opts: pulumi.CustomResourceOptions) {
    super("orion:index:SshAccess", name, { ...args }, opts);
  }
}
