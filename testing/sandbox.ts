/**
 * A copy of the project in a temporary folder, with its own stack name and ports, so that tests touch neither the working
 * tree nor a development stack on the same machine.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { freePort } from "../common/ports.ts";

export interface Ran {
  readonly code: number;
  /** Standard output and standard error. */
  readonly output: string;
}

/** The output of a command that must succeed. @throws {Error} with what it said last, or with the engine's diagnostics, when it failed */
export function succeed({ code, output }: Ran): string {
  if (code === 0) return output;
  const [, diagnostics] = /^Diagnostics:\n([^]*?)(?=^Outputs:|^Resources:)/m.exec(output) ?? [];
  const said = diagnostics ?? output.trimEnd().split("\n").slice(-25).join("\n");
  throw new Error(`the command ended with code ${code}; it said:\n${said.slice(0, 6000)}`);
}

const portNames = ["database", "testDatabase", "cache", "app", "flower", "edge", "docs"] as const;
export type Ports = Readonly<Record<(typeof portNames)[number], number>>;

export class Sandbox {
  /** The purpose, and what no other run on this machine has: names in Docker follow from it. */
  readonly stack: string;
  readonly root: string;
  readonly ports: Ports;

  /** @param purpose a word that says whose it is */
  constructor(project: string, purpose: string, ports: Ports) {
    this.stack = `${purpose}-${randomBytes(3).toString("hex")}`;
    this.ports = ports;
    this.root = mkdtempSync(join(tmpdir(), `orion-${this.stack}-`));
    const listed = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
      cwd: project,
      encoding: "utf8",
    });
    for (const file of listed.stdout.split("\0").filter((name) => name !== "")) {
      mkdirSync(join(this.root, dirname(file)), { recursive: true });
      cpSync(join(project, file), join(this.root, file), { recursive: true });
    }
    symlinkSync(join(project, "node_modules"), join(this.root, "node_modules"));
    // Older than the installed packages, so that make never installs them again.
    utimesSync(join(this.root, "package-lock.json"), 0, 0);
    this.configure({});
  }

  /** Writes the stack's file: development on the sandbox's ports, and the given keys. */
  configure(keys: Readonly<Record<string, unknown>>): void {
    const all = { phase: "development", ports: this.ports, ...keys };
    const config = Object.fromEntries(Object.entries(all).map(([key, value]) => [`orion:${key}`, value]));
    const path = join(this.root, `Pulumi.${this.stack}.yaml`);
    // The engine keeps the salt of the stack's passphrase in the same file.
    const before: unknown = existsSync(path) ? parse(readFileSync(path, "utf8")) : {};
    writeFileSync(path, stringify({ ...(typeof before === "object" ? before : {}), config }));
  }

  /** Runs a make target for the sandbox's stack to its end. */
  make(target: string, variables: Readonly<Record<string, string>> = {}, input = ""): Ran {
    return this.run("make", [...this.#makeOptions(target), ...assignments(variables)], {}, input);
  }

  /** Runs the engine in the sandbox. */
  pulumi(...args: string[]): Ran {
    return this.run("npx", ["pulumi", ...args, "--stack", this.stack]);
  }

  run(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}, input = ""): Ran {
    const { status, stdout, stderr } = spawnSync(program, [...args], {
      input,
      cwd: this.root,
      encoding: "utf8",
      env: { ...this.#environment(), ...environment },
      maxBuffer: 1 << 28,
    });
    return { code: status ?? 1, output: stdout + stderr };
  }

  /** Starts a make target in its own process group, so that it can be killed with its children. */
  start(target: string): ChildProcess {
    return spawn("make", this.#makeOptions(target), {
      cwd: this.root,
      detached: true,
      stdio: "ignore",
      env: this.#environment(),
    });
  }

  /** The environment, with temporary files in the sandbox: a killed engine leaves some. */
  #environment(): NodeJS.ProcessEnv {
    mkdirSync(this.#temporary, { recursive: true });
    return { ...cleanEnvironment(), TMPDIR: this.#temporary };
  }

  get #temporary(): string {
    return join(this.root, ".orion", "tmp");
  }

  /** Processes of the sandbox that still run, such as the plugins of a killed engine. */
  processes(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => readOr(`/proc/${pid}/environ`, "").split("\0").includes(`TMPDIR=${this.#temporary}`))
      .map(Number);
  }

  #makeOptions(target: string): string[] {
    return ["--no-print-directory", target, `STACK=${this.stack}`];
  }

  /** The stack's containers, networks and volumes in Docker, also those that are not in the state. */
  leftovers(): string[] {
    const filter = ["--filter", `label=stack=${this.stack}`];
    return [
      ...docker("ps", "--all", ...filter, "--format", "container {{.Names}}"),
      ...docker("network", "ls", ...filter, "--format", "network {{.Name}}"),
      ...docker("volume", "ls", ...filter, "--format", "volume {{.Name}}"),
    ];
  }

  /** Removes everything that the sandbox created, also after a failed test. */
  dispose(): void {
    for (const [kind, name] of this.leftovers().map((line) => line.split(" "))) {
      if (kind && name) docker(kind, "rm", "--force", name);
    }
    for (const pid of this.processes()) process.kill(pid, "SIGKILL");
    rmSync(this.root, { recursive: true, force: true });
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}

/** The lines that a docker command prints. */
export function docker(...args: string[]): string[] {
  const { stdout } = spawnSync("docker", args, { encoding: "utf8", maxBuffer: 1 << 28 });
  return stdout.split("\n").filter((line) => line !== "");
}

/** Ports of the loopback address that nothing listens on. */
export async function freePorts(): Promise<Ports> {
  const found = new Set<number>();
  while (found.size < portNames.length) found.add(await freePort());
  const ports = [...found];
  return Object.fromEntries(portNames.map((name, index) => [name, ports[index]])) as Ports;
}

/** The environment without variables of a surrounding run of make or the engine. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(PULUMI_(?!HOME)|MAKE|MFLAGS|STACK$|npm_)/.test(name)),
  );
}

const assignments = (variables: Readonly<Record<string, string>>): string[] =>
  Object.entries(variables).map(([name, value]) => `${name}=${value}`);
