/** What cloud-init reads on a server: NoCloud's files. Pure. */
import { stringify } from "yaml";
import { type MachineSpec } from "../machines.ts";

/**
 * File by name; `user-data` is the client's, word for word.
 *
 * @param registry where the server reaches the cloud's image registry, as host and port
 */
export function seedFiles(spec: MachineSpec, registry: string): Readonly<Record<string, string>> {
  return {
    "meta-data": stringify({
      "instance-id": spec.instanceId,
      "local-hostname": spec.name,
      "public-keys": spec.sshKeys.map((key) => key.trim()),
    }),
    "user-data": spec.userData === "" ? "#cloud-config\n{}\n" : spec.userData,
    // Not cloud-init's: the settings of the Docker Engine's service. What it would pull from Docker Hub comes from here.
    docker: `DOCKER_OPTS="--registry-mirror=http://${registry} --insecure-registry=${registry}"\n`,
    "vendor-data": `#cloud-config\n${stringify(spec.rootPassword === undefined ? {} : passwordConfig(spec.rootPassword))}`,
  };
}

const passwordConfig = (password: string) => ({
  ssh_pwauth: true,
  chpasswd: { expire: true, list: [`root:${password}`] },
});
