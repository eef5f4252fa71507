/** An installed plugin, asked through the engine: the schema that it gives is the one that it acts by. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { engineFolder, type Part, type ToolchainPaths } from "../../../toolchain/src/parts.ts";
import { type Kinds, kindsInSchema, propertySchema, typeIn } from "./kinds.ts";

const objectSchema = z.looseObject({
  properties: z.record(z.string(), propertySchema).default({}),
  required: z.array(z.string()).default([]),
  inputProperties: z.record(z.string(), propertySchema).default({}),
  requiredInputs: z.array(z.string()).default([]),
});
const packageSchema = z.looseObject({
  name: z.string(),
  resources: z.record(z.string(), objectSchema),
  types: z.record(z.string(), objectSchema).default({}),
  provider: objectSchema,
});
type Described = z.infer<typeof objectSchema>;

export class Plugin {
  readonly name: string;
  readonly #program: string;
  readonly #schema: z.infer<typeof packageSchema>;

  /** @throws {Error} when the engine or the plugin does not run */
  constructor(places: ToolchainPaths, part: Part) {
    this.name = part.name;
    this.#program = join(part.folder, `pulumi-resource-${part.name}`);
    // A home of its own: neither a login nor the logs of the user are touched.
    const home = mkdtempSync(join(tmpdir(), "orion-contract-"));
    try {
      const text = output(join(engineFolder(places), "pulumi"), ["package", "get-schema", this.#program], {
        PULUMI_HOME: home,
        PULUMI_SKIP_UPDATE_CHECK: "true",
      });
      this.#schema = packageSchema.parse(JSON.parse(text));
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
    if (this.#schema.name !== part.name) throw new Error(`${this.#program} calls itself ${this.#schema.name}`);
  }

  /** The version that the running program says it is of. */
  version(): string {
    return output(this.#program, ["-version"]).trim().replace(/^v/, "");
  }

  get tokens(): string[] {
    return Object.keys(this.#schema.resources);
  }

  /** @param token that of a resource, or `pulumi:providers:<name>` for the provider itself */
  inputs(token: string): Kinds {
    const { inputProperties, requiredInputs } = this.#described(token);
    return kindsInSchema(inputProperties, requiredInputs);
  }

  /** The inputs of which the schema says that a change of them replaces the resource; providers of a newer kind do not say so. */
  replacing(token: string): string[] {
    return Object.entries(this.#described(token).inputProperties).flatMap(([name, { willReplaceOnChanges }]) =>
      willReplaceOnChanges === true ? [name] : [],
    );
  }

  outputs(token: string): Kinds {
    const { properties, required } = this.#described(token);
    return kindsInSchema(properties, required);
  }

  /** Every object type that a resource's inputs hold, however deep, by its name without module. */
  inputTypes(token: string): Map<string, Kinds> {
    const found = new Map<string, Kinds>();
    const follow = (properties: Described["properties"]): void => {
      for (const name of Object.values(properties).flatMap((property) => typeIn(property) ?? [])) {
        const short = name.split(":").pop() ?? "";
        const type = this.#schema.types[name];
        if (!type) throw new Error(`plugin ${this.name} refers to a type that it does not have: ${name}`);
        if (found.has(short)) continue;
        found.set(short, kindsInSchema(type.properties, type.required));
        follow(type.properties);
      }
    };
    follow(this.#described(token).inputProperties);
    return found;
  }

  /** The paths in a resource's inputs that the plugin does not know, and how many it was asked for. */
  unknownIn(token: string, inputs: Readonly<Record<string, unknown>>): { unknown: string[]; checked: number } {
    const unknown: string[] = [];
    let checked = 0;
    const check = (properties: Described["properties"], value: object, at: string): void => {
      for (const [name, inner] of Object.entries(value) as [string, unknown][]) {
        checked++;
        const property = properties[name];
        if (property) descend(typeIn(property), inner, `${at}.${name}`);
        else unknown.push(`${at}.${name}`);
      }
    };
    const descend = (type: string | undefined, value: unknown, at: string): void => {
      if (Array.isArray(value)) for (const item of value) descend(type, item, at);
      else if (type !== undefined && typeof value === "object" && value !== null && !("[secret]" in value)) {
        check(this.#schema.types[type]?.properties ?? {}, value, at);
      }
    };
    check(this.#described(token).inputProperties, inputs, token);
    return { unknown, checked };
  }

  #described(token: string): Described {
    const found = token === `pulumi:providers:${this.name}` ? this.#schema.provider : this.#schema.resources[token];
    if (!found) throw new Error(`plugin ${this.name} has no ${token}; it has ${this.tokens.join(", ")}`);
    return found;
  }
}

function output(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { stdout, stderr, status, error } = spawnSync(program, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${error?.message ?? stderr}; is it installed?`);
  return stdout;
}
