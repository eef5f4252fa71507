/** The section `orion:app`. */
import { z } from "zod";
import { count, imageReference, memoryMb, serverPool, text, variableName } from "./forms.ts";

/** `pulumi config set --path` makes a number of `8080`, and a process has texts alone. */
const environmentValue = z
  .union([z.string().regex(/^[^\r\n\0]*$/, "a text of one line"), z.number(), z.boolean()], "a text of one line")
  .transform(String);

export const app = z
  .strictObject({
    image: imageReference
      .optional()
      .describe("The platform's own image. Absent: the sample application, built from this repository."),
    instances: count(1, 16).describe("Containers of the app on each server that runs it."),
    uvicornWorkers: count(1, 64).describe("Processes in each of them."),
    memoryMb: memoryMb.describe("Memory limit of an instance, in MiB."),
    servers: serverPool
      .optional()
      .describe("Servers for apps alone. Absent: they run on the server with the database."),
    skipMigrationsFor: imageReference
      .optional()
      .describe("An image that runs on a newer image's database without its own migrations: `make rollback` sets it."),
    environment: z
      .record(variableName, environmentValue)
      .describe("Plain environment of the app and its workers, added to what the program sets itself."),
    secrets: z
      .array(variableName)
      .describe(
        "The image's own secrets, as environment variables of apps, workers and the release: `pulumi config set --secret --path orion:app.secrets.NAME`.",
      ),
    writable: z
      .array(
        text(/^(\/[\w][\w.-]*)+$/, "an absolute path", "/app/cache").refine(
          (path) => !/^\/(proc|sys|dev|etc)(\/|$)/.test(path),
          "a folder outside /proc, /sys, /dev and /etc",
        ),
      )
      .describe(
        "Folders that the image's processes write to, beside /tmp and /app/run; all else of the image is read-only. They are on the server's disk and deleted with the container.",
      ),
  })
  .describe("The application.");
