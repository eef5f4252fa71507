/** The preview of a pull request on a real repository of two commits, by the steps of the workflows as they stand. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { run } from "../../common/process.ts";
import { secretKeys } from "../../config/schema.ts";
import { actionlint, ensureProgram } from "../../rehearsal/programs/programs.ts";
import { scriptOf, workflow } from "../../testing/workflows.ts";

jest.setTimeout(300_000);

const project = process.cwd();
let folder: string;

const git = (...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(
    "git",
    ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args],
    { cwd: folder, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
};

/** Runs the `run` steps of a job as a runner does. */
const steps = (name: string, job: string, environment: Readonly<Record<string, string>>) => {
  const script = join(folder, "..", "step.sh");
  writeFileSync(script, scriptOf(project, name, job));
  return run("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
    cwd: folder,
    environment: { ...process.env, ...environment },
  });
};

const report = (base = "HEAD~1") => steps("preview.yml", "report", { BASE: git("rev-parse", base), PULL_REQUEST: "7" });
const comment = () => readFileSync(join(folder, ".orion/preview/comment.md"), "utf8");

/** A commit with a change of a file of the one before. */
function change(file: string, edit: (text: string) => string): void {
  const path = join(folder, file);
  writeFileSync(path, edit(readFileSync(path, "utf8")));
  git("commit", "--quiet", "--all", "--message", `Change ${file}`);
}

beforeAll(() => {
  mkdirSync(join(project, ".orion"), { recursive: true });
  folder = join(mkdtempSync(join(project, ".orion", "preview-")), "repository");
  const files = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { encoding: "utf8" });
  for (const file of files.stdout.split("\n").filter((name) => name !== "" && existsSync(name))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(file, join(folder, file), { preserveTimestamps: true });
  }
  // A copy by hard links, not a symbolic link: whatever make or npm do in there, the project's own modules stay.
  expect(spawnSync("cp", ["-al", join(project, "node_modules"), folder]).status).toBe(0);
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("commit", "--quiet", "--message", "The version before");
});
afterAll(() => {
  rmSync(join(folder, ".."), { recursive: true, force: true });
});
beforeEach(() => {
  git("reset", "--quiet", "--hard", "main");
  git("checkout", "--quiet", "-B", "change", "main");
});

test("a change of the documentation changes no stack", async () => {
  change("README.md", (text) => `${text}\nOne more line.\n`);
  expect((await report()).code).toBe(0);
  expect(comment()).toMatch(/\| prod \| unchanged \|/);
  expect(git("worktree", "list").split("\n")).toHaveLength(1);
});

test("a move to phase scale is safe, with its price and its servers", async () => {
  change("Pulumi.prod.yaml", (text) => text.replace(/phase: mvp/, "phase: scale"));
  const { code } = await report();
  expect(comment()).toMatch(/\| prod \| mvp → scale \| \d+ \| 37\.13 → 141\.7\d \(\+104\.\d+\) \| safe/);
  expect(comment()).toContain("| db-2 |");
  expect(code).toBe(0);
});

test("a change that would lose data fails the check and names the resource", async () => {
  change("Pulumi.prod.yaml", (text) => `${text}  orion:hetzner:\n    locations: [hel1]\n`);
  const { code } = await report();
  expect(comment()).toContain("**Must not be merged:** **prod**");
  expect(comment()).toContain("<code>core-1-volume</code>");
  expect(code).toBe(2);
});

test("a stack file that is not valid fails the check with the program's words", async () => {
  change("Pulumi.prod.yaml", (text) => text.replace(/phase: mvp/, "phase: scal"));
  const { code } = await report();
  expect(comment()).toContain("allowed: one of development, mvp, scale, enterprise, ha");
  expect(code).toBe(2);
});

test("a change of the program is seen as well, by composing each version with its own", async () => {
  change("config/presets.ts", (text) => text.replace("flowerMemoryMb: 128", "flowerMemoryMb: 132"));
  expect((await report()).code).toBe(0);
  expect(comment()).toMatch(/\| prod \| mvp \| \d+ \|/);
  expect(comment()).not.toContain("could not compose its own stacks");
});

