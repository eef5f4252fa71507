/** Fills a rehearsal cloud through its APIs, as tests and screenshots of the status page need it. */
import { isRecord } from "../common/record.ts";

export interface CloudAccess {
  /** `http://127.0.0.1:8470` */
  readonly base: string;
  readonly token: string;
}

type Body = Readonly<Record<string, unknown>>;
const clients = {
  pulumi: "hcloud-terraform/not build yet hcloud-go/2.47.0",
  node: "node",
  python: "hcloud-python/2.10.0",
  curl: "curl/8.14.1",
};

/** Calls the cloud as a client with this User-Agent. @returns the body of the answer */
export async function callAs(
  { base, token }: CloudAccess,
  agent: string,
  method: string,
  path: string,
  body?: Body,
): Promise<Body> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      "user-agent": agent,
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer: unknown = text === "" ? {} : JSON.parse(text);
  return isRecord(answer) ? answer : {};
}

/** A platform in phase scale, as the program names it: a network, seven servers, a load balancer, Volumes, records. */
export async function fillPlatform(cloud: CloudAccess): Promise<void> {
  const hetzner = async (path: string, body: Body): Promise<Body> => {
    const answer = await callAs(cloud, clients.pulumi, "POST", `/hetzner/v1${path}`, body);
    if (answer["error"] !== undefined) throw new Error(`${path}: ${JSON.stringify(answer["error"])}`);
    await settled(cloud, answer);
    return answer;
  };
  const idIn = (answer: Body, what: string): number => {
    const made = answer[what];
    if (!isRecord(made)) throw new Error(`no ${what} in ${JSON.stringify(answer)}`);
    return Number(made["id"]);
  };
  const name = (what: string): string => `orion-prod-${what}`;
  const network = idIn(
    await hetzner("/networks", {
      name: name("network"),
      ip_range: "10.20.0.0/16",
      subnets: [{ type: "cloud", network_zone: "eu-central", ip_range: "10.20.1.0/24" }],
    }),
    "network",
  );
  const servers = new Map<string, number>();
  for (const [what, location, type, address] of [
    ["core-1", "nbg1", "cx33", "10.20.1.11"],
    ["db-2", "hel1", "cx33", "10.20.1.22"],
    ["app-nbg1-1", "nbg1", "cx23", "10.20.1.31"],
    ["app-nbg1-2", "nbg1", "cx23", "10.20.1.32"],
    ["app-hel1-1", "hel1", "cx23", "10.20.1.51"],
    ["app-fsn1-1", "fsn1", "cx23", "10.20.1.71"],
    ["worker-nbg1-1", "nbg1", "cx33", "10.20.1.91"],
  ] as const) {
    const asked = {
      name: name(what),
      location,
      server_type: type,
      image: "debian-12",
      labels: { role: what.split("-")[0] },
    };
    const id = idIn(await hetzner("/servers", asked), "server");
    servers.set(what, id);
    await hetzner(`/servers/${id}/actions/attach_to_network`, { network, ip: address });
  }
  for (const [what, server, size] of [
    ["data-1", "core-1", 100],
    ["data-2", "db-2", 100],
  ] as const) {
    await hetzner("/volumes", { name: name(what), size, server: servers.get(server), format: "ext4" });
  }
  await hetzner("/volumes", { name: name("restored"), size: 50, location: "nbg1" });
  const port = (listen: number, destination: number) => ({
    ...{ protocol: "tcp", listen_port: listen, destination_port: destination, proxyprotocol: false },
    health_check: { protocol: "tcp", port: destination, interval: 15, timeout: 10, retries: 3 },
  });
  const balancer = idIn(
    await hetzner("/load_balancers", {
      ...{ name: name("edge"), load_balancer_type: "lb11", location: "nbg1", network },
      services: [port(80, 80), port(443, 443)],
    }),
    "load_balancer",
  );
  for (const what of ["app-nbg1-1", "app-nbg1-2", "app-hel1-1", "app-fsn1-1"]) {
    const target = { type: "server", server: { id: servers.get(what) }, use_private_ip: true };
    await hetzner(`/load_balancers/${balancer}/actions/add_target`, target);
  }
  const zones = (await callAs(cloud, clients.node, "GET", "/client/v4/zones"))["result"];
  const zone = Array.isArray(zones) && isRecord(zones[0]) ? String(zones[0]["id"]) : "";
  for (const record of [
    { type: "A", name: "orion.example.com", content: "203.0.113.10", proxied: true },
    { type: "CNAME", name: "files.example.com", content: "orion.example.com", proxied: true },
    { type: "MX", name: "example.com", content: "mail.example.net", priority: 10 },
  ]) {
    await callAs(cloud, clients.node, "POST", `/client/v4/zones/${zone}/dns_records`, record);
  }
}

