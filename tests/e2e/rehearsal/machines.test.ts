/** The rehearsal cloud with real machines: what servers, networks, firewalls, Volumes and load balancers do. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AwsClient } from "aws4fetch";
import { readHostKeys } from "../../../common/known-hosts.ts";
import { readyScript } from "../../../common/power-off-script.ts";
import { must, tryRun } from "../../../common/process.ts";
import { dataMount } from "../../../common/server-contract.ts";
import { quoted } from "../../../common/shell.ts";
import { sshOptions } from "../../../common/ssh.ts";
import { userData as userDataOf } from "../../../components/fleet/cloud-init.ts";
import { sshdConfig, sshdConfigFile } from "../../../components/fleet/sshd-config.ts";
import { growthScript } from "../../../components/fleet/volume-growth.ts";
import { waitForHost } from "../../../plugin/host-ready.ts";
import { giveAccess } from "../../../plugin/ssh-access.ts";
import { archiveScript } from "../../../testing/apt-archive.ts";
import { get, RehearsalCloud } from "../../../testing/cloud.ts";
import { eventually } from "../../../testing/eventually.ts";
import { temporaryFolder } from "../../../testing/folder.ts";
import { remainsOf } from "../../../testing/cloud-remains.ts";
import { docker, succeed } from "../../../testing/sandbox.ts";
import {
  answeringKinds,
  ownAddresses,
  reachedScript,
  surroundingKinds,
  Surroundings,
} from "../../../testing/surroundings.ts";
import { describeStack, parseStackText } from "../../../tools/stack-file.ts";
import { plan } from "../../../topology/plan.ts";
import { digestOf } from "../../../tools/outdated/registry-api.ts";
import { readStatus, statusScript, type ServerStatus } from "../../../tools/patch/server-status.ts";
import { startScript } from "../../../tools/patch/server-script.ts";

const root = resolve(__dirname, "..", "..", "..");
jest.setTimeout(300_000);

const own = { name: "e2e", block: 79 };
const cloud = new RehearsalCloud(root, { ...own, port: 8479, machines: "docker" });
const ids = { network: 0, firewall: 0, a: 0, b: 0, inner: 0, volume: 0, balancer: 0 };
const addresses = { a: "", b: "" };
const on = (name: "a" | "b", ...words: string[]): string => succeed(cloud.ssh(addresses[name], ...words)).trim();
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const power = (name: "a" | "b", command: string, body?: unknown) =>
  cloud.hetzner("POST", `/servers/${ids[name]}/actions/${command}`, body);
const statusOf = async (name: string) => (await cloud.status()).servers.find((one) => one.name === name)?.status;

/** A web server that says the host's name, and answers the PROXY protocol's opening line when it comes. */
const web = `
import http.server, os, socket
class Handler(http.server.BaseHTTPRequestHandler):
    def handle(self):
        line = self.rfile.peek(6)[:6]
        self.proxy = self.rfile.readline().decode().strip() if line == b"PROXY " else ""
        super().handle()
    def do_GET(self):
        text = socket.gethostname() + " " + self.headers.get("X-Forwarded-For", "-") + " " + self.proxy
        self.send_response(200 if not os.path.exists("/root/unwell") else 503)
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
`;
const userData = `#cloud-config
write_files:
- path: /root/web.py
  encoding: b64
  content: ${Buffer.from(web).toString("base64")}
- path: /etc/systemd/system/web.service
  content: |
    [Service]
    ExecStart=/usr/bin/python3 /root/web.py
    [Install]
    WantedBy=multi-user.target
runcmd:
- systemctl enable --now web
- echo ran >> /root/ran
`;
const rule = (port: string) => ({ direction: "in", protocol: "tcp", port, source_ips: ["0.0.0.0/0"] });

beforeAll(async () => {
  cloud.up();
  await cloud.make("/ssh_keys", "ssh_key", { name: "key", public_key: cloud.publicKey });
  ids.network = await cloud.make("/networks", "network", {
    name: "net",
    ip_range: "10.20.0.0/16",
    subnets: [{ type: "cloud", network_zone: "eu-central", ip_range: "10.20.1.0/24" }],
  });
  ids.firewall = await cloud.make("/firewalls", "firewall", { name: "fire", rules: [rule("22")] });
  const server = (name: string, rest: object) =>
    cloud.make("/servers", "server", {
      ...{ name, server_type: "cx23", image: "debian-12", ssh_keys: ["key"], networks: [ids.network] },
      ...{ user_data: userData, labels: { role: "web" }, ...rest },
    });
  const firewalls = [{ firewall: ids.firewall }];
  [ids.a, ids.b, ids.inner] = await Promise.all([
    server("a", { firewalls }),
    server("b", { firewalls }),
    server("inner", { public_net: { enable_ipv4: false, enable_ipv6: false }, labels: {} }),
  ]);
  addresses.a = await cloud.address("a");
  addresses.b = await cloud.address("b");
  await Promise.all([cloud.booted(addresses.a), cloud.booted(addresses.b)]);
  await eventually(() => {
    expect(on("a", "cat", "/root/ran")).toBe("ran");
  });
});

