/** What cloud-init reads on a server: NoCloud's files. Pure. */
import { stringify } from "yaml";
import type { MachineSpec } from "../machines.ts";

/** Where a server reaches the cloud itself. */
export interface CloudPlaces {
  readonly nameServer: string;
  readonly registry: string;
  /** The range that all of them lie in. */
  readonly range: string;
}

/** File by name; `user-data` is the client's, word for word. */
export function seedFiles(spec: MachineSpec, cloud: CloudPlaces): Readonly<Record<string, string>> {
  const { nameServer, registry, range } = cloud;
  return {
    "meta-data": stringify({
      "instance-id": spec.instanceId,
      "local-hostname": spec.name,
      "public-keys": spec.sshKeys.map((key) => key.trim()),
    }),
    "user-data": spec.userData === "" ? "#cloud-config\n{}\n" : spec.userData,
    // Not cloud-init's: the settings of the Docker Engine's service. Docker asks its Hub by way of mirrors only; any other
    // registry is one without TLS when its name leads into the range.
    docker: `DOCKER_OPTS="--registry-mirror=http://${registry} --insecure-registry=${range}"\n`,
    "resolv.conf": `nameserver ${nameServer}\n`,
    "vendor-data": `#cloud-config\n${stringify(spec.rootPassword === undefined ? {} : passwordConfig(spec.rootPassword))}`,
  };
}

const passwordConfig = (password: string) => ({
  ssh_pwauth: true,
  chpasswd: { expire: true, list: [`root:${password}`] },
});
