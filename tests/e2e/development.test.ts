/** The development stack as a user meets it: `make up` on this machine's Docker Engine, and everything after. */
import { spawnSync } from "node:child_process";
import { request } from "node:http";
import { createServer } from "node:net";
import { z } from "zod";
import { Client } from "../../testing/client.ts";
import { blocksFor, commandsOf, nameOf } from "../../testing/documented.ts";
import { definitionOf } from "../../topology/catalogue.ts";
import type { ServiceKind } from "../../topology/service.ts";
import { eventually } from "../../testing/eventually.ts";
import { docker, freePorts, Sandbox, succeed } from "../../testing/sandbox.ts";

jest.setTimeout(300_000);

/** Matchers as the text that they stand for: jest types them as any. */
const containing = (text: string): string => expect.stringContaining(text) as string;
const matching = (pattern: RegExp | string): string => expect.stringMatching(pattern) as string;

/** The status of the answer to a request with headers that `fetch` does not send; 101 for an upgrade. */
const statusOf = (url: string, headers: Readonly<Record<string, string>>): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const call = request(url, { headers, agent: false });
    call.on("upgrade", ({ statusCode }, socket) => {
      socket.destroy();
      resolve(statusCode);
    });
    call.on("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on("error", reject);
    call.end();
  });

let sandbox: Sandbox;
let edge: Client;

/** The name of a container, network or volume. */
const named = (name: string): string => `orion-${sandbox.stack}-${name}`;
const brokenImage = (): string => `orion/${sandbox.stack}-broken:1`;
const containers = (): string[] => docker("ps", "--filter", `label=stack=${sandbox.stack}`, "--format", "{{.Names}}");
const ready = () =>
  eventually(async () => {
    expect((await edge.get("/ready")).status).toBe(200);
  });

beforeAll(async () => {
  sandbox = new Sandbox(process.cwd(), "e2e", await freePorts());
  let token: string | undefined;
  edge = new Client(
    `http://127.0.0.1:${sandbox.ports.edge}`,
    () => (token ??= succeed(sandbox.pulumi("stack", "output", "taskApiToken", "--show-secrets")).trim()),
  );
});

afterAll(() => {
  sandbox.dispose();
});

