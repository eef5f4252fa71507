import { dockerVersion, ensureDocker, type Machine } from "../../../../toolchain/src/docker.ts";
import { progressOn } from "../../../../toolchain/src/progress.ts";
import { outcomeOf } from "../../support/process.ts";

interface Given {
  readonly env?: Record<string, string>;
  /** Texts of files by path. */
  readonly files?: Record<string, string>;
  readonly platform?: string;
  readonly isRoot?: boolean;
  readonly init?: string;
  readonly osRelease?: string;
  readonly installed?: boolean;
  /** What docker says while no engine answers. */
  readonly stderr?: string;
  /** Packages that apt-get does not know, or cannot get. */
  readonly refused?: readonly string[];
  /** What systemctl says instead of starting it. */
  readonly systemctl?: string;
  /** Whether the engine answers at once, after its start, or never. */
  readonly answers?: "at once" | "once started" | "never";
}

const debian = 'PRETTY_NAME="Debian GNU/Linux 12"\nID=debian\n';

function machineOf(given: Given): {
  machine: Machine;
  ran: string[];
  slept: number[];
  environments: Readonly<Record<string, string | undefined>>[];
} {
  const ran: string[] = [];
  const slept: number[] = [];
  const environments: Readonly<Record<string, string | undefined>>[] = [];
  let installed = given.installed ?? false;
  let started = given.answers === "at once";
  const machine: Machine = {
    env: given.env ?? {},
    platform: given.platform ?? "linux",
    isRoot: given.isRoot ?? true,
    readText: (path) => given.files?.[path],
    removeFile: () => undefined,
    init: given.init ?? "bash",
    osRelease: given.osRelease ?? debian,
    progress: progressOn({ write: () => undefined }),
    has: (program) => program === "dockerd" && installed,
    run: (program, args, options = {}) => {
      const line = [program, ...args].join(" ");
      if (program === "docker") {
        const stderr = given.stderr ?? "Cannot connect to the Docker daemon";
        return Promise.resolve(outcomeOf(started ? { stdout: "27.0\n" } : { code: 1, stderr }));
      }
      ran.push(line);
      if (options.environment) environments.push(options.environment);
      const isRefused = args.some((name) => (given.refused ?? ["docker-cli"]).includes(name));
      if (line.startsWith("apt-get install") && !isRefused) installed = true;
      if (given.systemctl !== undefined) return Promise.resolve(outcomeOf({ code: 1, stderr: given.systemctl }));
      if (line.startsWith("systemctl start") && given.answers !== "never") started = true;
      return Promise.resolve(outcomeOf({ code: isRefused ? 100 : 0 }));
    },
    startDetached: (program) => {
      ran.push(`start ${program}`);
      if (given.answers !== "never") started = true;
    },
    sleep: (seconds) => Promise.resolve(slept.push(seconds)),
  };
  return { machine, ran, slept, environments };
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

test("one whose service the installation has started is not started again", async () => {
  const { machine, ran } = machineOf({ answers: "once started", init: "systemd" });
  const run: Machine["run"] = async (program, args, options) => {
    const outcome = await machine.run(program, args, options);
    if (program === "apt-get" && args[0] === "install") await machine.run("systemctl", ["start", "by-the-package"]);
    return outcome;
  };
  await ensureDocker({ ...machine, run });
  expect(ran.at(-1)).toBe("systemctl start by-the-package");
});

test.each([
  ["Debian", debian],
  ["Ubuntu", 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n'],
  ["a system like them", 'ID=linuxmint\nID_LIKE="ubuntu debian"\n'],
])("root on %s gets the system's own packages, without being asked anything", async (_, osRelease) => {
  const { machine, ran, environments } = machineOf({ osRelease, answers: "once started", env: { PATH: "/bin" } });
  await ensureDocker(machine);
  expect(ran).toEqual([
    "apt-get update",
    "apt-cache show docker-cli",
    "apt-get install -y docker.io iptables",
    "start dockerd",
  ]);
  const environment = { PATH: "/bin", DEBIAN_FRONTEND: "noninteractive" };
  expect(environments).toEqual([environment, environment]);
});

test("where the client is a package of its own, it is installed as well", async () => {
  expect(await ensured({ answers: "once started", refused: [] })).toContain(
    "apt-get install -y docker.io iptables docker-cli",
  );
});

test("a start is waited for, a second at a time, for as long as it may take", async () => {
  const { machine, slept } = machineOf({ installed: true, answers: "never" });
  await expect(ensureDocker(machine)).rejects.toThrow("does not answer after 30 s");
  expect(slept).toEqual(Array.from({ length: 30 }, () => 1));
});

test("a version is none where no engine answers", async () => {
  expect(await dockerVersion(machineOf({}).machine)).toBeUndefined();
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
  [
    "a chosen context",
    {
      env: { HOME: "/home/one" },
      files: {
        "/home/one/.docker/config.json": '{"currentContext": "colima"}',
        // The SHA-256 of "colima".
        "/home/one/.docker/contexts/meta/f24fd3749c1368328e2b149bec149cb6795619f244c5b584e844961215dadd16/meta.json":
          '{"Name": "colima", "Endpoints": {"docker": {"Host": "unix:///home/one/.colima/docker.sock"}}}',
      },
    },
    /^No Docker Engine answers at unix:\/\/\/home\/one\/\.colima\/docker\.sock, which the docker context colima names: .*\nStart it, or run: docker context use default,/,
  ],
  ["an empty choice, which is none", { env: { DOCKER_HOST: "" }, isRoot: false }, /^No Docker Engine is installed\.\n/],
  [
    "packages that cannot be had",
    { refused: ["docker.io"] },
    /apt-get could not install docker\.io and iptables\. Check the/,
  ],
  [
    "a service that root cannot start",
    { installed: true, init: "systemd", systemctl: "Job for docker.service failed\nSee more\n" },
    /^The Docker Engine could not be started: Job for docker\.service failed\nSee why: journalctl -u docker$/,
  ],
  [
    "a service that is not ours to start",
    { installed: true, init: "systemd", isRoot: false, systemctl: "Access denied" },
    /^The Docker Engine could not be started: Access denied\nStart it: sudo systemctl start docker$/,
  ],
  [
    "a service that never answers",
    { installed: true, init: "systemd", answers: "never" },
    /does not answer after 30 s\. See why: journalctl -u docker$/,
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