test("no secret of a stack file is in the report, encrypted or not", async () => {
  change("Pulumi.prod.yaml", (text) => {
    const secrets = secretKeys.map((key) => `  orion:${key}:\n    secure: v1:cipher-${key}\n`).join("");
    return `${text.replace(/phase: mvp/, "phase: scale")}${secrets}`;
  });
  await report();
  const written = ["comment.md", "summary.md", "report.json"].map((file) =>
    readFileSync(join(folder, ".orion/preview", file), "utf8"),
  );
  for (const text of written) expect(text).not.toMatch(/cipher-|generated-|v1:/);
});

test("the job that posts finds what the report's job left", async () => {
  change("Pulumi.prod.yaml", (text) => text.replace(/phase: mvp/, "phase: scale"));
  await report();
  const head = git("rev-parse", "HEAD");
  const posted: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      if (request.method === "POST") posted.push((JSON.parse(body) as { body: string }).body);
      const isPull = request.url?.endsWith("/pulls/7") === true;
      response.end(JSON.stringify(isPull ? { state: "open", head: { sha: head } } : []));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await steps("comment.yml", "comment", {
      ...{ GITHUB_API_URL: `http://127.0.0.1:${port}`, GITHUB_REPOSITORY: "orion/platform", GITHUB_TOKEN: "token" },
      ...{ COMMIT: head, RUN_URL: "https://example.com/run" },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  } finally {
    server.close();
  }
  expect(posted).toHaveLength(1);
  expect(posted[0]).toContain("mvp → scale");
});

test("the workflows pass actionlint, pin every action by commit and ask for no more than they need", async () => {
  const { code, stdout, stderr } = await run(await ensureProgram(actionlint, { root: project }), ["-no-color"], {
    cwd: project,
  });
  expect({ code, output: stdout + stderr }).toEqual({ code: 0, output: "" });
  const allowed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "comment.yml": { actions: "read", contents: "read", "pull-requests": "write" },
    "deploy.yml": { actions: "read", contents: "read" },
    "deploy-stack.yml": { actions: "read", contents: "read" },
    "drift.yml": { contents: "read", issues: "write" },
    "preview.yml": { contents: "read" },
    "restore-drill.yml": { contents: "read" },
  };
  expect(readdirSync(join(project, ".github/workflows")).sort()).toEqual(Object.keys(allowed).sort());
  for (const [name, permissions] of Object.entries(allowed)) {
    const { jobs, ...file } = workflow(project, name);
    expect({ name, permissions: file.permissions }).toEqual({ name, permissions });
    const used = Object.values(jobs).flatMap((job) => [job.uses, ...(job.steps?.map((step) => step.uses) ?? [])]);
    for (const action of used.filter((one) => one !== undefined && !one.startsWith("./.github/workflows/")))
      expect(action).toMatch(/@[0-9a-f]{40}$/);
    // What a user or a pull request names is data of a variable, never a part of a command.
    for (const { run: command = "" } of Object.values(jobs).flatMap(({ steps: all = [] }) => all))
      expect(command).not.toContain("${{");
  }
});

test("the report of a pull request has the engine's previews of the real states", async () => {
  change("Pulumi.prod.yaml", (text) => text.replace(/phase: mvp/, "phase: scale"));
  const left = join(folder, ".orion/states");
  mkdirSync(left, { recursive: true });
  const changes = [
    { action: "create", type: "hcloud:index/server:Server", name: "db-2-server", group: "db-2", inputs: [] },
  ];
  const preview = { version: 1, stack: "prod" };
  writeFileSync(join(left, "state-prod.json"), JSON.stringify({ ...preview, kind: "changes", changes }));
  expect((await report()).code).toBe(0);
  expect(comment()).toContain("#### prod: against its real state");
  expect(comment()).toContain("Server db-2-server would be created");
  writeFileSync(
    join(left, "state-prod.json"),
    JSON.stringify({ ...preview, kind: "refused", error: "would lose data" }),
  );
  expect((await report()).code).toBe(2);
  expect(comment()).toContain("**Must not be merged:** **prod**");
  rmSync(left, { recursive: true });
});