describe("a new stack", () => {
  test("make preview shows what make up is going to make", () => {
    const output = succeed(sandbox.make("preview"));
    expect(output).toMatch(/\+ \d+ to create/);
    expect(sandbox.leftovers()).toEqual([]);
  });

  test("make up ends with the URLs of a working platform", async () => {
    const output = succeed(sandbox.make("up"));
    expect(output).toContain(`http://127.0.0.1:${sandbox.ports.edge}/`);
    expect(output).not.toContain("warning");
    expect(containers().sort()).toEqual(
      ["app-1", "beat", "cache", "database", "docs", "edge", "flower", "test-database", "worker"].map((name) =>
        named(name),
      ),
    );
    await ready();
  });

  test("every port is on loopback only", () => {
    const published = docker("ps", "--filter", `label=stack=${sandbox.stack}`, "--format", "{{.Ports}}")
      .join(" ")
      .match(/\S+(?=:\d+->)/g);
    expect(new Set(published)).toEqual(new Set(["127.0.0.1"]));
  });

  test("every container has the privileges, networks and number of processes of its kind, and no others", () => {
    const format =
      '{{index .Config.Labels "role"}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.CapAdd}} ' +
      "{{.HostConfig.PidsLimit}} {{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
    for (const line of docker("inspect", "--format", format, ...containers())) {
      const { capabilities, processes, networks } = definitionOf(line.split(" ")[0] as ServiceKind).confinement;
      const names = { data: named("network"), edge: named("network-edge") };
      const added = `[${capabilities.map((one) => `CAP_${one}`).join(" ")}]`;
      const role = line.split(" ")[0] ?? "";
      expect(line).toBe(`${role} true [ALL] ${added} ${processes} ${networks.map((one) => `${names[one]} `).join("")}`);
    }
  });

  test("nginx reaches the app alone, and Flower knows the broker alone", () => {
    const reached = docker(
      ...["exec", named("edge"), "bash", "-c"],
      `for at in app-1/8000 database/5432 cache/6379 flower/5555; do
         timeout 5 bash -c "exec 3<>/dev/tcp/$at" 2>/dev/null && echo "$at"; done; true`,
    );
    expect(reached).toEqual(["app-1/8000"]);
    const secrets = docker("exec", named("flower"), "env").flatMap((line) => /^(\w+)=\w+:\/\//.exec(line)?.[1] ?? []);
    expect(secrets.sort()).toEqual(["CELERY_BROKER_URL", "CELERY_RESULT_BACKEND"]);
  });

  test("the app is the instance and the version that was deployed", async () => {
    const [image = ""] = docker("inspect", "--format", "{{.Config.Image}}", named("app-1"));
    const [tags = ""] = docker("image", "inspect", "--format", "{{json .RepoTags}}", image);
    const health = z
      .object({ version: z.string(), instance: z.string() })
      .parse(await (await edge.get("/health")).json());
    expect(health.instance).toBe("app-1");
    expect(JSON.parse(tags)).toContain(`orion/sample-app:${health.version}`);
  });

  test("every queue has a worker that finishes its tasks", async () => {
    const feed = [{ sku: "e2e-1", name: "Lamp", price_cents: 100, stock: 1 }];
    expect(await edge.task("import_letzshop_products", { feed })).toEqual({ products: 1 });
    expect(await edge.task("send_password_reset", { email: "someone@example.com" })).toEqual({ sent: true });
    expect(await edge.task("generate_sales_report", {})).toMatchObject({ file_key: matching(/^sales-.*\.csv$/) });
    expect(await edge.task("cleanup_expired_sessions", {})).toEqual({ deleted: 0 });
  });

  test("strangers start no task, see no e-mail address, and no other site's page opens a WebSocket", async () => {
    const started = await edge.get("/tasks/send_password_reset", { method: "POST" });
    expect([started.status, await started.text()]).toEqual([401, '{"detail":"a valid bearer token is needed"}']);
    const { id } = await edge.order();
    expect(await (await edge.get(`/orders/${id}`)).json()).toMatchObject({ email: "s***@***" });
    const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
    const asked = (origin: string) =>
      statusOf(`http://127.0.0.1:${sandbox.ports.edge}/ws`, {
        ...upgrade,
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
        origin,
      });
    expect(await asked("https://evil.example")).toBe(403);
    expect(await asked(`http://127.0.0.1:${sandbox.ports.edge}`)).toBe(101);
  });

  test("orders go through the edge, and a worker finishes their tasks", async () => {
    for (let n = 0; n < 10; n++) await edge.order();
    await edge.settleLedger();
  });

  test("pages, uploads, sessions, flags, WebSockets, docs and Flower work", async () => {
    const page = await edge.get("/");
    expect([page.status, page.headers.get("x-frame-options")]).toEqual([200, "SAMEORIGIN"]);
    expect(await page.text()).toContain("<html");

    const key = await edge.upload("what was uploaded");
    const upload = await edge.get(`/uploads/${key}`);
    expect(await upload.text()).toBe("what was uploaded");
    // By the edge from the disk, and harmless.
    expect(upload.headers.get("x-instance")).toBeNull();
    expect(upload.headers.get("content-security-policy")).toBe("sandbox; default-src 'none'");

    const style = await edge.get("/static/style.css");
    expect([style.status, style.headers.get("cache-control")]).toEqual([200, "max-age=2592000, public, immutable"]);

    const login = await edge.get("/session", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user: "ada" }),
    });
    const cookie = (login.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    expect(await (await edge.get("/session", { headers: { cookie } })).json()).toMatchObject({ user: "ada" });

    expect(await (await edge.get("/flags/letzshop_import")).json()).toMatchObject({ enabled: true });

    expect(await edge.echo("hello")).toBe("hello");
    for (const port of [sandbox.ports.docs, sandbox.ports.flower]) {
      expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    }
  });

  test("a body over the limit is refused by the edge", async () => {
    const response = await edge.get("/uploads", { method: "POST", body: new Uint8Array(51 * 1024 * 1024) });
    expect(response.status).toBe(413);
  });

  test("a second make up and a refreshed preview change nothing", () => {
    const before = docker("ps", "--no-trunc", "--filter", `label=stack=${sandbox.stack}`, "--format", "{{.ID}}");
    const again = sandbox.make("up");
    expect(again.output).toMatch(/\d+ unchanged/);
    expect(again.output).not.toMatch(/\d+ (created|updated|replaced|deleted)/);
    expect(docker("ps", "--no-trunc", "--filter", `label=stack=${sandbox.stack}`, "--format", "{{.ID}}")).toEqual(
      before,
    );
    succeed(sandbox.pulumi("preview", "--expect-no-changes", "--refresh"));
  });
});

