/** Schema of `orion:workers`: Celery's workers, Beat and Flower. */
import { z } from "zod";
import { commandWords, count, memoryMb, serverPool, text } from "./value-schemas.ts";

const queueName = text(/^[A-Za-z0-9][\w.-]{0,62}$/, "the name of a queue", "high_priority");

/** The beginning of a command of Celery's: the program adds its options to it. */
const beginning = (command: string) =>
  commandWords.meta({ examples: [["celery", "-A", "shop.worker", command, "--loglevel=warning"]] });

export const workers = z
  .strictObject({
    enabled: z
      .boolean()
      .describe(
        "Whether the application has Celery. `false`: no worker, Beat, Flower and broker, and no variables with their addresses.",
      ),
    commands: z
      .strictObject({
        worker: beginning("worker")
          .min(1)
          .optional()
          .describe(
            "Beginning of a worker's command; name, queues, concurrency and files follow. Absent: `celery -A <celery> worker`.",
          ),
        beat: beginning("beat")
          .optional()
          .describe(
            "Beginning of Beat's command. `[]`: no Beat, for an application without a schedule. Absent: `celery -A <celery> beat`.",
          ),
        flower: beginning("flower")
          .optional()
          .describe("Beginning of Flower's command. `[]`: no Flower. Absent: `celery -A <celery> flower`."),
      })
      .describe("Commands of an image that does not start Celery as usual."),
    celery: text(/^[A-Za-z_]\w*(\.\w+)*(:\w+)?$/, "a module, or an object in one", "app.celery").describe(
      "Celery's application, as `celery -A` takes it.",
    ),
    queues: z
      .array(queueName)
      .min(1)
      .describe("The queues that workers take tasks from; the application sends its tasks to these."),
    dedicated: z
      .union([z.boolean(), z.array(queueName)], "true, false, or a list of queues that get dedicated workers")
      .describe(
        "Queues with a container of their own: all (`true`), none, or a list. The other queues share one container.",
      ),
    concurrency: z
      .record(queueName, count(1, 64).meta({ examples: [4] }))
      .describe("Number of tasks that a worker runs at a time, by queue; 2 for a queue that is not named."),
    memoryMb: memoryMb.describe("Memory limit of a worker, in MiB."),
    beatMemoryMb: memoryMb.describe("Memory limit of Beat, in MiB."),
    flowerMemoryMb: memoryMb.describe("Memory limit of Flower, in MiB."),
    beatAndFlower: z
      .enum(["broker", "everything"])
      .describe(
        "Environment of Beat and Flower. `broker`: the broker's URLs and `orion:app.environment` alone; `everything`: that of a worker, for an image whose Celery application reads its whole configuration when it starts.",
      ),
    servers: serverPool
      .optional()
      .describe("Servers for workers alone. Absent: they run on the server with the database."),
  })
  .describe("Celery's workers, Beat and Flower.");
