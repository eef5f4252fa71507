/** The section `orion:app`. */
import { z } from "zod";
import { count, imageReference, memoryMb, serverPool, text, variableName } from "./forms.ts";

/** A path that is asked with GET. */
const askedPath = (example: string) =>
  text(/^\/([A-Za-z0-9][A-Za-z0-9._~-]*(\/[A-Za-z0-9][A-Za-z0-9._~-]*)*)?$/, "a path", example);

/** A program and its arguments, which no shell reads. */
const commandWords = z
  .array(z.string().regex(/^[^\r\n\0]+$/, "a word of a command"))
  .meta({ examples: [["python", "manage.py", "migrate"]] });

/** `pulumi config set --path` makes a number of `8080`, and a process has texts alone. */
const environmentValue = z
  .union([z.string().regex(/^[^\r\n\0]*$/, "a text of one line"), z.number(), z.boolean()], "a text of one line")
  .transform(String);

export const app = z
  .strictObject({
    image: imageReference
      .optional()
      .describe("The platform's own image. Absent: the sample application, built from this repository."),
    module: text(/^[A-Za-z_]\w*(\.\w+)*:\w+(\.\w+)*$/, "a module and an object in it", "main:app").describe(
      "The ASGI application, as Uvicorn takes it.",
    ),
    healthPath: askedPath("/health").describe("Answers 200 while the process works, whatever the database does."),
    readyPath: askedPath("/ready").describe(
      "Answers 200 when the app can serve visitors; `make doctor` asks it. Visitors do not reach it, unless it is `healthPath`.",
    ),
    migrate: commandWords.describe(
      "Changes the database's tables before a new version starts; safe to repeat. `[]`: nothing does.",
    ),
    initialise: commandWords.describe(
      "Runs after it, and writes the rows that the app needs; safe to repeat. `[]`: nothing does.",
    ),
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