afterAll(() => {
  cloud.dispose();
});

describe("a server", () => {
  test("runs its user_data once, has its name, its size and a Docker Engine", () => {
    expect(on("a", "hostname")).toBe("a");
    expect(on("a", "cloud-init", "status")).toBe("status: done");
    expect(on("a", "systemctl", "is-system-running", "--wait")).toBe("running");
    expect(docker("inspect", "--format", "{{.HostConfig.Memory}}", `orion-cloud-e2e-server-${ids.a}`)).toEqual([
      String(4 * 2 ** 30),
    ]);
    expect(on("a", "docker", "info", "--format", "{{.Driver}}")).toBe("overlay2");
  });

  test("pulls images under their production names from the cloud's registry, and runs them", async () => {
    await cloud.deliver("redis:7-bookworm");
    const run = "docker run --detach --name redis --publish 6379:6379 --memory 128m redis:7-bookworm";
    on("a", run);
    await eventually(() => {
      expect(on("a", "docker exec redis redis-cli ping")).toBe("PONG");
    });
    on("a", "docker rm --force redis");
  });

  test("pulls by digest, the one that the registry names to this machine", async () => {
    const reference = `${String((await cloud.status()).registry)}/library/redis:7-bookworm`;
    const digest = await digestOf(reference);
    expect(on("a", "docker image inspect --format '{{index .RepoDigests 0}}' redis:7-bookworm")).toBe(
      `redis@${digest}`,
    );
    on("a", "docker rmi redis:7-bookworm");
    expect(on("a", `docker run --rm redis:7-bookworm@${digest} redis-server --version`)).toContain("v=7.");
    const other = `redis:7-bookworm@sha256:${"0".repeat(64)}`;
    expect(cloud.ssh(addresses.a, `docker pull ${other}`)).toMatchObject({ code: 1 });
    on("a", "docker pull --quiet redis:7-bookworm");
  });

  test("pulls from any other registry by its name, too", async () => {
    const reference = "registry.example.com/orion/app:1.0.0";
    expect(cloud.ssh(addresses.a, "docker", "pull", reference).output).toContain("no such host");
    const { status } = await cloud.call("POST", "/rehearsal/images", { image: "redis:7-bookworm", reference });
    expect(status).toBe(201);
    expect(on("a", `docker run --rm ${reference} redis-server --version`)).toContain("v=7.");
    on("a", `docker image rm ${reference}`);
  });

  test("finds the cloud's names and no others, and so do its containers, on a network of their own, too", () => {
    const lookUp = "for name in registry.example.com deb.debian.org; do getent ahostsv4 $name || echo none; done";
    const container = `docker run --rm --network probe redis:7-bookworm sh -c '${lookUp}'`;
    on("a", "docker network create probe");
    for (const found of [on("a", lookUp), on("a", container)]) {
      expect(found).toMatch(/^10\.\d+\.255\.2 +STREAM registry\.example\.com\n(10.*\n)*none$/);
    }
  });

  test("reaches nothing outside this machine, not even by its address", () => {
    // Where this machine has no way to the Internet, there is nothing to tell apart.
    const attempt = "timeout 3 bash -c 'exec 3<>/dev/tcp/1.1.1.1/443' 2>/dev/null && echo open || echo closed";
    expect(on("a", attempt)).toBe("closed");
    // What is on this machine and in the cloud is reached all the same.
    expect(on("a", "bash -c 'exec 3<>/dev/tcp/registry.example.com/80' && echo open")).toBe("open");
  });

  describe("has no way to what is on and around this machine", () => {
    const around = new Surroundings(own.block);
    let places: Awaited<ReturnType<typeof around.start>>;
    const registry = `10.${own.block}.255.2/80`;
    const reached = { server: [""], container: [""] };
    const lines = (text: string): string[] => text.trim().split("\n").sort();

    beforeAll(async () => {
      places = await around.start();
      // One that is reached, so that a script which does nothing is noticed.
      const script = quoted(reachedScript([...Object.values(places).flat(), registry]));
      const inContainer = "docker run --rm --network probe redis:7-bookworm bash -c";
      reached.server = lines(on("a", `bash -c ${script}`));
      reached.container = lines(on("a", `${inContainer} ${script}`));
    });
    afterAll(() => {
      around.stop();
    });

    test.each(answeringKinds)("of which this test has something that answers: %s", async (kind) => {
      // This machine's packets to the servers' bridges pass the servers' firewalls.
      const reachable = places[kind].filter((place) => !place.startsWith(`10.${own.block}.`));
      const answered = lines(await must("bash", ["-c", reachedScript(reachable)]));
      // Another cloud of this machine may have been deleted meanwhile.
      const still = new Set(ownAddresses());
      const isGone = (place: string) => kind === answeringKinds[0] && !still.has(place.replace(/\/.*/, ""));
      const expected = reachable.filter((place) => answered.includes(place) || !isGone(place)).sort();
      expect(expected).not.toEqual([]);
      expect(answered).toEqual(expected);
    });

    test.each(surroundingKinds)("%s", (kind) => {
      for (const found of [reached.server, reached.container]) {
        expect(found).toContain(registry);
        expect(found.filter((place) => places[kind].includes(place))).toEqual([]);
      }
    });

    test("this machine over IPv6, for which it has no packet filter", async () => {
      const addresses = (await must("ip", ["-6", "-oneline", "address"])).split("\n");
      expect(addresses.filter((line) => line.includes(` oc${own.block}`))).toEqual([]);
    });
  });

  test("reads its metadata where Hetzner's servers do, and no other server's", () => {
    const ask = (path: string) => `curl -s -m 5 http://169.254.169.254/hetzner/v1/${path}`;
    expect(on("a", ask("metadata/instance-id"))).toBe(String(ids.a));
    expect(on("b", ask("metadata/hostname"))).toBe("b");
    expect(on("a", ask("metadata/public-ipv4"))).toBe(addresses.a);
    expect(on("a", ask("userdata"))).toBe(userData.trim());
    expect(on("a", `${ask("metadata/nothing")} -o /dev/null -w '%{http_code}'`)).toBe("404");
  });

  test("reads and writes objects over TLS at the address of the account, as do containers, which trust what it trusts", async () => {
    await cloud.bucket("files");
    const host = `${cloud.settings.accountId}.r2.cloudflarestorage.com`;
    const signed = async (method: string, path: string) => {
      const client = new AwsClient({ ...(await cloud.accessKey("files")), service: "s3", region: "auto" });
      const url = `https://${host}${path}`;
      return new URL((await client.sign(url, { method, aws: { signQuery: true } })).url);
    };
    const put = await signed("PUT", "/files/greeting");
    expect(on("a", `curl -sf -X PUT --data-binary hello '${put.href}' && echo stored`)).toBe("stored");
    const { pathname, search } = await signed("GET", "/files/greeting");
    // Whoever changes what was signed gets nothing.
    expect(on("a", `curl -s -o /dev/null -w '%{http_code}' 'https://${host}/files/other${search}'`)).toBe("403");
    const request = `GET ${pathname}${search} HTTP/1.1\\r\\nHost: ${host}\\r\\nConnection: close\\r\\n\\r\\n`;
    const reader = `openssl s_client -quiet -verify_return_error -servername ${host} -connect ${host}:443 2>&1`;
    const script = base64(`printf "${request.replaceAll("%", "%%")}" | ${reader}`);
    const read = (command: string) => on("a", `docker ${command} sh -c "$(echo ${script} | base64 -d)" || true`);
    expect(read("run --rm --network probe redis:7-bookworm")).toMatch(/ 200 OK[^]*hello$/);
    // One that says itself what it trusts, trusts nothing else.
    const none = "run --rm --network probe --env SSL_CERT_FILE=/dev/null redis:7-bookworm";
    expect(read(none)).toMatch(/verify error|certificate verify failed/);
    on("a", "docker run --detach --name reader --network probe --read-only redis:7-bookworm sleep 300");
    expect(read("exec reader")).toMatch(/ 200 OK[^]*hello$/);
    const bundles = on(
      "a",
      "docker exec reader sh -c 'cmp $REQUESTS_CA_BUNDLE /etc/ssl/certs/ca-certificates.crt && echo same'",
    );
    expect(bundles).toBe("same");
    on("a", "docker rm --force reader");
  });

  test("lets in what a firewall opens, and nothing else", async () => {
    expect(await get(addresses.a, 8080)).toBeUndefined();
    await cloud.hetzner("POST", `/firewalls/${ids.firewall}/actions/set_rules`, {
      rules: [rule("22"), rule("8000-8100")],
    });
    await eventually(async () => {
      expect(await get(addresses.a, 8080)).toMatch(/^a /);
    });
    await cloud.hetzner("POST", `/firewalls/${ids.firewall}/actions/set_rules`, {
      rules: [rule("22"), { ...rule("8080"), source_ips: ["198.51.100.7/32"] }],
    });
    expect(await get(addresses.a, 8080)).toBeUndefined();
    await cloud.hetzner("POST", `/firewalls/${ids.firewall}/actions/set_rules`, { rules: [rule("22"), rule("8080")] });
  });

  test("reaches the others in its private network, which this machine does not", async () => {
    const { servers } = await cloud.status();
    const [inner = ""] = servers.find(({ name }) => name === "inner")?.private ?? [];
    expect(inner).toMatch(/^10\.20\.1\./);
    expect(on("a", "ping", "-c", "1", "-W", "2", inner)).toContain("1 received");
    expect(on("a", "curl", "-s", "-m", "2", `http://${inner}:8080/`)).toMatch(/^inner/);
    expect((await get(inner, 8080)) ?? "").not.toContain("inner");
    expect(succeed(cloud.sshThrough(addresses.a, inner, "hostname")).trim()).toBe("inner");
    // Without a public address there is no way out.
    expect(cloud.sshThrough(addresses.a, inner, "ip route show default").output.trim()).toBe("");
  });

  test("answers at alias addresses", async () => {
    await cloud.hetzner("POST", `/servers/${ids.b}/actions/change_alias_ips`, {
      network: ids.network,
      alias_ips: ["10.20.1.200"],
    });
    expect(on("a", "ping", "-c", "1", "-W", "2", "10.20.1.200")).toContain("1 received");
  });
});

