/** Schema of `orion:rehearsal`: what `make rehearse` does with the stack. */
import { z } from "zod";
import { text } from "./value-schemas.ts";

export const rehearsal = z
  .strictObject({
    scrub: z
      .string()
      .regex(/\.sql$/, "a file that ends in .sql")
      .meta({ patternErrorMessage: "a file that ends in .sql", examples: ["scrub.sql"] })
      .optional()
      .describe(
        "File with SQL, relative to the project's folder, that runs on data which `make rehearse DATA=...` has restored, before any app sees it.",
      ),
    pages: z
      .array(text(/^\/[^\s#]*$/, "a path", "/products?page=1"))
      .min(1)
      .optional()
      .describe(
        "Paths that the load of `make rehearse LOAD=1` and `make drill` asks in turn with GET, and that answer 200. Absent: the sample application's pages, orders, files and WebSockets.",
      ),
  })
  .describe("What `make rehearse` does with this stack; production is not changed by it.");
