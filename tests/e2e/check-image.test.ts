/** The check of an image, with real images: what fits, what does not, and that an update which does not fit touches nothing. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { ownImage } from "../../images/own.ts";
import { baseImage } from "../../config/images.ts";
import { buildImage } from "../../testing/docker-image.ts";
import { docker, freePorts, Sandbox, succeed } from "../../testing/sandbox.ts";

jest.setTimeout(300_000);

const sample = ownImage(process.cwd(), "app", baseImage()).reference;
const repository = `orion/e2e-check-${process.pid}`;

/** Images on top of the sample application's, by their tags. */
const images: Readonly<Record<string, string>> = {
  // An app of another kind: its own names, a health check of another path, no migrations, Celery's usual queue.
  [`${repository}:shop`]: String.raw`RUN mkdir /shop && printf 'from fastapi import FastAPI\nfrom celery import Celery\nfrom kombu import Queue\napi = FastAPI()\nworker = Celery("shop")\nworker.conf.task_queues = (Queue("celery"), Queue("mail"))\nworker.conf.task_create_missing_queues = False\nworker.conf.broker_transport_options = {"retry_on_timeout": True}\n@worker.task\ndef bill(): pass\n@api.get("/up")\ndef up(): return {}\n' > /shop/store.py
WORKDIR /shop
ENV PYTHONPATH= UVICORN_WS=`,
  [`${repository}:alone`]: `FROM ${repository}:shop\nENTRYPOINT ["uvicorn", "store:api"]`,
};

let sandbox: Sandbox;
const shop = {
  app: {
    image: `${repository}:shop`,
    module: "store:api",
    healthPath: "/up",
    readyPath: "/up",
    migrate: [],
    initialise: [],
  },
  workers: { celery: "store:worker", queues: ["celery", "mail"] },
};
const check = (image: string) => sandbox.make("check-image", { IMAGE: image });

beforeAll(async () => {
  for (const [tag, lines] of Object.entries(images)) {
    buildImage(tag, lines.startsWith("FROM") ? lines : `FROM ${sample}\nUSER root\n${lines}\nUSER orion\n`);
  }
  sandbox = new Sandbox(process.cwd(), "check", await freePorts());
});

afterAll(() => {
  sandbox.dispose();
  docker("image", "rm", "--force", ...Object.keys(images));
});

test("the sample application fits, and its drivers were tried", () => {
  sandbox.configure({});
  const output = succeed(check(sample));
  expect(output).toMatch(/GET \/health: 200/);
  expect(output).toMatch(/psycopg: understands DATABASE_URL/);
  expect(output).toMatch(/app\.celery: Celery [\d.]+; tasks by queue: .*emails/);
});

test("questions are asked two at a time; one that ends its process or does not answer keeps the others from nothing", () => {
  const source = readFileSync("guard/image-check.py", "utf8");
  const questions = `[
    (("commands", "hangs"), lambda: time.sleep(60), 1),
    (("app", ""), lambda: os._exit(3), 20),
    (("urls", "A"), lambda: {"answer": "x" * 200000}, 20),
    (("urls", "B"), lambda: sys.exit("no settings"), 20),
  ]`;
  const asking = `answers = ask_all(${questions})\nprint(json.dumps(list(answers.values())), len(answers["urls", "A"]["answer"]))`;
  const { stdout, stderr } = spawnSync(
    "docker",
    [
      "run",
      "--rm",
      "--network",
      "none",
      "--entrypoint",
      "python",
      sample,
      "-c",
      source.replace(/main\(\)\s*$/, asking),
    ],
    { encoding: "utf8" },
  );
  expect({ stdout: stdout.replace(/x{200000}/, "x"), stderr }).toEqual({
    stdout: `${[
      `[{"error": "it ends the process", "connects": false}, {"answer": "x"}, `,
      `{"error": "it ends with SystemExit: no settings", "connects": false}, `,
      `{"error": "it did not answer within 1 s", "connects": true}] 200000`,
    ].join("")}\n`,
    stderr: "",
  });
});

test("an app with other names is told all of its settings at once, and fits with them", () => {
  sandbox.configure({});
  const { code, output } = check(`${repository}:alone`);
  expect(code).not.toBe(0);
  expect(output).toMatch(/image\.entrypoint .* exec "\$@"/);
  for (const name of ["app.module", "app.migrate", "app.initialise", "workers.celery"])
    expect(output).toContain(`  ${name} `);
  sandbox.configure({ ...shop, workers: { celery: "store:worker" } });
  expect(check(`${repository}:shop`).output).toMatch(/set orion:workers\.queues to \[celery, mail\]/);
  sandbox.configure(shop);
  const fits = succeed(check(`${repository}:shop`));
  expect(fits).toMatch(/note .*has retry_on_timeout: a worker whose connection to the broker is cut/);
  expect(fits).toMatch(/note .*would be lost: Celery's application has no task_acks_late \(the task /);
  expect(fits).toMatch(/The image fits/);
});

test("an update with an image that does not fit is refused before anything is made, and one that fits is not asked twice", () => {
  const made = () => docker("ps", "--all", "--quiet", "--filter", `label=stack=${sandbox.stack}`);
  sandbox.configure({ services: ["cache", "app"], app: { image: `${repository}:shop` } });
  const refused = sandbox.make("up");
  expect(refused.code).not.toBe(0);
  expect(refused.output).toMatch(
    /does not fit this stack; nothing was changed:\n\s+app\.module main:app cannot be imported/,
  );
  expect(made()).toEqual([]);

  sandbox.configure({ services: ["cache", "app"], ...shop });
  succeed(sandbox.make("up"));
  const key = sandbox.pulumi("stack", "output", "checkedImage").output.trim();
  expect(key).toMatch(/^[0-9a-f]{16}$/);
  // The image is not there to be asked: the key alone lets the preview pass.
  const preview = sandbox.pulumi("preview");
  expect(succeed(preview)).not.toMatch(/checkedImage/);
});