describe("a patch of a server's packages", () => {
  const feed = (script: string): string => succeed(cloud.feed(addresses.b, script, "sh", "-s"));
  const serverStatus = (): ServerStatus => readStatus(feed(statusScript));
  const container = (): string =>
    on("b", "docker", "inspect", "--format", "'{{.State.Pid}} {{.State.StartedAt}}'", "kept");
  const start = (drainsFirst: boolean): void => {
    feed(startScript({ stack: "prod", drainsFirst, reboots: false }));
  };

  beforeAll(async () => {
    on("b", `echo '{"live-restore":true}' > /etc/docker/daemon.json && systemctl restart docker`);
    await cloud.deliver("redis:7-bookworm");
    on("b", "docker network create stack");
    on(
      "b",
      "docker run --detach --name kept --restart unless-stopped --network stack --label app=orion --label stack=prod redis:7-bookworm redis-server --appendonly yes",
    );
    // What uses it, as a worker uses its gateway: it needs some seconds to end, and the other until then.
    const ends = "trap 'sleep 4; redis-cli -h kept incr completed; exit' TERM; while :; do sleep 1; done";
    on(
      "b",
      `docker run --detach --name user --restart unless-stopped --network stack --label app=orion --label stack=prod --label role=worker redis:7-bookworm sh -c ${quoted(ends)}`,
    );
  });

  test("Docker itself included: its containers run on", async () => {
    const repacked = { "docker.io": "99.0", containerd: "99.0" };
    feed(archiveScript({ probes: [{ version: "1.0" }, { version: "2.0" }], repacked }));
    expect(
      serverStatus()
        .packages.map(({ name, to }) => `${name} ${to}`)
        .sort(),
    ).toEqual([...["containerd 99.0", "docker.io 99.0", "orion-probe 2.0"]]);
    const before = container();
    const engine = on("b", "systemctl show --value --property=MainPID docker");
    start(false);
    await eventually(() => {
      expect(serverStatus().step).toEqual({ name: "done", detail: "" });
    }, 120);
    expect(container()).toBe(before);
    expect(serverStatus()).toMatchObject({ packages: [], isDockerReplaced: false, isPatching: false });
    expect(serverStatus().patched).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(on("b", "systemctl show --value --property=MainPID docker")).not.toBe(engine);
  });

  test("one that asks for a reboot: containers are stopped before, and started after it", async () => {
    const whenInstalled = "docker ps >/dev/null 2>&1 && touch /root/not-drained; touch /run/reboot-required";
    feed(archiveScript({ probes: [{ version: "2.0" }, { version: "3.0", whenInstalled }] }));
    const { boot } = serverStatus();
    start(true);
    await eventually(() => {
      const seen = serverStatus();
      expect([seen.step?.name, seen.boot !== boot, seen.rebootAskedBy]).toEqual(["rebooting", true, undefined]);
    }, 120);
    await eventually(() => {
      expect(on("b", "docker exec kept redis-cli ping")).toBe("PONG");
    });
    expect(cloud.ssh(addresses.b, "ls", "/root/not-drained").code).not.toBe(0);
    expect(on("b", "docker exec kept redis-cli get completed")).toBe("1");
    expect(cloud.feed(addresses.b, readyScript("prod", undefined), "sh", "-s").output).toMatch(/^kept: Up|^user: Up/);
    const policies = on(
      "b",
      "docker inspect --format '{{.State.Running}} {{.HostConfig.RestartPolicy.Name}}' kept user",
    );
    expect(policies.split("\n")).toEqual(["true unless-stopped", "true unless-stopped"]);
    expect(on("b", "docker info --format '{{.LiveRestoreEnabled}}'")).toBe("true");
  });

  test("one that cannot be installed: it is said, and containers that were stopped run again", async () => {
    feed(archiveScript({ probes: [{ version: "3.0" }, { version: "4.0", whenInstalled: "exit 1" }] }));
    start(true);
    await eventually(() => {
      expect(serverStatus().step).toEqual({ name: "failed", detail: "the packages could not be installed" });
    }, 120);
    expect(on("b", "docker exec kept redis-cli ping")).toBe("PONG");
    const state = "'{{.State.Running}} {{.HostConfig.RestartPolicy.Name}}'";
    expect(on("b", "docker", "inspect", "--format", state, "user")).toBe("true unless-stopped");
    feed(archiveScript({ probes: [{ version: "4.0" }, { version: "5.0" }] }));
    start(false);
    await eventually(() => {
      expect(serverStatus().step?.name).toBe("done");
    }, 120);
    on("b", "docker rm --force kept");
  });
});

