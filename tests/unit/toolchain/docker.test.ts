import { dockerVersion, ensureDocker, type Machine } from "../../../toolchain/src/docker.ts";
import { progressOn } from "../../../toolchain/src/progress.ts";

interface Given {
  readonly env?: Record<string, string>;
  readonly platform?: string;
  readonly isRoot?: boolean;
  readonly init?: string;
  readonly osRelease?: string;
  readonly installed?: boolean;
  /** What docker says while no engine answers. */
  readonly stderr?: string;
  /** Whether the engine answers at once, after its start, or never. */
  readonly answers?: "at once" | "once started" | "never";
}

const debian = 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n';

function machineOf(given: Given): { machine: Machine; ran: string[] } {
  const ran: string[] = [];
  let installed = given.installed ?? false;
  let started = given.answers === "at once";
  const machine: Machine = {
    env: given.env ?? {},
    platform: given.platform ?? "linux",
    isRoot: given.isRoot ?? true,
    init: given.init ?? "bash",
    osRelease: given.osRelease ?? debian,
    progress: progressOn({ write: () => undefined }),
    has: (program) => program === "dockerd" && installed,
    run: (program, args) => {
      const line = [program, ...args].join(" ");
      if (program === "docker") {
        const stderr = given.stderr ?? "Cannot connect to the Docker daemon";
        return Promise.resolve(started ? { code: 0, stdout: "27.0\n", stderr: "" } : { code: 1, stdout: "", stderr });
      }
      ran.push(line);
      if (line.startsWith("apt-get install")) installed = true;
      if (line.startsWith("systemctl start") && given.answers !== "never") started = true;
      return Promise.resolve({ code: program === "apt-cache" ? 100 : 0, stdout: "", stderr: "" });
    },
    startDetached: (program) => {
      ran.push(`start ${program}`);
      if (given.answers !== "never") started = true;
    },
    sleep: () => Promise.resolve(),
  };
  return { machine, ran };
}

async function ensured(given: Given): Promise<string[]> {
  const { machine, ran } = machineOf(given);
  await ensureDocker(machine);
  return ran;
}

test("an engine that answers is left alone", async () => {
  expect(await ensured({ answers: "at once" })).toEqual([]);
  expect(await dockerVersion(machineOf({ answers: "at once" }).machine)).toBe("27.0");
});

test.each([
  ["systemd", ["systemctl start docker"]],
  ["bash", ["start dockerd"]],
])("one that is installed is started, with process 1 being %s", async (init, expected) => {
  expect(await ensured({ installed: true, init, answers: "once started" })).toEqual(expected);
});

test("root on Debian gets the system's own packages", async () => {
  expect(await ensured({ answers: "once started" })).toEqual([
    "apt-get update",
    "apt-cache show docker-cli",
    "apt-get install -y docker.io iptables",
    "start dockerd",
  ]);
});

test.each<[string, Given, RegExp]>([
  ["not root", { isRoot: false }, /Install one and start it: sudo apt-get install -y docker\.io iptables/],
  ["another system", { osRelease: "ID=fedora\n" }, /Install one and start it: https:\/\/docs\.docker\.com/],
  ["macOS", { platform: "darwin" }, /Start Docker Desktop/],
  [
    "a chosen engine",
    { env: { DOCKER_HOST: "tcp://10.0.0.1" } },
    /No Docker Engine answers at DOCKER_HOST=tcp:\/\/10\.0\.0\.1/,
  ],
  ["no permission", { stderr: "permission denied while trying to connect" }, /usermod -aG docker/],
  ["installed, not running, not root", { installed: true, isRoot: false }, /Start it: sudo dockerd/],
  [
    "one that never answers",
    { installed: true, answers: "never" },
    /does not answer after 30 s\. See why: \/var\/log\/dockerd\.log/,
  ],
])("%s: a message that says what to do", async (_, given, message) => {
  await expect(ensured(given)).rejects.toThrow(message);
});
