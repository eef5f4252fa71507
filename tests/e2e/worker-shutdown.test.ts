/** A worker that is asked to stop, with Celery itself: it completes its tasks, and does not hang with none left. */
import { writeFileSync, chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { must, run } from "../../common/process.ts";
import { endsWarmly } from "../../components/worker-tier/warm-shutdown.ts";
import { baseImage, officialImages } from "../../config/images.ts";
import { ownImage } from "../../images/own.ts";
import { eventually } from "../../testing/eventually.ts";
import { temporaryFolder } from "../../testing/folder.ts";
import { docker } from "../../testing/sandbox.ts";

jest.setTimeout(120_000);

const image = ownImage(process.cwd(), "app", baseImage()).reference;

/**
 * Tasks that say when they begin and end. With DEAF, the main process reads nothing any more when its pool is closed, and waits for the
 * processes of the pool, as Celery does when its warm shutdown hangs.
 */
const program = `import os, pathlib, time
from celery import Celery
from celery.concurrency.asynpool import AsynPool
app = Celery("shop", broker="redis://broker:6379/" + os.environ["DATABASE"])

@app.task
def note(name, seconds, size):
    pathlib.Path(f"/shared/{name}-began").touch()
    time.sleep(seconds)
    pathlib.Path(f"/shared/{name}-ended").touch()
    if size > 0:
        # The process of the pool tells the main one of it.
        raise ValueError("x" * size)

def lives(child):
    try:
        return open(f"/proc/{child}/stat").read().split(") ")[1][0] != "Z"
    except OSError:
        return False

def join(pool, joined=AsynPool.join):
    while os.environ.get("DEAF") and any(lives(process.pid) for process in pool._pool):
        time.sleep(0.2)
    joined(pool)

AsynPool.join = join
`;

const network = `orion-e2e-worker-${process.pid}`;
const made: string[] = [];
beforeAll(async () => {
  docker("network", "create", network);
  made.push(`${network}-broker`);
  const broker = ["--name", `${network}-broker`, "--network", network, "--network-alias", "broker"];
  await must("docker", ["run", "--detach", ...broker, officialImages.redis, "redis-server", "--protected-mode", "no"]);
});
afterAll(() => {
  docker("rm", "--force", "--volumes", ...made);
  docker("network", "rm", network);
});

/** A worker with a task that takes so long and whose result is so large, which is asked to stop in the midst of it. */
async function stopped(task: { readonly seconds: number; readonly size: number }, deaf: boolean) {
  const shared = temporaryFolder("worker");
  chmodSync(shared, 0o777);
  writeFileSync(join(shared, "shop.py"), program);
  const environment = ["PYTHONPATH=/shared", ...(deaf ? ["DATABASE=1", "DEAF=1"] : ["DATABASE=0"])].flatMap((one) => [
    "--env",
    one,
  ]);
  const command = ["celery", "-A", "shop", "worker", "--loglevel=info", "--concurrency=2", "--without-gossip"];
  const [id = ""] = docker(
    ...["run", "--detach", "--init", "--network", network, "--workdir", "/shared"],
    ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    ...["--volume", `${shared}:/shared`, ...environment, image, ...endsWarmly(command)],
  );
  made.push(id);
  const call = `from shop import note; note.delay("task", ${task.seconds}, ${task.size})`;
  await must("docker", ["exec", id, "python", "-c", call]);
  await eventually(() => {
    if (!existsSync(join(shared, "task-began"))) throw new Error("the task has not begun");
  }, 60);
  const from = performance.now();
  await run("docker", ["stop", "--time", "60", id]);
  const { stdout: code } = await run("docker", ["inspect", "--format", "{{.State.ExitCode}}", id]);
  const { output: log } = await run("docker", ["logs", id]);
  return {
    seconds: (performance.now() - from) / 1000,
    ...{ code: Number(code), log, hasEnded: existsSync(join(shared, "task-ended")) },
  };
}

test("tasks are completed, however long they do nothing; a hang without tasks is ended", async () => {
  const [long, hung] = await Promise.all([
    // Asleep for longer than what hangs is waited for.
    stopped({ seconds: 18, size: 0 }, false),
    // More than a pipe holds.
    stopped({ seconds: 2, size: 1_000_000 }, true),
  ]);
  expect(long).toMatchObject({ code: 0, hasEnded: true });
  expect(long.seconds).toBeGreaterThan(12);
  expect(long.log).not.toContain("orion:");

  expect(hung).toMatchObject({ hasEnded: true });
  expect(hung.log).toMatch(/orion: this worker has no task left and does not end/);
  expect(hung.seconds).toBeLessThan(32);
});
