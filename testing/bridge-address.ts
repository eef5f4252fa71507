import { docker } from "./sandbox.ts";

/**
 * This machine's address on Docker's bridge, at which containers of this machine reach it. It is the first one of the bridge's range; an
 * engine that has made the bridge at this start does not say so.
 */
export function bridgeAddress(): string {
  const [gateway = "", subnet = ""] =
    docker(
      ...["network", "inspect", "bridge", "--format", "{{with index .IPAM.Config 0}}{{.Gateway}},{{.Subnet}}{{end}}"],
    )[0]?.split(",") ?? [];
  return gateway === "" ? subnet.replace(/\.0\/\d+$/, ".1") : gateway;
}
