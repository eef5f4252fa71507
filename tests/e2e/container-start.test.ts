/** How long an update waits for a container that does not start, with containers for real: each in its own way. */
import { run } from "../../common/process.ts";
import { appProbe, dockerHealthcheck, whileItStarts } from "../../components/runtime/docker/health.ts";
import { baseImage } from "../../config/images.ts";
import { waitForContainer } from "../../plugin/container-ready.ts";
import { docker } from "../../testing/sandbox.ts";

jest.setTimeout(120_000);

const dockerHost = process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock";
const stack = `e2e-start-${process.pid}`;
const made: string[] = [];
afterAll(() => {
  docker("rm", "--force", "--volumes", ...made);
});

const serve = (more = "") => `import http.server, time, sys
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(${more === "" ? 200 : more})
        self.end_headers()
print("started", flush=True)
http.server.HTTPServer(("127.0.0.1", 8000), Answers).serve_forever()`;

function start(service: string, program: string): string {
  const { test: words, ...times } = dockerHealthcheck(whileItStarts(appProbe(8000, "/health")));
  const [id = ""] = docker(
    ...["run", "--detach", "--init", "--restart", "unless-stopped", "--memory", "128m", "--env", "KEY=secret-value"],
    ...["app=orion", `stack=${stack}`, `service=${service}`].flatMap((label) => ["--label", label]),
    ...["--health-cmd", words.at(-1) ?? "", "--health-interval", `${times.interval}s`],
    ...["--health-timeout", `${times.timeout}s`, "--health-start-period", `${times.startPeriod}s`],
    ...[baseImage(), "python3", "-c", program],
  );
  made.push(id);
  return id;
}

async function waited(service: string, program: string) {
  const container = start(service, program);
  const from = performance.now();
  const outcome = await waitForContainer({ dockerHost, container, service, cpuShares: 512 }).then(
    () => "ready",
    (error: unknown) => (error as Error).message,
  );
  const { stdout } = await run("docker", ["inspect", "--format", "{{.HostConfig.CpuShares}}", container]);
  return { outcome, seconds: (performance.now() - from) / 1000, shares: Number(stdout) };
}

test("each is given up in its time, with the reason, or gets the time that it needs", async () => {
  const [well, slow, ends, wrong, idle] = await Promise.all([
    waited("well", serve()),
    // A start that computes for half a minute.
    waited(
      "slow",
      `import time\nend = time.time() + 32\nwhile time.time() < end: sum(range(100000)); time.sleep(0.02)\n${serve()}`,
    ),
    waited("ends", `import os; print("no such key, and", os.environ["KEY"], flush=True); raise SystemExit(3)`),
    waited("well", serve("404")),
    waited("idle", "import time; time.sleep(600)"),
  ]);
  expect(well).toMatchObject({ outcome: "ready", shares: 512 });
  expect(slow).toMatchObject({ outcome: "ready", shares: 512 });
  expect(slow.seconds).toBeGreaterThan(30);

  expect(ends.outcome).toMatch(
    // Between two looks it may have ended more often than the three times that it takes.
    / does not start: it has ended ([3-9]|\d\d) times, with exit code 3\. No other container of this service runs\./,
  );
  expect(ends.outcome).toMatch(/The end of its log:\n.*no such key, and \[secret\]/);
  expect(ends.seconds).toBeLessThan(20);

  expect(wrong.outcome).toMatch(
    /its health check has got HTTP 404 Not Found for 20 s\. The version before keeps running: .*, Up/,
  );
  expect(wrong.outcome).toMatch(
    /Its health check says:\n\s+HTTP 404 Not Found\n(.*\n)*The end of its log:\n\s+started/,
  );
  expect(idle.outcome).toMatch(/it has done nothing for 25 s, and does not answer/);
  for (const { seconds } of [wrong, idle]) expect(seconds).toBeLessThan(60);
  // What does not start takes no processor time from what serves.
  expect(wrong.shares).toBe(32);
});
