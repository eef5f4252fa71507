/** The entries, started as a user starts them, with an engine that is played by a shell script. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { engineFolder, partsOf, type ToolchainPaths, toolchainPaths } from "../../../../toolchain/src/parts.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { compileCache } from "../../support/compile-cache.ts";

const bin = resolve("toolchain/bin/pulumi.js");
const cli = resolve("toolchain/src/cli.ts");

let home: string;
let project: string;
let places: ToolchainPaths;
/** A user's environment, with nothing of the one that the tests run in. */
let env: Record<string, string>;
beforeEach(() => {
  home = temporaryFolder("commands");
  project = join(home, "project");
  env = { ...compileCache, HOME: home, PATH: process.env["PATH"] ?? "", DOCKER_HOST: "unix:///nowhere" };
  places = toolchainPaths(resolve("."), env);
  mkdirSync(join(project, "below"), { recursive: true });
  writeFileSync(join(project, "Pulumi.yaml"), "name: example\n");
  writeFileSync(join(project, "Pulumi.dev.yaml"), "config:\n  orion:phase: development\n");
});

/** Installs every part, the engine being this script. */
function install(engine: string): void {
  for (const { folder, programs } of partsOf(places)) {
    for (const program of programs) {
      mkdirSync(dirname(join(folder, program)), { recursive: true });
      writeFileSync(join(folder, program), `#!/bin/sh\n${engine}\n`);
      chmodSync(join(folder, program), 0o755);
    }
  }
}

function node(args: readonly string[], cwd = project) {
  return spawnSync(process.execPath, args, { cwd, env, encoding: "utf8", timeout: 30_000 });
}

describe("npx pulumi", () => {
  const say = 'echo "$*"; echo "$PULUMI_BACKEND_URL"; echo "${PULUMI_CONFIG_PASSPHRASE-none}"; echo "$PATH"';

  test("starts the engine with the arguments as they are, and its environment for the stack", () => {
    install(say);
    const { stdout, stderr, status } = node([bin, "up", "--stack", "dev", "-m", "two words"]);
    expect(stdout.split("\n").slice(0, 3)).toEqual([
      "up --stack dev -m two words",
      `file://${project}/.orion/state?metadata=skip`,
      "orion-development",
    ]);
    expect(stdout.split("\n")[3]?.split(":").slice(0, 2)).toEqual([engineFolder(places), dirname(process.execPath)]);
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    expect(existsSync(join(project, ".orion", "state"))).toBe(true);
  });

  test("finds the project upwards, and in the folder of --cwd", () => {
    install(say);
    expect(node([bin, "up"], join(project, "below")).stdout).toContain(
      `file://${project}/.orion/state?metadata=skip\n`,
    );
    expect(node([bin, "-C", project, "up"], home).stdout).toContain(`file://${project}/.orion/state?metadata=skip\n`);
  });

  test("hands the exit code on, and its output to whoever reads it", () => {
    install("echo out; echo err >&2; exit 42");
    expect(node([bin, "up"])).toMatchObject({ stdout: "out\n", stderr: "err\n", status: 42 });
  });

  test("says what to set when the passphrase was the wrong one", () => {
    install("echo 'error: incorrect passphrase' >&2; exit 255");
    const salt = `v1:${Buffer.from("salt").toString("base64")}:v1:${Buffer.alloc(12, 1).toString("base64")}:${Buffer.alloc(22, 1).toString("base64")}`;
    writeFileSync(join(project, "Pulumi.dev.yaml"), `encryptionsalt: ${salt}\nconfig:\n  orion:phase: development\n`);
    expect(node([bin, "up", "-s", "dev"]).stderr).toBe(
      "error: incorrect passphrase\n\n" +
        "Stack 'dev' was not encrypted with the well-known passphrase of the development phase.\n" +
        "Set PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) to the passphrase that it was encrypted with.\n",
    );
    env["PULUMI_CONFIG_PASSPHRASE"] = "hunter2";
    const { stderr } = node([bin, "up", "-s", "dev"]);
    expect(stderr).toContain("The passphrase in PULUMI_CONFIG_PASSPHRASE is not the one");
    expect(stderr).not.toContain("hunter2");
  });

  test("lets the engine end an update by itself when it is told to end", async () => {
    install("trap 'echo cleaned up; exit 7' TERM; echo started; while :; do sleep 0.05; done");
    const child = spawn(process.execPath, [bin, "up"], { cwd: project, env, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (text.includes("started")) child.kill("SIGTERM");
    });
    expect(await once(child, "exit")).toEqual([7, null]);
    expect(output).toBe("started\ncleaned up\n");
  });

  test("with a Node.js that is too old says which one is needed, and where it comes from", () => {
    const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.17.1" } })';
    const { stdout, stderr, status } = node(["--import", `data:text/javascript,${older}`, bin, "version"]);
    expect(stderr).toMatch(/^error: Orion needs Node\.js 22\.18 or newer, and this is .*\nRun npm install: /);
    expect({ stdout, status }).toEqual({ stdout: "", status: 1 });
  });
});

describe("the toolchain's own commands", () => {
  test("status says of every part what is there, and from where", () => {
    install("exit 0");
    const tls = partsOf(places).find(({ name }) => name === "tls");
    rmSync(tls?.folder ?? "", { recursive: true });
    const { stdout, stderr, status } = node([cli, "status"]);
    const rows = stdout.trim().split("\n");
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    expect(rows.map((row) => row.split(/ {2,}/)[0])).toEqual([
      "Pulumi",
      ...["hcloud", "docker", "random", "tls", "cloudflare"].map((name) => `plugin ${name}`),
      "Docker Engine",
      "Node.js",
    ]);
    expect(rows[0]).toMatch(/ installed by Pulumi$/);
    expect(rows[4]).toMatch(/ missing: run make setup$/);
    expect(rows[6]).toMatch(/ does not answer: make docker starts or installs it$/);
    // The columns stand below one another.
    expect(new Set(rows.map((row) => /^.{13} {2}\S+ */.exec(row)?.[0].length)).size).toBe(1);
  });

  test.each([[[]], [["ensure", "everything"]], [["ensure", "engine", "now"]], [["get"]]])(
    "%j is answered with the usage",
    (args) => {
      const { stdout, stderr, status } = node([cli, ...args]);
      expect(stderr).toMatch(/^Usage: node toolchain\/src\/cli\.ts COMMAND\n/);
      expect({ stdout, status }).toEqual({ stdout: "", status: 2 });
    },
  );

  test("what cannot be done is said in words, without a stack trace", () => {
    const { stdout, stderr, status } = node([cli, "ensure", "docker"]);
    expect(stderr).toMatch(/^error: No Docker Engine answers at DOCKER_HOST=unix:\/\/\/nowhere: .*\nStart it, or/);
    expect(stderr).not.toContain("    at ");
    expect({ stdout, status }).toEqual({ stdout: "", status: 1 });
  });

  test("nothing is done, and nothing said, when the engine is there", () => {
    install("exit 0");
    expect(node([cli, "ensure", "engine"])).toMatchObject({ stdout: "", stderr: "", status: 0 });
  });
});
