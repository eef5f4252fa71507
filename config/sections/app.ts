/** Schema of `orion:app`: the platform's image, its instances, and its variables. */
import { z } from "zod";
import {
  commandWords,
  count,
  imageReference,
  memoryMb,
  port,
  serverPool,
  text,
  variableName,
} from "./value-schemas.ts";

/** A path that is asked with GET. */
const askedPath = (example: string) =>
  text(/^\/([A-Za-z0-9][A-Za-z0-9._~-]*(\/[A-Za-z0-9][A-Za-z0-9._~-]*)*\/?)?$/, "a path", example);

/** A command that prepares a new version. */
const releaseCommand = commandWords.meta({ examples: [["python", "manage.py", "migrate"]] });

/** `pulumi config set --path` makes a number of `8080`, and a process has texts alone. */
const environmentValue = z
  .union([z.string().regex(/^[^\r\n\0]*$/, "a text of one line"), z.int({ abort: true }), z.boolean()], {
    // Their digits arrive changed: of 1.10 it is 1.1, of a longer number the first 16.
    error: ({ input }) =>
      typeof input === "number"
        ? "a text, or a whole number of at most 15 digits; others lose digits: write it in quotes, or set it with npx pulumi config set --type string --path orion:app.environment.NAME VALUE"
        : "a text of one line",
  })
  .transform(String);

/** A name is looked up in the image. */
const imageUser = text(
  /^(\d{1,9}|[a-z_][\w-]{0,31})(:(\d{1,9}|[a-z_][\w-]{0,31}))?$/,
  "a user, or user:group,",
  "1000:1000",
);

export const app = z
  .strictObject({
    image: imageReference
      .optional()
      .describe("The platform's own image. Absent: the sample application, built from this repository."),
    module: text(/^[A-Za-z_]\w*(\.\w+)*:\w+(\.\w+)*$/, "a module and an object in it", "main:app").describe(
      "The ASGI application, as Uvicorn takes it.",
    ),
    port: port.describe("Port that Uvicorn listens on inside the container; visitors and people use others."),
    user: imageUser
      .optional()
      .describe(
        "User, or user and group, that everything of the image runs as: a number, or a name that the image knows. Absent: the image's own `USER`.",
      ),
    healthPath: askedPath("/health").describe(
      "Path that answers 200 while the process works, whether or not the database does.",
    ),
    readyPath: askedPath("/ready").describe(
      "Path that answers 200 when the app can serve visitors; `make doctor` asks it. Visitors cannot reach it, unless it is `healthPath` or `/`.",
    ),
    migrate: releaseCommand.describe(
      "Command that migrates the database before a new version starts; it must be safe to repeat. `[]`: none.",
    ),
    initialise: releaseCommand.describe(
      "Command that runs after the migration and writes the rows that the app needs; it must be safe to repeat. `[]`: none.",
    ),
    startSeconds: count(10, 3600)
      .meta({ examples: [300] })
      .optional()
      .describe(
        "Seconds that a new container of the image may take until it is healthy, for an app that migrates, imports or waits when it starts. Absent: 180, less when it does nothing for 25 s. A container that ends again and again, or whose app answers its health check with an error, is given up before.",
      ),
    instances: count(1, 16).describe("Containers of the app on each server that runs it."),
    uvicornWorkers: count(1, 64).describe("Uvicorn processes in each of these containers."),
    memoryMb: memoryMb.describe("Memory limit of each of these containers, in MiB."),
    servers: serverPool
      .optional()
      .describe("Servers for apps alone. Absent: they run on the server with the database."),
    skipMigrationsFor: imageReference
      .optional()
      .describe(
        "The image whose migrations are skipped, because a newer image has migrated the database already; `make rollback` sets it.",
      ),
    environment: z
      .record(variableName, environmentValue)
      .describe(
        "Environment variables of app and workers that are no secrets, beside those that the program sets. Numbers with a decimal point or more than 15 digits are in quotes.",
      ),
    secrets: z
      .array(variableName)
      .describe(
        "Secrets that only your image knows: each becomes an environment variable of app, workers and migrations. Set with `npx pulumi config set --secret --path orion:app.secrets.NAME`.",
      ),
    writable: z
      .array(
        text(/^(\/[\w][\w.-]*)+$/, "an absolute path", "/app/cache").refine(
          (path) => !/^\/(proc|sys|dev|etc)(\/|$)/.test(path),
          "a folder outside /proc, /sys, /dev and /etc",
        ),
      )
      .describe(
        "Folders that the image writes to, beside /tmp and /app/run; the rest of the image is read-only. They are on the server's disk and are deleted with the container.",
      ),
  })
  .describe("The application.");
