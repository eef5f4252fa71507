/** Waiting for a container through the API of an engine; tests/e2e/container-start.test.ts does it with real ones. */
import type { Clock } from "../../../common/clock.ts";
import { type Connect, type ContainerReadyInputs, waitForContainer } from "../../../plugin/container-ready.ts";

const inputs: ContainerReadyInputs = {
  ...{ dockerHost: "unix:///var/run/docker.sock", container: "0123456789ab", service: "app-1", cpuShares: 1024 },
};
const started = "2026-11-30T06:00:00.250123456Z";

/** A clock whose sleeps take no time, but let pending answers arrive. */
function clockAt(start: number): Clock {
  let now = start;
  return {
    now: () => now,
    sleep: async (milliseconds: number) => {
      now += milliseconds;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

interface World {
  /** Seconds after which the container is healthy. */
  readonly healthyAfter: number;
  readonly status?: string;
  /** Log of its runs before the last start, and since. */
  readonly before?: string;
  readonly since?: string;
  /** Paths about which the engine does not answer. */
  readonly silentAbout?: RegExp;
}

function engine({ healthyAfter, status = "unhealthy", before = "", since = "", silentAbout }: World) {
  const clock = clockAt(0);
  const asked: string[] = [];
  const logOf = (text: string) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  const answerTo = (path: string): unknown => {
    if (path.includes("/stats")) return { cpu_stats: { cpu_usage: { total_usage: clock.now() * 1e6 } } };
    if (path.includes("/top")) return { Processes: [["1", "R"]] };
    if (path.includes("/containers/json")) return [];
    return {
      ...{ Name: "/orion-test-app-1", RestartCount: 0, HostConfig: { Memory: 0 }, Config: { Env: null, Labels: {} } },
      State: {
        ...{ Running: true, Restarting: false, OOMKilled: false, ExitCode: 0, StartedAt: started },
        Health: { Status: clock.now() >= healthyAfter * 1000 ? "healthy" : status, Log: null },
      },
    };
  };
  const connect: Connect = (_, questions) => ({
    ask: (method, path) => {
      asked.push(`${questions ?? "quick"}: ${method} ${path}`);
      if (silentAbout?.test(path) === true) return Promise.reject(new Error("no answer within 30 s"));
      const [, from] = /since=([\d.]+)/.exec(path) ?? [];
      const isSinceStart = from !== undefined && Number(from) >= Math.floor(Date.parse(started) / 1000);
      const body = path.includes("/logs")
        ? logOf(isSinceStart ? since : before + since)
        : Buffer.from(JSON.stringify(answerTo(path)));
      return Promise.resolve({ status: 200, body });
    },
    close: () => undefined,
  });
  return { connect, clock, asked };
}

const deaths = "Child process [7] died\n".repeat(8);

test("processes that ended in an earlier run do not count: what kept it from starting may have been corrected", async () => {
  const { connect, clock, asked } = engine({ healthyAfter: 40, before: deaths, since: "started\n" });
  await waitForContainer(inputs, connect, clock);
  // No other question waits until it has ended.
  expect(asked).toContain("own: POST /containers/0123456789ab/restart?t=10");
  expect(asked.filter((one) => one.includes("since=1796018400.25")).length).toBeGreaterThan(2);
});

test("those of this run do", async () => {
  const { connect, clock } = engine({ healthyAfter: 40, status: "starting", since: deaths });
  await expect(waitForContainer(inputs, connect, clock)).rejects.toThrow(
    /^orion-test-app-1 does not start: its processes have ended 8 times\..*\n.*log:\n(.*Child process \[7\] died\n?)+$/,
  );
});

test("the reason is said although the engine does not answer about log and other containers any more", async () => {
  const silentAbout = /logs|containers\/json|stats/;
  const { connect, clock } = engine({ healthyAfter: 9999, status: "starting", silentAbout });
  await expect(waitForContainer({ ...inputs, seconds: 60 }, connect, clock)).rejects.toThrow(
    /does not start: it was not healthy within 60 s.*\n.*\n.*no answer within 30 s/,
  );
});
