import { parse } from "yaml";
import { metadataAt } from "../../../../rehearsal/hetzner/metadata.ts";
import { HetznerApi } from "../support/hetzner.ts";

test("a server's metadata is what the API shows of it", async () => {
  const api = new HetznerApi();
  await api.make("network", { name: "net", ip_range: "10.20.0.0/16" });
  const subnet = { type: "cloud", network_zone: "eu-central", ip_range: "10.20.1.0/24" };
  await api.do("POST", "/networks/1/actions/add_subnet", subnet);
  const asked = {
    server_type: "cx23",
    image: "debian-12",
    location: "hel1",
    networks: [1],
    user_data: "#cloud-config\n",
  };
  await api.make("server", { name: "web", ...asked });
  const shown = await api.show("server", 1);
  const server = api.cloud.require("hetzner.server", 1);
  const at = (path: string) => metadataAt(api.cloud, server, path);

  expect(parse(at("/hetzner/v1/metadata") ?? "")).toEqual({
    "availability-zone": "hel1-dc2",
    hostname: "web",
    "instance-id": 1,
    "public-ipv4": "127.78.0.5",
    region: "eu-central",
  });
  expect(shown).toMatchObject({ public_net: { ipv4: { ip: at("/hetzner/v1/metadata/public-ipv4") } } });
  const [own] = [shown["private_net"]].flat();
  expect(parse(at("/hetzner/v1/metadata/private-networks") ?? "")).toEqual([
    {
      ...{ ip: "10.20.1.1", alias_ips: [], interface_num: 1, network_id: 1, network_name: "net" },
      ...{ network: "10.20.0.0/16", subnet: "10.20.1.0/24", gateway: "10.20.0.1" },
      mac_address: expect.stringMatching(/^86(:[0-9a-f]{2}){5}$/) as unknown,
    },
  ]);
  expect(own).toMatchObject({ ip: "10.20.1.1" });
  expect(at("/hetzner/v1/metadata/hostname")).toBe("web");
  expect(at("/hetzner/v1/userdata")).toBe("#cloud-config\n");
  for (const path of ["/", "/hetzner/v1/metadata/nothing", "/hetzner/v1/constructor"]) expect(at(path)).toBeUndefined();
});
