/** Workers, Beat and Flower: exactly what they ask the engine for, in a preview and in an update. */
import * as pulumi from "@pulumi/pulumi";
import { WorkerTier } from "../../../../components/worker-tier/worker-tier.ts";
import { endsWarmly } from "../../../../components/worker-tier/warm-shutdown.ts";
import { compose } from "../../support/compose.ts";
import { beatProbe, httpProbe, whileItStarts, workerProbe } from "../../../../components/runtime/docker/health.ts";
import { containerOf, expendable, healthOf, modes, named, runtimeOf, serviceOf } from "../../support/runtime.ts";

const common = {
  environments: (process: string) => ({ PROCESS: process }),
  writable: [],
};

const celery = ["celery", "-A", "shop.worker:celery"];
const flower = () => ({
  ...serviceOf("flower", { published: [{ address: "127.0.0.1", port: 5555, containerPort: 5555 }] }),
  command: [...celery, "flower"],
});

describe.each(modes)("WorkerTier in mode %s", (mode) => {
  const emails = { celery, command: [...celery, "worker"], queues: ["emails"], concurrency: 3 } as const;
  const tier = () =>
    compose(mode, () => {
      const services = [
        {
          ...serviceOf("beat"),
          kind: "worker",
          name: "worker-emails",
          container: "orion-test-worker-emails",
          ...emails,
        } as const,
        { ...serviceOf("beat"), command: [...celery, "beat"] },
        flower(),
      ];
      const args = { runtime: runtimeOf("app"), services, ...common, sideBySide: false };
      return new WorkerTier("workers", args);
    });

  test("a worker takes its queues with its concurrency, and has the time of the longest task to end", async () => {
    const { resources } = await tier();
    expect(named(resources, "worker-emails").inputs).toEqual({
      ...containerOf({
        mode,
        kind: "worker",
        name: "worker-emails",
        image: "app",
        stopSeconds: 310,
        probe: whileItStarts(workerProbe()),
      }),
      command: [
        ...expendable,
        ...endsWarmly([]),
        ...["celery", "-A", "shop.worker:celery", "worker", "--loglevel=info", "--hostname=worker-emails@%h"],
        ...["--queues=emails", "--concurrency=3", "--without-gossip", "--pidfile=/dev/shm/celery.pid"],
      ],
      envs: ["PROCESS=worker"],
    });
  });

  test("Flower requires the password that it is given, and no command line shows it", async () => {
    const { resources } = await compose(mode, () => {
      const args = { runtime: runtimeOf("app"), services: [flower()], ...common, sideBySide: true };
      return new WorkerTier("workers", { ...args, flowerPassword: pulumi.secret("hidden") });
    });
    expect(named(resources, "workers-flower").inputs["envs"]).toContainEqual({
      "[secret]": "FLOWER_BASIC_AUTH=orion:hidden",
    });
  });

  test("Beat and Flower run Celery's own commands", async () => {
    const { resources } = await tier();
    const commandOf = (name: string) => named(resources, name).inputs["command"];
    for (const name of ["beat", "flower"]) {
      expect(named(resources, `workers-${name}`).inputs["envs"]).toEqual([`PROCESS=${name}`]);
    }
    expect(commandOf("workers-beat")).toEqual([
      ...expendable,
      ...["celery", "-A", "shop.worker:celery", "beat", "--loglevel=info", "--schedule=/tmp/celerybeat-schedule"],
      ...["--pidfile=/dev/shm/celery.pid", "--max-interval=2"],
    ]);
    const checkOf = (name: string) => named(resources, name).inputs["healthcheck"];
    expect(checkOf("workers-beat")).toEqual(healthOf(whileItStarts(beatProbe())));
    expect(checkOf("workers-flower")).toEqual(healthOf(whileItStarts(httpProbe(5555, "/healthcheck"))));
    expect(commandOf("workers-flower")).toEqual([
      ...expendable,
      ...["celery", "-A", "shop.worker:celery", "flower", "--address=0.0.0.0", "--port=5555"],
    ]);
  });
});
