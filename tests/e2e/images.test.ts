/** The images that this machine runs keep the contract of the official ones, whether they were pulled or built here. */
import { spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { officialImages } from "../../config/images.ts";
import { eventually } from "../../testing/eventually.ts";
import { docker, freePorts, Sandbox } from "../../testing/sandbox.ts";
import { temporaryFolder } from "../../testing/folder.ts";

jest.setTimeout(180_000);

const prefix = `orion-test-images-${process.pid}`;
const named = (name: string): string => `${prefix}-${name}`;
let folder: string;

beforeAll(() => {
  folder = temporaryFolder("images");
  // The servers read it as users of their own.
  chmodSync(folder, 0o755);
});
afterAll(() => {
  for (const name of docker("ps", "--all", "--filter", `name=${prefix}`, "--format", "{{.Names}}")) {
    docker("rm", "--force", "--volumes", name);
  }
  for (const name of docker("volume", "ls", "--filter", `name=${prefix}`, "--format", "{{.Name}}")) {
    docker("volume", "rm", name);
  }
});

interface Ran {
  readonly code: number | null;
  readonly output: string;
}
function run(...args: string[]): Ran {
  const { status, stdout, stderr } = spawnSync("docker", args, { encoding: "utf8" });
  return { code: status, output: stdout + stderr };
}
const start = (name: string, ...args: string[]): void => {
  expect(run("run", "--detach", "--pull", "never", "--name", named(name), ...args)).toMatchObject({ code: 0 });
};
const inside = (name: string, ...command: string[]): Ran => run("exec", named(name), ...command);
const exitCode = (name: string): string => docker("inspect", "--format", "{{.State.ExitCode}}", named(name)).join();

test("existing images need no work, and the command ends within a moment", () => {
  const began = performance.now();
  const { status, stdout } = spawnSync("node", ["images/build.ts"], { encoding: "utf8" });
  expect(status).toBe(0);
  expect(
    stdout
      .trim()
      .split("\n")
      .filter((line) => !line.includes(" present ")),
  ).toEqual([]);
  expect(performance.now() - began).toBeLessThan(10_000);
});

test("an image that does not exist is named, with what to do", () => {
  const { status, stderr } = spawnSync("node", ["images/build.ts", "--use", "redis=redis:no-such-tag", "redis"], {
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/'redis:no-such-tag' cannot be pulled[^]*orion:images/);
});

test("a link of the docs that leads nowhere, and a page that is in no section, fail the build of their image", async () => {
  const copy = new Sandbox(process.cwd(), "docs-links", await freePorts());
  try {
    appendFileSync(join(copy.root, "docs", "index.md"), "\n[nowhere](moves.md#nowhere)\n");
    writeFileSync(join(copy.root, "docs", "lonely.md"), "# Lonely\n");
    const { code, output } = copy.run("node", ["images/build.ts", "docs"]);
    expect(code).toBe(1);
    expect(output).toContain("'moves.md#nowhere', but the doc 'moves.md' does not contain an anchor '#nowhere'");
    expect(output).toContain("lonely.md");
  } finally {
    copy.dispose();
  }
});

describe("postgres", () => {
  const psql = (query: string) =>
    inside("postgres", "psql", "-XtA", "-h", "127.0.0.1", "-U", "orion", "-d", "orion_db", "-c", query);
  const answers = (query: string, expected: string) =>
    eventually(() => {
      expect(psql(query)).toEqual({ code: 0, output: `${expected}\n` });
    });
  const startServer = (...more: string[]) => {
    start(
      "postgres",
      ...["--env", "POSTGRES_USER=orion", "--env", "POSTGRES_DB=orion_db", "--env", "POSTGRES_PASSWORD=pass"],
      ...["--env", "PGPASSWORD=pass", "--volume", `${named("postgres")}:/var/lib/postgresql/data`, ...more],
      ...[officialImages.postgres, "postgres", "-c", "work_mem=7MB"],
    );
  };

  test("version 15, user, database, settings and scripts of the first start", async () => {
    writeFileSync(join(folder, "1.sql"), "CREATE TABLE first (n int); INSERT INTO first VALUES (1);\n");
    writeFileSync(
      join(folder, "2.sh"),
      'psql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "INSERT INTO first VALUES (2)"\n',
    );
    startServer("--volume", `${folder}:/docker-entrypoint-initdb.d:ro`);
    await answers("SELECT sum(n) FROM first", "3");
    await answers("SELECT current_setting('server_version_num')::int / 10000", "15");
    await answers("SHOW work_mem", "7MB");
    await answers("SHOW password_encryption", "scram-sha-256");
  });

  test("a stop is a clean shutdown, and the data is there for the next container", async () => {
    docker("stop", "--time", "30", named("postgres"));
    expect(exitCode("postgres")).toBe("0");
    expect(run("logs", named("postgres")).output).toContain("database system is shut down");
    docker("rm", named("postgres"));
    startServer();
    await answers("SELECT sum(n) FROM first", "3");
    expect(run("logs", named("postgres")).output).not.toContain("automatic recovery in progress");
  });

  test("without a password it does not start", () => {
    const { code, output } = run("run", "--rm", "--pull", "never", officialImages.postgres);
    expect(code).toBe(1);
    expect(output).toContain("POSTGRES_PASSWORD");
  });
});

test("redis: version 7, arguments, a user of its own, data that stays", async () => {
  const startServer = () => {
    start("redis", "--volume", `${named("redis")}:/data`, officialImages.redis, "redis-server", "--appendonly", "yes");
  };
  const ping = () =>
    eventually(() => {
      expect(inside("redis", "redis-cli", "ping").output).toBe("PONG\n");
    });
  startServer();
  await ping();
  expect(inside("redis", "redis-cli", "info", "server").output).toMatch(/redis_version:7\./);
  expect(inside("redis", "sh", "-c", "stat -c %U /proc/1").output).toBe("redis\n");
  expect(inside("redis", "redis-cli", "set", "kept", "yes").output).toBe("OK\n");
  docker("stop", named("redis"));
  expect(exitCode("redis")).toBe("0");
  docker("rm", named("redis"));
  startServer();
  await ping();
  expect(inside("redis", "redis-cli", "get", "kept").output).toBe("yes\n");
});

test("nginx: templates filled in from the environment, a graceful stop", async () => {
  writeFileSync(join(folder, "site.conf.template"), 'server { listen 8081; return 200 "hello ${WHO}"; }\n');
  const template = `${join(folder, "site.conf.template")}:/etc/nginx/templates/site.conf.template:ro`;
  start("nginx", "--env", "WHO=orion", "--volume", template, "--publish", "127.0.0.1::8081", officialImages.nginx);
  const [address = ""] = docker("port", named("nginx"), "8081/tcp");
  await eventually(async () => {
    expect(await (await fetch(`http://${address}/`)).text()).toBe("hello orion");
  });
  expect(inside("nginx", "nginx", "-t").output).toContain("test is successful");
  expect(docker("inspect", "--format", "{{.Config.StopSignal}}", officialImages.nginx)).toEqual(["SIGQUIT"]);
  docker("stop", named("nginx"));
  expect(exitCode("nginx")).toBe("0");
});

test("the list of what the app's image contains has its Python packages at their pinned versions, and Debian's", () => {
  const { status, stderr, stdout } = spawnSync("node", ["tools/cli.ts", "sbom", "--stack", "dev"], {
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const file = /\S+sample-app-\S+\.spdx\.json/.exec(stdout)?.[0] ?? "";
  const text = readFileSync(file, "utf8");
  const pinned = [
    ...readFileSync("sample-app/requirements.txt", "utf8").matchAll(/^(celery|fastapi|sqlalchemy)==(\S+)/gm),
  ];
  expect(pinned).toHaveLength(3);
  for (const [, name = "", version = ""] of pinned) expect(text.toLowerCase()).toContain(`pkg:pypi/${name}@${version}`);
  expect(text).toMatch(/pkg:deb\/debian\/libc6@/);
});
