/** A Pulumi project in a folder of its own, whose Cloudflare plugin is the stand-in, run by the real engine. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** The output of a command that has to end well. */
export function succeed({ code, output }: Ran): string {
  if (code !== 0) throw new Error(output);
  return output;
}

export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "orion-cloudflare-"));
  readonly #env: NodeJS.ProcessEnv;

  /** @param program a file below program/, or a path; it is run where it is, and may use the components */
  constructor(root: string, program: string, environment: Readonly<Record<string, string>>) {
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"));
    const path = resolve(root, "tests", "contract", "rehearsal", "program", program);
    writeFileSync(join(this.folder, "index.ts"), `export * from ${JSON.stringify(path)};\n`);
    writeFileSync(join(this.folder, "package.json"), JSON.stringify({ name: "probe", type: "module" }));
    const providers = [
      { name: "cloudflare", path: join(root, "rehearsal", "cloudflare-plugin") },
      { name: "orion", path: join(root, "plugin") },
    ];
    const runtime = { name: "nodejs", options: { typescript: false } };
    // JSON is YAML.
    writeFileSync(
      join(this.folder, "Pulumi.yaml"),
      JSON.stringify({ name: "probe", runtime, main: "index.ts", plugins: { providers } }),
    );
    mkdirSync(join(this.folder, "state"));
    const own = Object.entries(process.env).filter(([name]) => !/^(PULUMI_(?!HOME)|CLOUDFLARE_|npm_)/.test(name));
    this.#env = {
      ...Object.fromEntries(own),
      PATH: `${join(root, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`,
      PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "probe",
      ...environment,
    };
  }

  /** Runs the engine; the test's own servers go on answering meanwhile. */
  pulumi(...args: readonly string[]): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn("pulumi", [...args, "--non-interactive"], { cwd: this.folder, env: this.#env });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => (output += text));
      child.once("error", reject);
      child.once("close", (code) => {
        resolve({ code: code ?? 1, output });
      });
    });
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