describe("power", () => {
  test("off is off, on is on, and the disk stays", async () => {
    await power("b", "poweroff");
    expect(await statusOf("b")).toBe("off");
    expect(cloud.ssh(addresses.b, "true").code).not.toBe(0);
    await power("b", "poweron");
    await cloud.booted(addresses.b);
    expect(on("b", "cat", "/root/ran")).toBe("ran");
    expect(on("a", "ping", "-c", "1", "-W", "2", "10.20.1.200")).toContain("1 received");
  });

  test("a guest can reboot and shut itself down", async () => {
    const booted = on("b", "stat", "-c", "%Y", "/run/utmp");
    cloud.ssh(addresses.b, "systemctl", "reboot");
    await eventually(() => {
      expect(on("b", "stat", "-c", "%Y", "/run/utmp")).not.toBe(booted);
    });
    cloud.ssh(addresses.b, "systemctl", "poweroff");
    await eventually(async () => {
      expect(await statusOf("b")).toBe("off");
    });
    await power("b", "poweron");
    await cloud.booted(addresses.b);
  });

  test("shutdown, reboot and reset", async () => {
    on("b", "logger said before");
    await power("b", "shutdown");
    expect(await statusOf("b")).toBe("off");
    await power("b", "reboot");
    await cloud.booted(addresses.b);
    await power("b", "reset");
    await cloud.booted(addresses.b);
    expect(await statusOf("b")).toBe("running");
    expect(on("b", "journalctl --quiet --grep 'said before'")).toContain("said before");
  });

  test("another type changes the limits, and only of a server that is off", async () => {
    const change = { server_type: "cx33", upgrade_disk: false };
    await expect(power("b", "change_type", change)).rejects.toThrow("server_not_stopped");
    await power("b", "poweroff");
    await power("b", "change_type", change);
    // Like Hetzner's, it is powered on afterwards.
    expect(await statusOf("b")).toBe("running");
    await cloud.booted(addresses.b);
    expect(docker("inspect", "--format", "{{.HostConfig.Memory}}", `orion-cloud-e2e-server-${ids.b}`)).toEqual([
      String(8 * 2 ** 30),
    ]);
  });

  test("a rebuild begins with an empty disk and runs user_data again", async () => {
    on("b", "touch /root/old");
    await power("b", "rebuild", { image: "debian-12" });
    await cloud.booted(addresses.b);
    await eventually(() => {
      expect(on("b", "cat", "/root/ran")).toBe("ran");
    });
    expect(cloud.ssh(addresses.b, "ls", "/root/old").code).not.toBe(0);
  });
});

