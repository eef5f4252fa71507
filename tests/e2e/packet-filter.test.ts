/**
 * The packet filter of a server on a real kernel: network namespaces play the server, its containers, a neighbour in the private
 * network and a visitor. Docker's own rules are left out but for the published ports, so that what is dropped here is dropped by
 * this filter alone.
 */
import { spawn, spawnSync } from "node:child_process";
import { edgeInterface, firewallScript } from "../../components/fleet/packet-filter.ts";
import { plan } from "../../topology/plan.ts";
import { settingsOf } from "../unit/support/settings.ts";

const id = `of${process.pid % 100_000}`;
const space = (name: string): string => `${id}-${name}`;
const names = ["server", "database", "edge", "app", "neighbour", "worker", "visitor"] as const;
type Name = (typeof names)[number];
const listeners: ReturnType<typeof spawn>[] = [];

function run(name: Name, program: string, args: readonly string[], input = ""): { code: number; output: string } {
  const words = ["netns", "exec", space(name), program, ...args];
  const { status, stdout, stderr } = spawnSync("ip", words, { input, encoding: "utf8" });
  return { code: status ?? 1, output: stdout + stderr };
}

function must(name: Name, script: string): string {
  const { code, output } = run(name, "sh", ["-eu"], script);
  if (code !== 0) throw new Error(`${name}: ${output}`);
  return output;
}

/** A pair of interfaces between two of the machines; with a bridge at the server for a container. */
function link(
  name: Name,
  inside: string,
  at: string,
  address: string,
  bridge?: { name: string; address: string },
): void {
  const joined = spawnSync(
    "ip",
    ["link", "add", inside, "netns", space(name), "type", "veth", "peer", "name", at, "netns", space("server")],
    { encoding: "utf8" },
  );
  if (joined.status !== 0) throw new Error(joined.stderr);
  must(name, `ip address add ${address} dev ${inside}; ip link set ${inside} up; ip link set lo up`);
  if (!bridge) return;
  must(
    "server",
    `ip link show ${bridge.name} >/dev/null 2>&1 || { ip link add ${bridge.name} type bridge
    ip address add ${bridge.address} dev ${bridge.name}; ip link set ${bridge.name} up; }
    ip link set ${at} master ${bridge.name} up`,
  );
}

/** Listens on ports of a machine. */
async function listen(name: Name, ...ports: number[]): Promise<void> {
  const code = `for (const port of [${ports.join(",")}]) require("net").createServer((s) => s.on("error", () => {}).end("hello")).listen(port, "0.0.0.0", () => console.log(port))`;
  const child = spawn("ip", ["netns", "exec", space(name), process.execPath, "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  listeners.push(child);
  let seen = 0;
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (text: Buffer) => {
      seen += text.toString().split("\n").length - 1;
      if (seen >= ports.length) resolve();
    });
  });
}

/** Which of the targets a machine gets an answer from. */
function reached(from: Name, ...targets: string[]): string[] {
  const tries = targets.map((target) => {
    const [host = "", port = ""] = target.split(":");
    return `(timeout 3 bash -c 'exec 3<>/dev/tcp/${host}/${port} && read -r -t 2 hello <&3; [ "$hello" = hello ]' 2>/dev/null && echo ${target}) &`;
  });
  return run(from, "bash", [], `${tries.join("\n")}\nwait\n`)
    .output.split("\n")
    .filter((line) => line.includes(":"))
    .sort();
}

const topology = plan("prod", settingsOf("scale"));
const [core] = topology.servers;
const filter = core && {
  server: core,
  peers: [{ from: "10.20.1.101-10.20.1.130", port: 5432 }],
  published: [
    { address: "10.20.1.11", port: 5432, containerPort: 5432 },
    { address: "0.0.0.0", port: 443, containerPort: 8443 },
  ],
};
const script = filter ? firewallScript(filter) : "";

const docker = `sysctl -qw net.ipv4.ip_forward=1
ip link set lo up
iptables -t nat -N DOCKER
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A DOCKER -d 10.20.1.11 -p tcp --dport 5432 ! -i br-data -j DNAT --to 172.18.0.2:5432
iptables -t nat -A DOCKER -p tcp --dport 443 ! -i ${edgeInterface} -j DNAT --to 172.19.0.2:8443
iptables -t nat -A POSTROUTING -s 172.18.0.0/16 ! -o br-data -j MASQUERADE
# Docker's separation of its networks.
iptables -N DOCKER-USER
iptables -A FORWARD -j DOCKER-USER
iptables -A FORWARD -i br-data -o ${edgeInterface} -j DROP
iptables -A FORWARD -i ${edgeInterface} -o br-data -j DROP`;

