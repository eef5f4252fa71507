/** The health checks' scripts, run by the shells that images have. */
import { redisMonitor } from "../../../../../common/redis-contract.ts";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, run } from "../../../../../common/process.ts";
import { pythonPath } from "../../../support/python.ts";
import {
  appProbe,
  beatProbe,
  dockerHealthcheck,
  healthScript,
  httpProbe,
  postgresProbe,
  type Probe,
  redisProbe,
  secondsUntilHealthy,
  secondsUntilUnhealthy,
  whileItStarts,
  workerProbe,
} from "../../../../../components/runtime/docker/health.ts";

const shells = ["sh", "bash"].filter((shell) => spawnSync(shell, ["-c", ":"]).status === 0);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orion-health-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const state = () => join(folder, "state");
const slept = () => {
  const file = join(folder, "slept");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").map(Number) : [];
};

/** Runs a check whose sleeps are only noted. */
function check(probe: Probe, shell = "sh", env: Readonly<Record<string, string>> = {}) {
  rmSync(join(folder, "slept"), { force: true });
  const { status, stdout } = spawnSync(shell, ["-c", healthScript(probe, state(), `echo >>'${folder}/slept'`)], {
    ...{ encoding: "utf8", env: { PATH: process.env["PATH"], ...env }, timeout: 20_000 },
    // As Docker does: a pipe of Node.js is a socket, for which bash reads the user's ~/.bashrc, which may take long.
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { healthy: status === 0, says: stdout.trim(), slept: slept() };
}

const succeeds: Probe = { commands: "  true" };
const fails: Probe = { commands: "  echo no answer; return 1" };

describe.each(shells)("run by %s", (shell) => {
  test("a container that has not been healthy yet is probed at once, and once", () => {
    expect(check(fails, shell)).toEqual({ healthy: false, says: "no answer", slept: [] });
    expect(check(succeeds, shell)).toEqual({ healthy: true, says: "", slept: [] });
  });

  test("one that is healthy is probed once a minute", () => {
    check(succeeds, shell);
    expect(check(succeeds, shell)).toEqual({ healthy: true, says: "", slept: [55] });
    expect(check(succeeds, shell)).toEqual({ healthy: true, says: "", slept: [55] });
  });

  test("one that was healthy is probed again before the check fails, and at once from then on", () => {
    check(succeeds, shell);
    const says = Array.from({ length: 4 }, () => "no answer").join("\n");
    expect(check(fails, shell)).toEqual({ healthy: false, says, slept: [55, 10, 10, 10] });
    expect(check(fails, shell)).toEqual({ healthy: false, says: "no answer", slept: [] });
    expect(check(succeeds, shell)).toEqual({ healthy: true, says: "", slept: [] });
    expect(check(succeeds, shell)).toEqual({ healthy: true, says: "", slept: [55] });
  });

  test("one that answers late is healthy", () => {
    check(succeeds, shell);
    const late: Probe = { commands: `  [ -e '${folder}/asked' ] || { touch '${folder}/asked'; return 1; }` };
    expect(check(late, shell)).toEqual({ healthy: true, says: "", slept: [55, 10] });
  });

  test("one that has been unhealthy for long is probed less often", () => {
    for (const failures of [60, 61, 500]) writeFileSync(state(), `0 ${failures} \n`);
    expect(check(fails, shell)).toMatchObject({ healthy: false, slept: [15] });
    expect(readFileSync(state(), "utf8")).toBe("0 501 \n");
  });

  test("while it starts, an eager check probes every second, and ends with the first success", () => {
    const third: Probe = whileItStarts({
      commands: `  echo x >>'${folder}/asked'; [ "$(wc -l <'${folder}/asked')" -ge 3 ] || { echo no answer; return 1; }`,
    });
    expect(check(third, shell)).toEqual({ healthy: true, says: "no answer\nno answer", slept: [1, 1] });
    expect(check(third, shell)).toEqual({ healthy: true, says: "", slept: [55] });
    rmSync(state());
    expect(check(whileItStarts(fails), shell).slept).toEqual(Array.from({ length: 9 }, () => 1));
    writeFileSync(state(), "0 61 \n");
    expect(check(whileItStarts(fails), shell).slept).toEqual([15]);
  });

  test("an eager check ends in time, however long a probe takes, and is later like any other", () => {
    const slow: Probe = whileItStarts({ commands: "  now=$((now + 6)); clock() { now=$((now + 6)); }; return 1" });
    expect(check(slow, shell)).toMatchObject({ healthy: false, slept: [] });
    rmSync(state());
    check(whileItStarts(succeeds), shell);
    expect(check(whileItStarts(fails), shell).slept).toEqual([55, 10, 10, 10]);
  });

  test("a Docker Engine that was restarted learns at once that a container is healthy", () => {
    writeFileSync(state(), "1 0 \n");
    expect(check(succeeds, shell)).toEqual({ healthy: true, says: "", slept: [] });
  });
});

test("Docker waits longer than a check can take", () => {
  const { timeout, interval, retries } = dockerHealthcheck(succeeds);
  const longest = 55 + 4 * 10 + 3 * 10;
  expect(timeout).toBeGreaterThanOrEqual(longest + 60);
  expect(secondsUntilUnhealthy).toBe(longest + interval + (retries - 1) * (10 + interval));
  expect(secondsUntilUnhealthy).toBeLessThan(180);
  expect(secondsUntilHealthy).toBe(180);
});

describe("HTTP", () => {
  let server: Server;
  let port: number;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === "/silent") return;
      response.statusCode = Number(request.url?.slice(1));
      response.end("answer");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** The path of each program, looked up once. */
  const paths = new Map<string, string>();
  function pathOf(program: string): string {
    const find = () => spawnSync("which", [program], { encoding: "utf8" }).stdout.trim();
    const path = paths.get(program) ?? (program === "python3" ? pythonPath() : find());
    paths.set(program, path);
    return path;
  }

  /** Runs it with a PATH that has these programs alone; the server is in this process, which must not stand still. */
  const ask = async (path: string, programs: readonly string[], to = port): Promise<number> =>
    (await answer(path, programs, to)).code ?? -1;

  async function answer(path: string, programs: readonly string[], to = port, probe = httpProbe): Promise<Outcome> {
    const bin = join(folder, "bin");
    mkdirSync(bin);
    for (const program of programs) {
      const path = pathOf(program);
      // Ten seconds are a fifth of a second here.
      const command = program === "timeout" ? `[ "$1" = 10 ] && shift && exec ${path} 0.2` : `exec ${path}`;
      writeFileSync(join(bin, program), `#!/bin/sh\n${command} "$@"\n`, { mode: 0o755 });
    }
    const script = `exec </dev/null\n${healthScript(probe(to, path), state())}`;
    const outcome = await run("env", ["-i", `PATH=${bin}`, "/bin/sh", "-c", script]);
    rmSync(bin, { recursive: true });
    return outcome;
  }

  const installed = (program: string) => spawnSync("which", [program]).status === 0;
  const clients = ["bash", "curl", "wget", "python3"].filter(installed);

  test.each(clients)("asked by %s", async (client) => {
    expect(clients).toContain("bash");
    expect(await ask("/200", [client])).toBe(0);
    expect(await ask("/204", [client])).toBe(0);
    expect(await ask("/500", [client])).toBe(1);
    expect(await ask("/404", [client])).toBe(1);
    expect(await ask("/200", [client], 1)).toBe(1);
  });

  test("an app's other status is said, for whoever asks why a version does not start", async () => {
    const failure = `GET http://127.0.0.1:${port}/404: no answer with status 2xx within 10 s\n`;
    expect((await answer("/404", ["bash"], port, appProbe)).stdout).toContain(`HTTP 404 Not Found\n${failure}`);
    expect(await answer("/204", ["bash"], port, appProbe)).toMatchObject({ code: 0 });
    expect((await answer("/200", ["bash"], 1, appProbe)).stdout).toContain("Connection refused");
    // It has started: the check does not go on until it is right.
    const eagerly = (to: number, path: string) => whileItStarts(appProbe(to, path));
    expect((await answer("/404", ["bash", "sleep"], port, eagerly)).stdout.match(/^HTTP 404/gm)).toHaveLength(1);
  });

  test("an answer that does not come is not waited for for ever", async () => {
    expect(await ask("/silent", ["bash", "timeout"])).toBe(1);
  });
});

describe("Redis and PostgreSQL", () => {
  /** Stands for a program, with what it prints and how it ends. */
  function programSays(name: string, text: string, code = 0): string {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "$@" >'${folder}/called'\necho '${text}'\nexit ${code}\n`, {
      mode: 0o755,
    });
    return `${folder}:${process.env["PATH"] ?? ""}`;
  }
  const called = () => readFileSync(join(folder, "called"), "utf8").trim();

  test("Redis is healthy when it says PONG, and not while it loads its data", () => {
    const probe = (answer: string) => {
      // The script in the container stands here for `sh`, which runs it.
      const commands = redisProbe.commands.replace(redisMonitor, "redis-cli");
      return check({ commands }, "sh", { PATH: programSays("redis-cli", answer) });
    };
    expect(redisProbe.commands).toContain(`${redisMonitor} ping`);
    expect(probe("PONG").healthy).toBe(true);
    const loading = probe("LOADING");
    expect(loading).toMatchObject({ healthy: false, says: expect.stringContaining("ping: LOADING") as string });
  });

  test("PostgreSQL is probed over TCP, where its first initialisation does not listen", () => {
    const probe = postgresProbe("orion_user", "orion_db");
    expect(check(probe, "sh", { PATH: programSays("pg_isready", "accepting") }).healthy).toBe(true);
    expect(called()).toBe("-h 127.0.0.1 -U orion_user -d orion_db -t 10");
    rmSync(state());
    expect(check(probe, "sh", { PATH: programSays("pg_isready", "rejecting", 1) }).healthy).toBe(false);
  });
});

describe("Celery", () => {
  const pidFile = () => join(folder, "celery.pid");
  const proc = () => join(folder, "proc");
  let turns = 0;

  /** What the kernel says of the process 7. */
  function kernelSays(connections: readonly string[] = [], turned = 1): void {
    turns += turned;
    mkdirSync(join(proc(), "7", "net"), { recursive: true });
    writeFileSync(pidFile(), "7\n");
    writeFileSync(join(proc(), "7", "status"), `Name:\tcelery\nvoluntary_ctxt_switches:\t${turns}\n`);
    const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
    writeFileSync(join(proc(), "7", "net", "tcp"), [head, ...connections, ""].join("\n"));
  }

  /** A line of /proc/net/tcp. */
  const line = (port: number, { st = "01", resent = "00000000" } = {}) =>
    `   0: 0A4D0A0A:B6D2 0B01140A:${port.toString(16).toUpperCase().padStart(4, "0")} ${st} 00000000:00000000 00:00000000 ${resent}  1000        0 15 1`;

  const beat = () => check(beatProbe(proc(), pidFile()));
  const worker = (url: string) => check(workerProbe(proc(), pidFile()), "sh", { CELERY_BROKER_URL: url });

  test("Beat is healthy when it has started and its loop runs, and not when it hangs", () => {
    expect(beat()).toMatchObject({ healthy: false, says: "Celery has not started" });
    kernelSays();
    expect(beat()).toMatchObject({ healthy: false });
    kernelSays();
    expect(beat()).toMatchObject({ healthy: true, slept: [] });
    kernelSays();
    expect(beat()).toMatchObject({ healthy: true, slept: [55] });
    expect(beat()).toMatchObject({ healthy: false, slept: [55, 10, 10, 10] });
    // It stays so, however often it is probed.
    expect(beat()).toMatchObject({ healthy: false, says: "Celery's process 7 has done nothing since the last look" });
    expect(beat().healthy).toBe(false);
    kernelSays();
    expect(beat().healthy).toBe(true);
    rmSync(join(proc(), "7"), { recursive: true });
    expect(beat().healthy).toBe(false);
  });

  test.each([
    ["redis://:password@broker:6379/1", 6379],
    ["redis://:password@10.20.1.11:6380/1", 6380],
    ["rediss://user:password@redis.example.com:25061/1?ssl_cert_reqs=required", 25061],
    ["redis://broker", 6379],
  ])("a worker of %s is healthy with a connection to port %i", (url, port) => {
    kernelSays();
    expect(worker(url).healthy).toBe(false);
    kernelSays([line(port)]);
    expect(worker(url)).toMatchObject({ healthy: true });
    rmSync(state());
    for (const other of [line(port + 1), line(port, { st: "06" }), line(port, { resent: "00000004" })]) {
      kernelSays([other]);
      worker(url);
      kernelSays([other]);
      expect(worker(url)).toMatchObject({ healthy: false, says: "no connection to the broker's port" });
    }
  });

  test("a worker that is connected and hangs is not healthy", () => {
    const url = "redis://:password@broker:6379/1";
    for (const wanted of [false, true]) {
      kernelSays([line(6379)]);
      expect(worker(url).healthy).toBe(wanted);
    }
    kernelSays([line(6379)], 0);
    expect(worker(url)).toMatchObject({ healthy: false, slept: [55, 10, 10, 10] });
  });

  test("of another kind of broker no connection is expected", () => {
    kernelSays();
    worker("amqp://broker");
    kernelSays();
    expect(worker("amqp://broker").healthy).toBe(true);
  });
});
