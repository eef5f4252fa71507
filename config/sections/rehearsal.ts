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
        "A file with SQL, relative to the project, that runs on data restored by `DATA=` before any app starts with it.",
      ),
  })
  .describe("What `make rehearse` does with this stack; production is not changed by it.");