beforeAll(async () => {
  for (const name of names) {
    const made = spawnSync("ip", ["netns", "add", space(name)], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(made.stderr);
  }
  const data = { name: "br-data", address: "172.18.0.1/16" };
  const edges = { name: edgeInterface, address: "172.19.0.1/16" };
  const privately = { name: "ens10", address: "10.20.1.11/16" };
  link("database", "eth0", "v1", "172.18.0.2/16", data);
  link("app", "eth0", "v2", "172.18.0.3/16", data);
  link("app", "eth1", "v3", "172.19.0.3/16", edges);
  link("edge", "eth0", "v4", "172.19.0.2/16", edges);
  link("neighbour", "eth0", "v5", "10.20.1.2/16", privately);
  link("worker", "eth0", "v6", "10.20.1.101/16", privately);
  link("visitor", "eth0", "eth0", "203.0.113.1/24");
  must(
    "server",
    `ip address add 203.0.113.9/24 dev eth0; ip link set eth0 up; ip address add 169.254.169.254/32 dev lo\n${docker}`,
  );
  must("database", "ip route add default via 172.18.0.1");
  must("app", "ip route add default via 172.18.0.1");
  must("edge", "ip route add default via 172.19.0.1");
  must("visitor", "ip route add 172.16.0.0/12 via 203.0.113.9; ip route add 10.20.0.0/16 via 203.0.113.9");
  for (const name of ["neighbour", "worker"] as const) {
    must(name, "ip route add 172.16.0.0/12 via 10.20.1.11; ip route add 203.0.113.9/32 via 10.20.1.11");
  }
  await Promise.all([listen("server", 22, 80), listen("database", 5432), listen("edge", 8443), listen("app", 8000)]);
});
afterAll(() => {
  for (const child of listeners) child.kill();
  for (const name of names) spawnSync("ip", ["netns", "del", space(name)]);
});

/** What can be tried from anywhere: services of containers and of the server, at each of the server's addresses. */
const everything = [
  ...["172.18.0.2:5432", "172.19.0.2:8443", "172.18.0.3:8000", "172.18.0.1:22", "172.19.0.1:22", "172.19.0.1:443"],
  ...["10.20.1.11:22", "10.20.1.11:443", "10.20.1.11:5432", "10.20.1.11:80", "203.0.113.9:22", "203.0.113.9:443"],
  "169.254.169.254:80",
];

test("without the filter a neighbour with a route reaches containers and sshd: this test can fail", () => {
  expect(reached("neighbour", ...everything)).toEqual(
    expect.arrayContaining(["172.18.0.2:5432", "172.18.0.1:22", "10.20.1.11:22"]),
  );
});

describe("with the filter", () => {
  beforeAll(() => {
    // What the version before has installed is taken over.
    must(
      "server",
      `iptables -N ORION-PRIVATE
iptables -I DOCKER-USER 1 -s 10.20.0.0/16 -m conntrack --ctstate NEW --ctorigdst 10.20.1.11 -j ORION-PRIVATE
iptables -I INPUT 1 -s 10.20.0.0/16 -m conntrack --ctstate NEW --ctorigdst 10.20.1.11 -j ORION-PRIVATE`,
    );
    must("server", script);
  });

  test("a neighbour reaches nothing, whatever routes it has", () => {
    expect(reached("neighbour", ...everything)).toEqual([]);
  });

  test("a server that the plan admits reaches the port that it is admitted to", () => {
    expect(reached("worker", ...everything)).toEqual(["10.20.1.11:5432"]);
  });

  test("a visitor reaches what is published publicly, and sshd; Hetzner's firewall is in front of both", () => {
    expect(reached("visitor", ...everything)).toEqual(["203.0.113.9:22", "203.0.113.9:443"]);
  });

  test("nginx reaches the apps, and neither the database, nor the server, nor its metadata", () => {
    expect(reached("edge", "172.19.0.3:8000", ...everything)).toEqual(["172.19.0.2:8443", "172.19.0.3:8000"]);
  });

  test("an app reaches the database, what is published, and not the server's own services", () => {
    expect(reached("app", ...everything)).toEqual([
      ...["10.20.1.11:443", "172.18.0.2:5432", "172.18.0.3:8000", "172.19.0.2:8443"],
      "203.0.113.9:443",
    ]);
  });

  test("of the server's users, only root asks for its metadata", () => {
    const ask = "exec 3<>/dev/tcp/169.254.169.254/80";
    expect(run("server", "timeout", ["1", "bash", "-c", ask]).code).toBe(0);
    expect(run("server", "setpriv", ["--reuid", "65534", "timeout", "1", "bash", "-c", ask]).code).not.toBe(0);
  });

  test("nothing is left of the rules before, and running it again changes nothing", () => {
    const rules = () => must("server", "iptables -S; iptables -t mangle -S; ip6tables -S 2>/dev/null || true");
    const first = rules();
    expect(first).not.toContain("ORION-PRIVATE");
    must("server", script);
    expect(rules()).toBe(first);
  });

  test("while the rules are replaced, a neighbour gets no packet through", async () => {
    const again = spawn("ip", [
      "netns",
      "exec",
      space("server"),
      "sh",
      "-c",
      `for n in 1 2 3 4 5 6 7 8 9 10; do sh -eu <<'AGAIN'\n${script}\nAGAIN\ndone`,
    ]);
    const ended = new Promise((resolve) => again.on("close", resolve));
    const flood = `end=$((SECONDS + 3)); while [ $SECONDS -lt $end ]; do timeout 0.05 bash -c 'exec 3<>/dev/tcp/172.18.0.2/5432' 2>/dev/null && echo through; done; true`;
    expect(run("neighbour", "bash", [], flood).output).toBe("");
    await ended;
  });
});
