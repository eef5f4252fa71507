/** The metadata that a server reads about itself, at http://169.254.169.254, as Hetzner documents it. */
import { createServer, type Server as HttpServer } from "node:http";
import { once } from "node:events";
import { stringify } from "yaml";
import { gatewayOf, isHostOf } from "./addresses.ts";
import type { Cloud } from "./cloud.ts";
import { publicAddress } from "./server-links.ts";
import { macOf } from "./server-view.ts";
import type { Server } from "./state.ts";

const prefix = "/hetzner/v1";

/** The text at a path; undefined: there is none. Pure. */
export function metadataAt(cloud: Cloud, server: Server, path: string): string | undefined {
  const summary = {
    "availability-zone": cloud.catalogue.datacenterOf(server.location).name,
    hostname: server.name,
    "instance-id": server.id,
    "public-ipv4": publicAddress(cloud, server.id) ?? "",
    region: cloud.catalogue.zoneOf(server.location),
  };
  const values: Readonly<Record<string, string>> = {
    ...Object.fromEntries(
      Object.entries(summary).map(([name, value]) => [`${prefix}/metadata/${name}`, String(value)]),
    ),
    [`${prefix}/metadata`]: stringify(summary),
    [`${prefix}/metadata/private-networks`]: stringify(privateNetworks(cloud, server)),
    [`${prefix}/userdata`]: server.userData,
  };
  return Object.hasOwn(values, path) ? values[path] : undefined;
}

const privateNetworks = (cloud: Cloud, server: Server) =>
  server.networks.map(({ network: id, ip, aliasIps }, index) => {
    const { name, range, subnets } = cloud.require("hetzner.network", id);
    return {
      ip,
      alias_ips: aliasIps,
      interface_num: index + 1,
      mac_address: macOf(server.id, id),
      network_id: id,
      network_name: name,
      network: range,
      subnet: subnets.find((one) => isHostOf(one.range, ip))?.range ?? range,
      gateway: gatewayOf(range),
    };
  });

export interface MetadataOptions {
  readonly cloud: Cloud;
  /** The server behind the address that a request comes from. */
  readonly serverAt: (address: string) => Server | undefined;
  readonly host: string;
  /** @default 80 */
  readonly port?: number;
}

export class MetadataService {
  readonly #options: MetadataOptions;
  readonly #server: HttpServer;

  constructor(options: MetadataOptions) {
    this.#options = options;
    this.#server = createServer(({ method, url = "", socket }, response) => {
      const server = options.serverAt(socket.remoteAddress ?? "");
      const [path = ""] = url.split("?");
      const text = method === "GET" && server ? metadataAt(options.cloud, server, path.replace(/\/$/, "")) : undefined;
      response.writeHead(text === undefined ? 404 : 200, { "content-type": "text/plain; charset=utf-8" });
      response.end(text ?? "not found\n");
    });
  }

  async start(): Promise<void> {
    const { host, port = 80 } = this.#options;
    this.#server.listen(port, host);
    await once(this.#server, "listening");
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((done) => this.#server.close(done));
  }
}
