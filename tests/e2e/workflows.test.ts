/** The steps of deploy and drift as they stand, on a stack with PostgreSQL alone, by the real engine; GitHub is a small server. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type HttpServer, serveHttp } from "../../testing/http-server.ts";
import { docker, freePorts, type Ran, Sandbox, succeed } from "../../testing/sandbox.ts";
import { blockWith, commandsOf } from "../../testing/documented.ts";
import { scriptOf } from "../../testing/workflows.ts";

jest.setTimeout(300_000);

interface Issue {
  number: number;
  title: string;
  body: string;
  state: string;
  user: { type: string };
}

const project = process.cwd();
const container = () => `orion-${sandbox.stack}-database`;
let sandbox: Sandbox;
let github: HttpServer;
let issues: Issue[] = [];

beforeAll(async () => {
  sandbox = new Sandbox(project, "workflows", await freePorts());
  sandbox.configure({ services: [] });
  github = await serveHttp((request, response, body) => {
    const change = body === "" ? {} : (JSON.parse(body) as Partial<Issue>);
    const number = Number(/\/repos\/orion\/platform\/issues\/(\d+)$/.exec(request.url ?? "")?.[1]);
    if (request.method === "POST") {
      issues.push({ number: 1, title: "", body: "", state: "open", user: { type: "Bot" }, ...change });
    }
    issues = issues.map((one) => (one.number === number ? { ...one, ...change } : one));
    const isAll = request.url?.includes("state=all") === true;
    response.end(JSON.stringify(issues.filter(({ state }) => isAll || state === "open")));
  });
});
afterAll(() => {
  sandbox.dispose();
});

/** Runs the steps of a job; this process goes on answering as GitHub. */
function steps(name: string, job: string): Promise<Ran & { readonly outputs: string; readonly summary: string }> {
  const at = (file: string) => join(sandbox.root, ".orion", file);
  const [script, outputs, summary] = [at("step.sh"), at("outputs"), at("summary.md")];
  mkdirSync(at(""), { recursive: true });
  for (const file of [outputs, summary]) rmSync(file, { force: true });
  writeFileSync(script, scriptOf(project, name, job));
  const own = Object.entries(process.env).filter(([key]) => !/^(PULUMI_(?!HOME)|MAKE|MFLAGS|STACK$|npm_)/.test(key));
  const env = {
    ...Object.fromEntries(own),
    ...{ STACK: sandbox.stack, GITHUB_OUTPUT: outputs, GITHUB_STEP_SUMMARY: summary },
    ...{ GITHUB_API_URL: github.url, GITHUB_REPOSITORY: "orion/platform", GITHUB_TOKEN: "token" },
    // As a runner passes secrets and variables that are not set.
    ...{ PULUMI_BACKEND_URL: "", OPERATOR_KEY: "", AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" },
    PULUMI_CONFIG_PASSPHRASE: "the passphrase of the environment",
  };
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], { cwd: sandbox.root, env });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code: code ?? 1, output, outputs: textOf(outputs), summary: textOf(summary) });
    });
  });
}

const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, "utf8") : "");

test("a new stack is announced, deployed, checked and reported; then nothing is left to approve", async () => {
  const preview = await steps("deploy-stack.yml", "preview");
  expect(preview).toMatchObject({ code: 0, outputs: "changes=yes\n" });
  expect(preview.summary).toContain("everything would be created");

  const update = await steps("deploy-stack.yml", "update");
  succeed(update);
  expect(docker("inspect", "--format", "{{.State.Running}}", container())).toEqual(["true"]);
  expect(update.summary).toMatch(
    /### Deployment of workflows-\w+[^]*Done: \d+ created, in \d+ s[^]*Doctor: all \d+ checks/,
  );
  const document: unknown = JSON.parse(readFileSync(join(sandbox.root, ".orion", "deploy", "deploy.json"), "utf8"));
  expect(document).toMatchObject({ version: 1, stack: sandbox.stack, succeeded: true, problems: [] });
  expect((document as { changes: object[] }).changes).toContainEqual({
    ...{ action: "create", type: "docker:index/container:Container", name: "database-server" },
  });

  const again = await steps("deploy-stack.yml", "preview");
  expect(again).toMatchObject({ code: 0, outputs: "changes=no\n" });
  expect(again.summary).toContain("The engine would change nothing.");
});

test("drift opens one issue in words of components, is undone by an update that asks first, and closes the issue", async () => {
  docker("rm", "--force", container());
  const found = await steps("drift.yml", "drift");
  succeed(found);
  expect(issues).toMatchObject([{ title: `Infrastructure drift: ${sandbox.stack}`, state: "open" }]);
  expect(issues[0]?.body).toContain("- Container database-server does not exist any more");
  expect(found.summary).toBe(issues[0]?.body);

  const [look, undo] = commandsOf(blockWith("docs/ci.md", "make drift STACK=prod"));
  const typed = (command: string | undefined) =>
    sandbox.run("bash", ["-c", String(command).replace("prod", sandbox.stack)], {
      PULUMI_CONFIG_PASSPHRASE: "the passphrase of the environment",
    });
  expect(typed(look)).toMatchObject({ code: 2, output: expect.stringContaining("has drifted") as string });
  succeed(typed(undo));
  expect(docker("inspect", "--format", "{{.State.Running}}", container())).toEqual(["true"]);
  expect(await steps("drift.yml", "drift")).toMatchObject({ code: 0, summary: "" });
  expect(issues).toMatchObject([{ state: "closed" }]);
});

test("the drill's step is the command for people, which says why a local stack has no backups", async () => {
  const { code, output } = await steps("restore-drill.yml", "drill");
  expect(code).not.toBe(0);
  expect(output).toContain("takes no backups");
});
