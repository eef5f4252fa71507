/** The examples for real: their images are built and asked, and their stacks serve, migrate, run tasks and are well. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { baseImage } from "../../config/images.ts";
import { buildImage } from "../../common/images/docker-build.ts";
import { builderEnvironment } from "../../common/images/engine.ts";
import { contextFiles } from "../../common/images/context.ts";
import { run } from "../../common/process.ts";
import { eventually } from "../../testing/eventually.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { docker, freePorts, Sandbox, succeed } from "../../testing/sandbox.ts";

jest.setTimeout(600_000);

interface Settings {
  readonly config: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** The settings of an example, without the namespace, for the image that was built for this run. */
const settingsOf = (name: string, image: string) => {
  const { config } = parse(readFileSync(join("examples", name, "settings.yaml"), "utf8")) as Settings;
  return { app: { ...config["orion:app"], image }, workers: config["orion:workers"] };
};

async function build(name: string): Promise<string> {
  const reference = `orion/e2e-example-${process.pid}:${name}`;
  const pip = spawnSync("pip", ["config", "get", "global.index-url"], { encoding: "utf8" });
  const index = process.env["PIP_INDEX_URL"] ?? (pip.status === 0 ? pip.stdout.trim() : "");
  const environment = { ...(index !== "" && { PIP_INDEX_URL: index }), ...(await builderEnvironment(run)) };
  await buildImage(
    { runner: run, logs: temporaryFolder("example"), environment },
    ...[
      {
        title: name,
        reference,
        files: contextFiles(join("examples", name)),
        args: { PYTHON_IMAGE: baseImage() },
        labels: {},
      },
    ],
  );
  return reference;
}

const sandboxes: Sandbox[] = [];
const images: string[] = [];
async function example(name: string, services: readonly string[]): Promise<Sandbox> {
  const image = await build(name);
  images.push(image);
  const sandbox = new Sandbox(process.cwd(), "example", await freePorts());
  sandboxes.push(sandbox);
  sandbox.configure({ services, ...settingsOf(name, image) });
  return sandbox;
}

afterAll(() => {
  for (const sandbox of sandboxes) sandbox.dispose();
  docker("image", "rm", "--force", ...images);
});

async function answer(sandbox: Sandbox, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${sandbox.ports.edge}${path}`, {
    ...(body !== undefined && {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    }),
  });
  expect([path, response.ok]).toEqual([path, true]);
  return response.json();
}

test("a project like full-stack-fastapi-template: no Celery, the database's address in parts, asyncpg, Alembic", async () => {
  const sandbox = await example("full-stack-fastapi", ["cache", "app", "edge"]);
  const missing = sandbox.make("check-image");
  expect(missing.output).toMatch(/app\.module app\.main:app cannot be imported.*orion:app\.environment/);
  const secret = ["--secret", "--path", "orion:app.secrets.FIRST_SUPERUSER_PASSWORD", "changethis"];
  succeed(sandbox.pulumi("stack", "select", "--create"));
  succeed(sandbox.pulumi("config", "set", ...secret));
  expect(succeed(sandbox.make("check-image"))).toMatch(/GET \/api\/v1\/utils\/health-check\/: 200/);
  succeed(sandbox.make("up"));
  expect(await answer(sandbox, "/api/v1/items/", { title: "lamp" })).toMatchObject({ title: "lamp" });
  expect(await answer(sandbox, "/api/v1/items/")).toHaveLength(1);
  expect(await answer(sandbox, "/api/v1/users/superusers")).toEqual(["admin@example.com"]);
  expect(docker("ps", "--filter", `label=stack=${sandbox.stack}`, "--format", "{{.Names}}").join(" ")).not.toMatch(
    /worker|beat|flower|broker/,
  );
  succeed(sandbox.make("migrate-up"));
  succeed(sandbox.make("doctor"));
});

test("a project with Celery and names of its own: queues, a broker's variable, a folder, an entrypoint, no Flower", async () => {
  const sandbox = await example("celery-shop", ["cache", "app", "workers", "beat", "edge"]);
  expect(succeed(sandbox.make("check-image"))).toMatch(
    /tasks by queue: billing \(1\), mail \(1\)|mail \(1\), billing \(1\)/,
  );
  succeed(sandbox.make("up"));
  const { number } = (await answer(sandbox, "/bills?who=ann", {})) as { readonly number: number };
  await eventually(async () => {
    expect(await answer(sandbox, `/bills/${number}`)).toEqual({ who: "ann", file: `/srv/invoices/${number}.txt` });
  }, 60);
  await eventually(() => {
    expect(sandbox.make("logs", { SERVICE: "worker" }).output).toMatch(/shop\.jobs\.remind\[[^\]]+\] succeeded/);
  }, 60);
  succeed(sandbox.make("doctor"));
});