describe("a server whose first boot the program describes", () => {
  const folder = temporaryFolder("first-contact");
  const keyPair = (name: string) => {
    mkdirSync(folder, { recursive: true });
    succeed(run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(folder, name)));
    return { file: join(folder, name), text: readFileSync(join(folder, `${name}.pub`), "utf8").trim() };
  };
  const run = (program: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
    return { code: status ?? 1, output: stdout + stderr };
  };
  const [first, impostor, next] = [keyPair("first"), keyPair("impostor"), keyPair("next")];
  const publicOf = (key: { readonly text: string }) => key.text.split(" ").slice(0, 2).join(" ");
  let host: string;
  const options = (serverId: string, identityFile = cloud.key) => sshOptions({ folder, serverId, identityFile });
  // With connections of its own: a shared one has been admitted, whatever key the server shows now.
  const contact = (serverId: string, firstKey: string) =>
    waitForHost(
      {
        ...{ host, serverId, firstKey, timeoutSeconds: 90 },
        sshOptions: ["-o", "ControlPath=none", ...options(serverId)],
      },
      tryRun,
      undefined,
      () => sleep(50),
    );
  const access = (authorizedKeys: readonly string[], config = sshdConfig) =>
    giveAccess(
      { host, sshOptions: options("known"), authorizedKeys: [...authorizedKeys], configFile: sshdConfigFile, config },
      tryRun,
    );
  /**
   * With a connection of its own; of an option that is there twice ssh takes the first. sshd takes none while it loads its
   * settings, which says nothing about a key.
   */
  const loginWith = async (file: string) => {
    const words = ["-o", "ControlPath=none", ...options("known", file), "-o", "BatchMode=yes"];
    for (let tries = 0; ; tries++) {
      const { code, output } = run("ssh", ...words, host.slice("ssh://".length), "true");
      if (code === 0 || output.includes("Permission denied") || tries === 20) return code;
      await sleep(250);
    }
  };

  beforeAll(async () => {
    const server = plan(
      "prod",
      describeStack("prod", parseStackText("prod", readFileSync("Pulumi.prod.yaml", "utf8"))).settings,
    ).servers[0];
    if (!server) throw new Error("no server");
    const firstKey = { privateKey: readFileSync(first.file, "utf8"), publicKey: publicOf(first) };
    await cloud.make("/servers", "server", {
      ...{ name: "own", server_type: "cx23", image: "debian-12", ssh_keys: ["key"], networks: [ids.network] },
      user_data: userDataOf({ server, peers: [], published: [] }, firstKey),
    });
    host = `ssh://root@${await cloud.address("own")}`;
    await cloud.booted(await cloud.address("own"));
  });

  test("shows its one-time host key until the program has met it, and its own from then on", async () => {
    await expect(contact("deceived", publicOf(impostor))).rejects.toThrow("Nothing was sent to it");
    const own = await contact("known", publicOf(first));
    expect(own).not.toBe(publicOf(first));
    expect(readHostKeys(options("known"))).toEqual([own]);
    expect(run("ssh-keyscan", "-T", "5", new URL(host).hostname).output).toContain(own);
    // The key of the user data is worth nothing any more.
    await expect(contact("late", publicOf(first))).rejects.toThrow("Nothing was sent to it");
  });

  test("lets another key in and the old one out, but never the program itself", async () => {
    await access([cloud.publicKey, next.text]);
    expect([await loginWith(cloud.key), await loginWith(next.file)]).toEqual([0, 0]);
    await expect(access([next.text])).rejects.toThrow(
      "this machine could not log in, so the server has the old ones again",
    );
    expect([await loginWith(cloud.key), await loginWith(next.file)]).toEqual([0, 0]);
    await access([cloud.publicKey]);
    expect([await loginWith(cloud.key), await loginWith(next.file)]).toEqual([0, 255]);
  });

  test("keeps the settings of sshd that work", async () => {
    await expect(access([cloud.publicKey], "Nonsense yes\n")).rejects.toThrow("Bad configuration option: Nonsense");
    await expect(access([cloud.publicKey], "PubkeyAuthentication no\n")).rejects.toThrow("has the old ones again");
    const settings = run("ssh", ...options("known"), host.slice("ssh://".length), "sshd", "-T").output;
    for (const line of ["x11forwarding no", "allowagentforwarding no", "allowtcpforwarding local", "maxauthtries 4"])
      expect(settings).toContain(line);
    expect(settings).toMatch(/^permitrootlogin (prohibit-password|without-password)$/m);
  });
});

