/** What cloud-init reads on a server: NoCloud's files. Pure. */
import { stringify } from "yaml";
import { type MachineSpec } from "../machines.ts";

/** File by name; `user-data` is the client's, word for word. */
export function seedFiles(spec: MachineSpec): Readonly<Record<string, string>> {
  return {
    "meta-data": stringify({
      "instance-id": spec.instanceId,
      "local-hostname": spec.name,
      "public-keys": spec.sshKeys.map((key) => key.trim()),
    }),
    "user-data": spec.userData === "" ? "#cloud-config\n{}\n" : spec.userData,
    "vendor-data": `#cloud-config\n${stringify(spec.rootPassword === undefined ? {} : passwordConfig(spec.rootPassword))}`,
  };
}

const passwordConfig = (password: string) => ({
  ssh_pwauth: true,
  chpasswd: { expire: true, list: [`root:${password}`] },
});