test("no secret is in the state, a diff, a log or a label", () => {
  const open = sandbox.pulumi("stack", "export", "--show-secrets").output;
  const passwords = [...open.matchAll(/"plaintext": ?"\\"([A-Za-z0-9]{32,48})\\""/g)].flatMap(
    ([, password]) => password ?? [],
  );
  expect(new Set(passwords).size).toBeGreaterThanOrEqual(4);

  // A change of the app's environment: its whole list is shown, connections among it.
  sandbox.configure({ app: { environment: { ROUND: "0" } } });
  const changes = sandbox.pulumi("preview", "--diff");
  sandbox.configure({});
  // As a list of texts it is masked as a whole, since some of them are secrets; as an object it is shown key by key.
  expect(changes.output).toMatch(/\+ ROUND +: /);

  const places = {
    state: sandbox.pulumi("stack", "export").output,
    diff: changes.output,
    outputs: sandbox.pulumi("stack", "output").output,
    labels: docker("inspect", "--format", "{{json .Config.Labels}} {{json .Config.Cmd}}", ...containers()).join("\n"),
    logs: containers()
      .map((name) => {
        const { stdout, stderr } = spawnSync("docker", ["logs", name], { encoding: "utf8" });
        return stdout + stderr;
      })
      .join("\n"),
  };
  for (const [place, text] of Object.entries(places)) {
    expect(text.length).toBeGreaterThan(100);
    expect({ place, found: passwords.filter((password) => text.includes(password)) }).toEqual({ place, found: [] });
  }
});

