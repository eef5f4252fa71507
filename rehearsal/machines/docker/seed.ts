/** Generates the NoCloud seed files that cloud-init reads on a server. Pure. */
import { stringify } from "yaml";
import type { MachineSpec } from "../machines.ts";

/** Addresses of the cloud's own services, as servers reach them. */
export interface CloudPlaces {
  readonly nameServer: string;
  readonly registry: string;
  /** Range that contains all of them. */
  readonly range: string;
  /** CA certificate in PEM that signs the certificates of edge and object storage. */
  readonly authority: string;
}

/** File contents by name; `user-data` is exactly what the client sent. */
export function seedFiles(spec: MachineSpec, cloud: CloudPlaces): Readonly<Record<string, string>> {
  const { nameServer, registry, range, authority } = cloud;
  return {
    "meta-data": stringify({
      "instance-id": spec.instanceId,
      "local-hostname": spec.name,
      "public-keys": spec.sshKeys.map((key) => key.trim()),
    }),
    "user-data": spec.userData === "" ? "#cloud-config\n{}\n" : spec.userData,
    // Not for cloud-init: settings of the Docker Engine's service. Docker uses mirrors for its Hub only; any other registry
    // is accessed without TLS when its name resolves into the range.
    docker: `DOCKER_OPTS="--registry-mirror=http://${registry} --insecure-registry=${range}"\n`,
    "resolv.conf": `nameserver ${nameServer}\n`,
    "authority.pem": authority,
    "vendor-data": `#cloud-config\n${stringify(spec.rootPassword === undefined ? {} : passwordConfig(spec.rootPassword))}`,
  };
}

const passwordConfig = (password: string) => ({
  ssh_pwauth: true,
  chpasswd: { expire: true, list: [`root:${password}`] },
});
