/** The section `orion:workers`. */
import { z } from "zod";
import { count, memoryMb, serverPool } from "./forms.ts";

export const queues = ["default", "imports", "emails", "reports"] as const;
export type Queue = (typeof queues)[number];

export const workers = z
  .strictObject({
    dedicated: z
      .union(
        [z.boolean(), z.array(z.enum(queues))],
        `true, false, or a list of queues that get dedicated workers: ${queues.join(", ")}`,
      )
      .describe("Queues with a container each: all, none, or a list. The other queues share one container."),
    concurrency: z
      .strictObject({
        default: count(1, 64).describe("Tasks at a time of the queue `default`."),
        imports: count(1, 64).describe("Tasks at a time of the queue `imports`."),
        emails: count(1, 64).describe("Tasks at a time of the queue `emails`."),
        reports: count(1, 64).describe("Tasks at a time of the queue `reports`."),
      })
      .describe("Tasks that a worker runs at a time."),
    memoryMb: memoryMb.describe("Memory limit of a worker, in MiB."),
    beatMemoryMb: memoryMb.describe("Memory limit of Beat, in MiB."),
    flowerMemoryMb: memoryMb.describe("Memory limit of Flower, in MiB."),
    beatAndFlower: z
      .enum(["broker", "everything"])
      .describe(
        "What Beat and Flower know: the broker's URLs and `orion:app.environment` alone, or everything that a worker knows, for an image that reads its whole configuration when Celery starts.",
      ),
    servers: serverPool
      .optional()
      .describe("Servers for workers alone. Absent: they run on the server with the database."),
  })
  .describe("Celery's workers, Beat and Flower.");
