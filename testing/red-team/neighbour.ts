/** A server beside those of the plan: in their private network, but none that the program knows. */
import type { RehearsalCloud } from "../cloud.ts";

/** Creates the server for as long as something is tried from it. @param act gets its name and its public address */
export async function withNeighbour<Result>(
  cloud: RehearsalCloud,
  act: (name: string, address: string) => Promise<Result>,
): Promise<Result> {
  const name = "probe";
  const [network] = await cloud.list("/networks", "networks");
  const key = await cloud.make("/ssh_keys", "ssh_key", { name, public_key: cloud.publicKey });
  const id = await cloud.make("/servers", "server", {
    ...{ name, server_type: "cx23", image: "debian-12", ssh_keys: [name], networks: [network?.["id"]] },
  });
  try {
    const address = await cloud.address(name);
    await cloud.booted(address);
    return await act(name, address);
  } finally {
    await cloud.hetzner("DELETE", `/servers/${id}`);
    await cloud.hetzner("DELETE", `/ssh_keys/${key}`);
  }
}
