/** The settings of a stack as a JSON Schema: what their documentation and the editors' schema are made from. Pure. */
import { z } from "zod";
import { settingsSchema } from "../../config/schema.ts";

/** As much of JSON Schema as the settings need. */
export interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  /** What the pattern means; editors show it in place of the pattern. */
  readonly patternErrorMessage?: string;
  readonly examples?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly propertyNames?: Schema;
  readonly additionalProperties?: Schema | false;
}

/** Of each key, in the order of config/schema.ts. */
export const settings = (
  z.toJSONSchema(settingsSchema, {
    io: "input",
    // A preset has every value, so a stack's file needs none.
    override: ({ jsonSchema }) => {
      delete jsonSchema.required;
    },
  }) as Required<Pick<Schema, "properties">>
).properties;