describe("the commands of the Makefile", () => {
  /** The commands of README and docs that were run. */
  const shown = new Set<string>();

  test("psql and redis-cli reach the data", () => {
    expect(succeed(sandbox.make("psql", {}, "SELECT count(*) > 0 FROM orders;\n"))).toMatch(/^ t$/m);
    expect(succeed(sandbox.make("redis-cli", {}, "PING\n")).trim()).toBe("PONG");
  });

  test("a shell runs in the service's container, from its work directory", () => {
    expect(succeed(sandbox.make("shell", { SERVICE: "app" }, "pwd; id -un\n"))).toBe("/app\norion\n");
  });

  test.each([
    ["logs", { SERVICE: "edge" }, /POST \/orders/],
    ["celery-status", {}, /worker@/],
    ["migrate-up", {}, /PostgresqlImpl|alembic/],
    ["init-prod", {}, /feature_flags: 0 added, 3 already there/],
    ["flower", {}, /http:\/\/127\.0\.0\.1:\d+/],
    ["doctor", {}, /All of 'e2e-\w+' is well/],
  ] as const)("make %s", (target, variables, expected) => {
    expect(succeed(sandbox.make(target, variables))).toMatch(expected);
  });

  test("make celery-purge asks, and does it when told so", () => {
    expect(sandbox.make("celery-purge")).toEqual({ code: 2, output: containing("YES=1") });
    succeed(sandbox.make("celery-purge", { YES: "1" }));
  });

  test.each(blocksFor("development").map((block) => [nameOf(block), block] as const))("%s", (_, block) => {
    // What several pages show runs once.
    const first = commandsOf(block).filter((command) => !shown.has(command));
    first.forEach((command) => shown.add(command));
    // The stack of this test instead of the usual one, and without a person who agrees.
    const commands = first.map((command) =>
      command.startsWith("make ")
        ? `${command} STACK=${sandbox.stack} --no-print-directory`
        : command.replace(/ -s dev\b/, ` -s ${sandbox.stack}`).replace(/^(npx pulumi (?:up|destroy)\b.*)/, "$1 --yes"),
    );
    succeed(sandbox.run("bash", ["-euo", "pipefail", "-c", commands.join("\n")]));
  });

  test("an unknown service is an error that lists the services", () => {
    expect(sandbox.make("logs", { SERVICE: "nonsense" }).output).toMatch(/no service 'nonsense'.*app-1.*edge/);
  });

  test("make doctor finds a stopped and a removed container, and what it says to do brings them back", () => {
    docker("stop", named("worker"));
    docker("rm", "--force", named("flower"));
    const { code, output } = sandbox.make("doctor");
    expect({ code, output }).toEqual({ code: 2, output: matching(/PROBLEM\s+worker [^]*PROBLEM\s+flower /) });
    const remedies = output.match(/make up STACK=e2e-\w+ REFRESH=1/g);
    expect(remedies).toHaveLength(2);
    succeed(sandbox.run("sh", ["-c", remedies?.[0] ?? "false"]));
    expect(containers()).toEqual(expect.arrayContaining([named("worker"), named("flower")]));
  });
});

test("every container may be restarted, one at a time, and no order is lost", async () => {
  for (const name of containers()) {
    docker("restart", name);
    await ready();
    await eventually(async () => {
      await edge.order();
    });
  }
  await edge.settleLedger();
});