describe("a Volume", () => {
  const target = () => `/mnt/HC_Volume_${ids.volume}`;

  test("is mounted where Hetzner mounts it", async () => {
    ids.volume = await cloud.make("/volumes", "volume", {
      ...{ name: "data", size: 10, server: ids.a, automount: true, format: "ext4" },
    });
    expect(on("a", "findmnt", "-n", "-o", "FSTYPE", target())).toMatch(/^(ext4|xfs)$/);
    on("a", `echo kept > ${target()}/file && sync`);
  });

  test("keeps its files over a power loss, and is mounted at the next boot", async () => {
    await power("a", "reset");
    await cloud.booted(addresses.a);
    await eventually(() => {
      expect(on("a", "cat", `${target()}/file`)).toBe("kept");
    });
  });

  test("keeps its files from one server to another, and when it grows", async () => {
    await cloud.hetzner("POST", `/volumes/${ids.volume}/actions/detach`);
    expect(cloud.ssh(addresses.a, "mountpoint", target()).code).not.toBe(0);
    await cloud.hetzner("POST", `/volumes/${ids.volume}/actions/resize`, { size: 12 });
    await cloud.hetzner("POST", `/volumes/${ids.volume}/actions/attach`, { server: ids.b, automount: true });
    expect(on("b", "cat", `${target()}/file`)).toBe("kept");
    const grow = growthScript.replaceAll(dataMount, target()).replace("/etc/orion/volume", "/root/volume");
    on("b", `echo /dev/disk/by-id/scsi-0HC_Volume_${ids.volume} > /root/volume`);
    expect(on("b", `echo ${base64(grow)} | base64 -d | sh`)).toBe(`${12 * 2 ** 30} ${10 * 2 ** 30}`);
    // The program's own script, while a process has a file open.
    on("b", `(exec 3>${target()}/open; echo ${base64(grow)} | base64 -d | sh -s 12; echo more >&3)`);
    expect(on("b", `echo ${base64(grow)} | base64 -d | sh`)).toBe(`${12 * 2 ** 30} ${12 * 2 ** 30}`);
    expect(on("b", "cat", `${target()}/file`, `${target()}/open`)).toBe("kept\nmore");
    expect(
      cloud.ssh(addresses.b, `echo ${base64(grow)} | base64 -d | sed 's/-le 120/-le 2/' | sh -s 14`).output,
    ).toContain("the device of the Volume has 12884901888 bytes, which is less than 14 GB");
  });

  test("outlives its server", async () => {
    await cloud.hetzner("DELETE", `/servers/${ids.b}`);
    await cloud.hetzner("POST", `/volumes/${ids.volume}/actions/attach`, { server: ids.a, automount: true });
    expect(on("a", "cat", `${target()}/file`)).toBe("kept");
  });

  test("can be full, and have room again", async () => {
    const fault = await cloud.fault({ kind: "volume_full", volume: ids.volume, server: ids.a });
    expect(cloud.ssh(addresses.a, `dd if=/dev/zero of=${target()}/more bs=64k count=4`).output).toContain(
      "No space left",
    );
    await cloud.call("DELETE", `/rehearsal/faults/${fault}`);
    on("a", `dd if=/dev/zero of=${target()}/more bs=64k count=4`);
  });
});

