import { spawnSync } from "node:child_process";
import type { Docker, DockerCall } from "../../../plugin/docker.ts";
import { type LiveFilesInputs, writeLiveFiles } from "../../../plugin/live-files.ts";
import { testClock } from "../../../testing/clock.ts";
import { outcomeOf } from "../support/process.ts";

const inputs: LiveFilesInputs = {
  dockerHost: "unix:///var/run/docker.sock",
  volume: "edge-files",
  directory: "/etc/orion/edge",
  image: "sha256:nginx",
  files: { "nginx.conf": "events {}\n", "edge.key": "PRIVATE KEY of the edge" },
  check: ["nginx", "-t", "-c", "{}/nginx.conf"],
  container: "orion-test-edge",
  reload: ["nginx", "-s", "reload"],
  processes: { serving: "nginx: worker process", leaving: "nginx: worker process is shutting down" },
  settleSeconds: 2,
};

interface Behaviour {
  readonly running: boolean;
  /** What the check prints when it fails. */
  readonly refusal?: string;
  /** How often it cannot be told to read them. */
  deaf?: number;
  /** Processes, at each look. */
  readonly processes?: string[];
}

function fakeDocker({ running, refusal, deaf = 0, processes = [] }: Behaviour): {
  docker: Docker;
  calls: DockerCall[];
} {
  const calls: DockerCall[] = [];
  const docker: Docker = (call) => {
    calls.push(call);
    const text = call.args.join(" ");
    if (text.includes("container inspect")) return Promise.resolve(outcomeOf({ code: 0, output: String(running) }));
    if (text.includes("container top")) {
      // As Docker does.
      if (!text.includes("pid")) return Promise.resolve(outcomeOf({ code: 1, output: "Couldn't find PID field" }));
      return Promise.resolve(outcomeOf({ code: 0, output: `  PID COMMAND\n${processes.shift() ?? ""}` }));
    }
    if (text.includes("container exec") && deaf-- > 0)
      return Promise.resolve(outcomeOf({ code: 1, output: "invalid PID number" }));
    if (refusal !== undefined && text.endsWith(" -s")) return Promise.resolve(outcomeOf({ code: 92, output: refusal }));
    return Promise.resolve(outcomeOf({ code: 0, output: "" }));
  };
  return { docker, calls };
}

const steps = (calls: readonly DockerCall[]): string[] =>
  calls.map(({ args }) => {
    const text = args.join(" ");
    if (text.endsWith(" -s")) return "write";
    return ["inspect", "exec orion-test-edge nginx -s reload", "top"].find((each) => text.includes(each)) ?? text;
  });

test("files are written, checked, switched in one step, and read by the running container", async () => {
  const { docker, calls } = fakeDocker({ running: true });
  await writeLiveFiles(inputs, docker, testClock());
  expect(steps(calls).slice(0, 4)).toEqual(["write", "inspect", "top", "exec orion-test-edge nginx -s reload"]);
  const version = /\/etc\/orion\/edge\/([0-9a-f]{16})'/.exec(calls[0]?.input ?? "")?.[1] ?? "";
  const script = calls[0]?.input ?? "";
  const [check, put] = [
    script.indexOf(`exec nginx -t -c /etc/orion/edge/${version}/nginx.conf`),
    script.indexOf(`ln -sfn ${version} .next`),
  ];
  expect(check).toBeGreaterThan(script.indexOf(`mkdir -p '/etc/orion/edge/${version}'`));
  expect(put).toBeGreaterThan(check);
  expect(spawnSync("sh", ["-n"], { input: script }).status).toBe(0);
});

test("files are on the disk before they are switched to, and the switch is before the container reads them", async () => {
  const { docker, calls } = fakeDocker({ running: true });
  await writeLiveFiles(inputs, docker, testClock());
  expect(calls[0]?.input).toMatch(/\nsync '(\/etc\/orion\/edge\/[0-9a-f]{16})' '\1'\/\*\n/);
  expect(calls[0]?.input).toContain("mv -Tf .next current; sync .;");
});

