/** This machine's address on Docker's bridge, for containers of this machine. */
import { docker } from "./sandbox.ts";

/** Docker's template of a network's gateway and range, for {@link gatewayOf}. */
export const networkFormat = "{{with index .IPAM.Config 0}}{{.Gateway}},{{.Subnet}}{{end}}";

/**
 * The address of an engine in one of its networks: the first one of the network's range. Of the bridge that it has made at this
 * start, an engine does not say it.
 *
 * @param network in the form of {@link networkFormat}
 */
export function gatewayOf(network: string): string {
  const [gateway = "", subnet = ""] = network.split(",");
  return gateway === "" ? subnet.replace(/\.0\/\d+$/, ".1") : gateway;
}

export const bridgeAddress = (): string =>
  gatewayOf(docker("network", "inspect", "bridge", "--format", networkFormat)[0] ?? "");