describe("a load balancer", () => {
  const health = async () =>
    (await cloud.status()).balancers[0]?.targets.map(({ name, health: [first] }) => [name, first?.status]).sort();
  const allHealthy = (names: string[]) =>
    eventually(async () => {
      expect(await health()).toEqual(names.map((name) => [name, "healthy"]));
    });
  let address: string;

  beforeAll(async () => {
    ids.b = await cloud.make("/servers", "server", {
      ...{ name: "b", server_type: "cx23", image: "debian-12", ssh_keys: ["key"], networks: [ids.network] },
      ...{ user_data: userData, labels: { role: "web" }, firewalls: [{ firewall: ids.firewall }] },
    });
    addresses.b = await cloud.address("b");
    ids.balancer = await cloud.make("/load_balancers", "load_balancer", {
      ...{ name: "lb", load_balancer_type: "lb11", location: "fsn1", network: ids.network },
      targets: [{ type: "label_selector", label_selector: { selector: "role=web" }, use_private_ip: true }],
      services: [
        {
          ...{ protocol: "http", listen_port: 80, destination_port: 8080 },
          health_check: { protocol: "http", port: 8080, interval: 3, timeout: 2, retries: 1, http: { path: "/" } },
        },
      ],
    });
    address = (await cloud.status()).balancers[0]?.address ?? "";
    await allHealthy(["a", "b"]);
  });

  test("forwards to every healthy target", async () => {
    const seen = new Set<string | undefined>();
    for (let n = 0; n < 8; n++) seen.add((await get(address, 80))?.split(" ")[0]);
    expect(seen).toEqual(new Set(["a", "b"]));
    // Where the request came from is told.
    expect(await get(address, 80)).toMatch(/^\w \d+\.\d+\.\d+\.\d+/);
  });

  test("leaves out a target whose check fails, and takes it back", async () => {
    on("a", "touch /root/unwell");
    await eventually(async () => {
      expect(await health()).toEqual([
        ["a", "unhealthy"],
        ["b", "healthy"],
      ]);
    });
    for (let n = 0; n < 6; n++) expect(await get(address, 80)).toMatch(/^b /);
    on("a", "rm /root/unwell");
    await allHealthy(["a", "b"]);
  });

  test("loses no request while its targets change", async () => {
    let [failed, done, stopped] = [0, 0, false];
    const load = (async () => {
      while (!stopped) {
        if ((await get(address, 80)) === undefined) failed++;
        done++;
      }
    })();
    // However slow the machine is: requests are under way at every change, and some are answered after it.
    const answered = async (more: number) => {
      const enough = done + more;
      await eventually(() => {
        expect(done).toBeGreaterThanOrEqual(enough);
      });
    };
    await answered(2);
    await cloud.hetzner("PUT", `/servers/${ids.a}`, { labels: { role: "other" } });
    await allHealthy(["b"]);
    await answered(2);
    await cloud.hetzner("PUT", `/servers/${ids.a}`, { labels: { role: "web" } });
    await allHealthy(["a", "b"]);
    await answered(2);
    stopped = true;
    await load;
    expect(failed).toBe(0);
  });

  test("speaks TCP and the PROXY protocol", async () => {
    await cloud.hetzner("POST", `/load_balancers/${ids.balancer}/actions/add_service`, {
      ...{ protocol: "tcp", listen_port: 9000, destination_port: 8080, proxyprotocol: true },
      health_check: { protocol: "tcp", port: 8080, interval: 3, timeout: 2, retries: 1 },
    });
    await eventually(async () => {
      expect(await get(address, 9000)).toMatch(/^\w - PROXY TCP4 /);
    });
  });
});