test("contents travel on standard input, where no process list shows them", async () => {
  const { docker, calls } = fakeDocker({ running: false });
  await writeLiveFiles(inputs, docker, testClock());
  const encoded = Buffer.from("PRIVATE KEY of the edge").toString("base64");
  expect(calls[0]?.input).toContain(encoded);
  expect(JSON.stringify(calls.map(({ args }) => args))).not.toContain(encoded);
});

test("a container that does not run yet finds them when it starts", async () => {
  const { docker, calls } = fakeDocker({ running: false });
  await writeLiveFiles(inputs, docker, testClock());
  expect(steps(calls)).toEqual(["write", "inspect"]);
});

test("files that do not pass the check are not used, and the error shows no secret", async () => {
  const refusal = "nginx: [emerg] cannot load PRIVATE KEY of the edge";
  const { docker, calls } = fakeDocker({ running: true, refusal });
  const written = writeLiveFiles(inputs, docker, testClock());
  await expect(written).rejects.toThrow(
    "orion-test-edge: its files did not pass the check; it keeps the old ones: nginx: [emerg] cannot load [secret]",
  );
  expect(steps(calls)).toEqual(["write"]);
});

describe("a container that just starts", () => {
  test("is told again", async () => {
    const { docker, calls } = fakeDocker({ running: true, deaf: 2 });
    await writeLiveFiles(inputs, docker, testClock());
    expect(steps(calls).filter((step) => step.startsWith("exec"))).toHaveLength(3);
  });

  test("is not told for ever: the update fails and says why", async () => {
    const { docker } = fakeDocker({ running: true, deaf: 99 });
    await expect(writeLiveFiles(inputs, docker, testClock())).rejects.toThrow(
      "orion-test-edge: it did not reload its files: invalid PID number",
    );
  });
});

describe("old processes", () => {
  const old = (title: string) => `   11 nginx: master process\n   12 nginx: worker process${title}\n`;
  const looksWith = async (processes: readonly string[], settleSeconds = 2) => {
    const { docker, calls } = fakeDocker({ running: true, processes: [...processes] });
    await writeLiveFiles({ ...inputs, settleSeconds }, docker, testClock());
    return steps(calls).filter((step) => step === "top").length;
  };
  const leaves = old(" is shutting down");
  const replaced = "   13 nginx: worker process\n";

  test("are waited for until they accept nothing more, and have ended", async () => {
    // Before the reload; twice still accepting; then leaving, twice; then gone.
    expect(await looksWith([old(""), old(""), old(""), leaves + replaced, leaves, leaves, replaced])).toBe(7);
  });

  test("are not waited for when others have taken their place", async () => {
    expect(await looksWith([old(""), replaced, replaced])).toBe(3);
  });

  test("that stay for their WebSockets are not waited for for ever", async () => {
    expect(await looksWith([old(""), ...Array.from({ length: 99 }, () => leaves)], 0)).toBe(3);
  });

  test("that go on accepting fail the update", async () => {
    const accepting = looksWith(Array.from({ length: 999 }, () => old("")));
    await expect(accepting).rejects.toThrow(
      "it was told to read its files again, and 60 s later still uses the old ones",
    );
  });

  test("are not taken for replaced because the engine does not answer once", async () => {
    const processes = [old(""), "busy", old(""), replaced, replaced];
    const { docker, calls } = fakeDocker({ running: true, processes });
    const busy: Docker = (call) => {
      if (!call.args.includes("top") || processes[0] !== "busy") return docker(call);
      processes.shift();
      return Promise.resolve(outcomeOf({ code: 1, output: "context deadline exceeded" }));
    };
    await writeLiveFiles(inputs, busy, testClock());
    expect(processes).toEqual([]);
    expect(steps(calls).filter((step) => step === "top")).toHaveLength(4);
  });

  test("that cannot be listed are given the time to end", async () => {
    const { docker, calls } = fakeDocker({ running: true });
    const blind: Docker = (call) =>
      call.args.includes("top") ? Promise.resolve(outcomeOf({ code: 1, output: "no ps" })) : docker(call);
    await writeLiveFiles(inputs, blind, testClock());
    expect(steps(calls).at(-1)).toBe("exec orion-test-edge nginx -s reload");
  });
});
