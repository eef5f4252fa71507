/** The section `orion:rehearsal`. */
import { z } from "zod";

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
  })
  .describe("What `make rehearse` does with this stack; production is not changed by it.");