describe("faults", () => {
  test("a partition between two servers, and only between them", async () => {
    const [innerAddress = ""] = (await cloud.status()).servers.find(({ name }) => name === "inner")?.private ?? [];
    const fault = await cloud.fault({ kind: "partition", servers: [ids.a, ids.inner] });
    expect(cloud.ssh(addresses.a, "ping", "-c", "1", "-W", "1", innerAddress).output).toContain("0 received");
    expect(on("b", "ping", "-c", "1", "-W", "2", innerAddress)).toContain("1 received");
    await cloud.call("DELETE", `/rehearsal/faults/${fault}`);
    expect(on("a", "ping", "-c", "1", "-W", "2", innerAddress)).toContain("1 received");
  });

  test("a killed machine is off, and a server that never boots does not answer", async () => {
    const fault = await cloud.fault({ kind: "never_boots", server: ids.b });
    await cloud.fault({ kind: "killed", server: ids.b });
    expect(await statusOf("b")).toBe("off");
    await power("b", "poweron");
    expect(await statusOf("b")).toBe("running");
    await expect(cloud.booted(addresses.b, 5)).rejects.toThrow("did not boot");
    await cloud.call("DELETE", `/rehearsal/faults/${fault}`);
    await power("b", "reset");
    await cloud.booted(addresses.b);
  });
});

describe("the emulator", () => {
  test("killed in the middle of an action, it ends the action when it is there again", async () => {
    const { body } = await cloud.call("POST", `/hetzner/v1/servers`, {
      ...{ name: "c", server_type: "cx23", image: "debian-12", ssh_keys: ["key"], networks: [ids.network] },
      firewalls: [{ firewall: ids.firewall }],
    });
    expect(body["server"]).toMatchObject({ name: "c", status: "initializing" });
    process.kill(cloud.pid, "SIGKILL");
    cloud.up();
    await cloud.booted(await cloud.address("c"));
    expect(await statusOf("c")).toBe("running");
    expect(on("a", "cat", `/mnt/HC_Volume_${ids.volume}/file`)).toBe("kept");
    await eventually(async () => {
      expect((await cloud.status()).balancers[0]?.targets).toHaveLength(2);
    });
  });

  test("another zone restarts the emulator, and its machines stay", async () => {
    const { pid } = cloud;
    const isOpen = `(exec 3<>/dev/tcp/${addresses.a}/22) 2>/dev/null`;
    const watch = spawn("bash", ["-c", `while :; do ${isOpen} || echo closed; sleep 0.05; done`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let seen = "";
    watch.stdout.on("data", (text: Buffer) => (seen += text.toString()));
    succeed(cloud.runMake("cloud-up", ["ZONES=example.com,other.example"]));
    watch.kill();
    await once(watch, "close");
    expect(seen).toBe("");
    expect(cloud.pid).not.toBe(pid);
    const { body } = await cloud.call("GET", "/client/v4/zones");
    expect([body["result"]].flat()).toMatchObject([{ name: "example.com" }, { name: "other.example" }]);
    expect(on("a", "cat", "/root/ran")).toBe("ran");
  });

  test.each([
    ["name", own.name, 80],
    ["address block", "e2eother", own.block],
  ])("a cloud of another folder with the same %s is not made", async (kind, name, block) => {
    const folder = temporaryFolder("another-folder");
    const choices = ["--folder", folder, "--block", String(block), "--port", "0"];
    const { code, output } = await tryRun("node", [
      join(root, "rehearsal/cloud/cli.ts"),
      "up",
      "--name",
      name,
      ...choices,
    ]);
    expect(output).toContain(
      `made in another folder. Choose another ${kind === "name" ? kind : "block"}, or delete that cloud`,
    );
    expect(code).toBe(1);
    expect(existsSync(join(folder, ".orion", "cloud", name))).toBe(false);
    expect(on("a", "cat", "/root/ran")).toBe("ran");
  });

  test("taken down, it leaves nothing behind", async () => {
    const before = remainsOf(own);
    expect(Object.keys(before).filter((kind) => before[kind]?.length === 0)).toEqual(["mounts"]);
    cloud.down();
    await eventually(() => {
      expect(Object.values(remainsOf(own)).flat()).toEqual([]);
    });
  });
});