/** Many servers in three locations, all targets of one load balancer. */
export async function fillMany(cloud: CloudAccess, count: number): Promise<void> {
  const locations = ["fsn1", "nbg1", "hel1"];
  for (let number = 1; number <= count; number++) {
    const location = locations[number % locations.length];
    const name = `app-${location}-${number}`;
    const asked = { name, location, server_type: "cx23", image: "debian-12", labels: { role: "app" } };
    await callAs(cloud, clients.pulumi, "POST", "/hetzner/v1/servers", asked);
  }
  await callAs(cloud, clients.pulumi, "POST", "/hetzner/v1/load_balancers", {
    ...{ name: "edge", load_balancer_type: "lb31", location: "fsn1" },
    targets: [{ type: "label_selector", label_selector: { selector: "role=app" } }],
    services: [{ protocol: "tcp", listen_port: 80, destination_port: 80 }],
  });
}

/** What goes wrong in a rehearsal: power cuts, an API that refuses, clients that ask for what does not exist. */
export async function disturb(cloud: CloudAccess): Promise<void> {
  const fault = (body: Body) => callAs(cloud, clients.curl, "POST", "/rehearsal/faults", body);
  const servers = (await callAs(cloud, clients.python, "GET", "/hetzner/v1/servers?per_page=50"))["servers"];
  const first = Array.isArray(servers) && isRecord(servers[2]) ? servers[2]["id"] : undefined;
  await fault({ kind: "killed", server: first });
  await fault({ kind: "reply", api: "hetzner", status: 429, path: "/volumes" });
  await fault({ kind: "sold_out", serverType: "cx33", locations: ["fsn1"] });
  await callAs(cloud, clients.pulumi, "GET", "/hetzner/v1/volumes");
  await callAs(cloud, clients.python, "GET", "/hetzner/v1/servers/987654");
  await callAs(cloud, clients.python, "GET", "/hetzner/v1/locations");
  await callAs(cloud, clients.curl, "GET", "/hetzner/v1/datacenters");
  await callAs(cloud, clients.pulumi, "POST", "/hetzner/v1/servers", {
    ...{ name: "more", server_type: "cx33", location: "fsn1", image: "debian-12" },
  });
}

/** Names that a page which does not escape them would take for HTML. */
export async function fillHostile(cloud: CloudAccess): Promise<void> {
  const evil = `<img src=x onerror="document.title='hurt'">`;
  await callAs(cloud, evil, "GET", `/hetzner/v1/servers/${encodeURIComponent(evil)}`);
  await callAs(cloud, `</script><script>document.title='hurt'</script>`, "GET", "/hetzner/v1/<b>");
  await callAs(cloud, clients.curl, "POST", "/hetzner/v1/volumes", { name: evil, size: 10, location: "fsn1" });
  await callAs(cloud, clients.curl, "POST", "/rehearsal/faults", {
    ...{ kind: "reply", api: "hetzner", status: 503, path: "/none", message: evil },
  });
}

/** Waits until the actions that an answer names have ended. */
async function settled(cloud: CloudAccess, { action, next_actions: next }: Body): Promise<void> {
  for (const one of [action, ...(Array.isArray(next) ? (next as unknown[]) : [])]) {
    if (!isRecord(one)) continue;
    for (let status = one["status"]; status === "running";) {
      const { action: now } = await callAs(cloud, clients.pulumi, "GET", `/hetzner/v1/actions/${String(one["id"])}`);
      status = isRecord(now) ? now["status"] : undefined;
    }
  }
}