describe("what goes wrong", () => {
  test("a migration that fails fails the update with its log, and the platform keeps running", async () => {
    const [image = ""] = docker("inspect", "--format", "{{.Config.Image}}", named("app-1"));
    const dockerfile = `FROM ${image}\nUSER root\nRUN printf 'raise SystemExit("this migration is broken")\\n' > migrations/env.py\nUSER orion\n`;
    spawnSync("docker", ["build", "--tag", brokenImage(), "-"], {
      input: dockerfile,
      env: { ...process.env, DOCKER_BUILDKIT: "0" },
    });
    try {
      sandbox.configure({ app: { image: brokenImage() } });
      const { code, output } = sandbox.make("up");
      expect({ code, output }).toEqual({ code: 2, output: containing("this migration is broken") });
      expect(output).toMatch(/exit code 1/);
      await ready();
      await edge.order();

      // It is not in the state, so it is tried again, and fails again.
      expect(sandbox.make("up").output).toContain("this migration is broken");
    } finally {
      sandbox.configure({});
      succeed(sandbox.make("up"));
      docker("image", "rm", "--force", brokenImage());
    }
    await ready();
  });

  test("an image that does not exist is named", async () => {
    sandbox.configure({ images: { redis: "redis:no-such-tag" } });
    const { code, output } = sandbox.make("up");
    sandbox.configure({});
    expect({ code, output }).toEqual({ code: 2, output: containing("redis:no-such-tag") });
    await ready();
  });

  test.each([
    [{ phase: "production" }, 'orion:phase: got "production", allowed: one of development, mvp'],
    [{ colour: "red" }, 'orion:colour: got "red", allowed:'],
    [{ app: { instances: 0 } }, "orion:app.instances: got 0, allowed: 1 or more"],
  ])("a configuration of %j is refused with what is allowed", async (keys, message) => {
    sandbox.configure(keys);
    const update = sandbox.make("up");
    const preview = sandbox.pulumi("preview");
    sandbox.configure({});
    for (const { code, output } of [update, preview]) {
      expect(code).not.toBe(0);
      expect(output).toContain(message);
    }
    await ready();
  });

  test("a port in use is an error with its holder and the remedy", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address ? address.port : 0);
      });
    });
    sandbox.configure({ ports: { ...sandbox.ports, docs: port } });
    const { code, output } = sandbox.make("up");
    server.close();
    sandbox.configure({});
    expect({ code, output }).toEqual({
      code: 2,
      output: matching(`127.0.0.1:${port} \\(docs\\) by [^]*ports.docs`),
    });
    await ready();
  });

  test.each([
    ["up", /The Docker Engine does not answer at HERE/],
    ["down", /is on the Docker Engine at .*, and HERE is chosen by now; nothing was deleted/],
    ["doctor", /The Docker Engine does not answer at HERE/],
  ])("a Docker Engine that does not run is named by make %s", async (target, message) => {
    const here = "unix:///var/run/no-docker-here.sock";
    sandbox.configure({ dockerHost: here });
    const { code, output } = sandbox.make(target);
    sandbox.configure({});
    expect({ code, output: output.replaceAll(here, "HERE") }).toEqual({ code: 2, output: matching(message) });
    await ready();
  });

  test("a wrong passphrase is an error, and decrypts nothing", async () => {
    const { code, output } = sandbox.run("npx", ["pulumi", "preview", "--stack", sandbox.stack], {
      PULUMI_CONFIG_PASSPHRASE: "wrong",
    });
    expect(code).not.toBe(0);
    expect(output).toMatch(/incorrect passphrase/);
    expect(output).toContain("PULUMI_CONFIG_PASSPHRASE");
    await ready();
  });

  test("an update that is killed is taken up by the next one", async () => {
    // Something to do for it: the workers are made anew.
    for (const environment of [{ ROUND: "1" }, { ROUND: "2" }, { ROUND: "3" }]) {
      sandbox.configure({ app: { environment } });
      const update = sandbox.start("up");
      await new Promise((resolve) => setTimeout(resolve, 4000 + Math.random() * 6000));
      // A negative id means the whole group: make, the engine, its plugins.
      if (update.pid !== undefined && update.exitCode === null) process.kill(-update.pid, "SIGKILL");
      expect(succeed(sandbox.make("up"))).toMatch(/Orion is at/);
      await ready();
      await edge.order();
    }
    await edge.settleLedger();
    sandbox.configure({});
    succeed(sandbox.make("up"));
  });
});

describe("taking it down", () => {
  test("data is kept when the user does not agree to lose it, and is there again after the next make up", async () => {
    expect(succeed(sandbox.make("down"))).toContain("DATA=delete");
    expect(sandbox.leftovers().sort()).toEqual(
      ["cache-data", "database-data", "uploads"].map((name) => `volume ${named(name)}`),
    );

    succeed(sandbox.make("up"));
    await ready();
    await edge.settleLedger();
  });

  test("orion:services leaves out what it does not name, and keeps its data", async () => {
    sandbox.configure({ services: [] });
    expect(succeed(sandbox.make("up"))).toMatch(/database +127/);
    expect(containers()).toEqual([named("database")]);
    expect(sandbox.leftovers()).toContain(`volume ${named("cache-data")}`);

    sandbox.configure({});
    expect(succeed(sandbox.make("up"))).toMatch(/Orion is at/);
    await ready();
    await edge.settleLedger();
  });

  test("make down DATA=delete leaves nothing behind", () => {
    succeed(sandbox.make("down", { DATA: "delete" }));
    expect(sandbox.leftovers()).toEqual([]);
  });
});
