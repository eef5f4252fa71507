/** Types that describe resource properties as the SDK has them, and the spelling of their names in the API. */

export type Shape =
  | "string"
  | "number"
  | "boolean"
  | "any"
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly object: Properties };

export interface Property {
  readonly type: Shape;
  readonly optional?: true;
}

export type Properties = Readonly<Record<string, Property>>;

export interface Description {
  readonly inputs: Properties;
  readonly outputs: Properties;
}

/** How the API spells a resource's properties. */
export interface Spelling {
  /** API names that are not the property's name in snake case, by property. */
  readonly names?: Readonly<Record<string, string>>;
  /** The API of this resource spells names in camel case. @default false */
  readonly camel?: boolean;
  /** Properties that are JSON strings in the SDK and plain values in the API. */
  readonly json?: readonly string[];
}

export const isList = (shape: Shape): shape is { readonly list: Shape } => typeof shape === "object" && "list" in shape;
export const isMap = (shape: Shape): shape is { readonly map: Shape } => typeof shape === "object" && "map" in shape;
export const isObject = (shape: Shape): shape is { readonly object: Properties } =>
  typeof shape === "object" && "object" in shape;

/** `maxAgeSeconds` as `max_age_seconds`. */
const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const wireName = (property: string, { names, camel }: Spelling): string =>
  names?.[property] ?? (camel === true ? property : snake(property));

/**
 * Dotted paths of the inputs whose value the API chooses when the program sets none: optional in the inputs and always
 * present in the outputs. Properties that exist in the outputs only are not included.
 */
export function decidedByApi({ inputs, outputs }: Description): ReadonlySet<string> {
  return new Set(decided(inputs, outputs, ""));
}

function decided(inputs: Properties, outputs: Properties, above: string): string[] {
  return Object.entries(inputs).flatMap(([name, input]) => {
    const output = outputs[name];
    if (output === undefined) return [];
    const path = above + name;
    const [inner, outer] = [propertiesWithin(input.type), propertiesWithin(output.type)];
    return [...(input.optional && !output.optional ? [path] : []), ...decided(inner, outer, `${path}.`)];
  });
}

/** The properties of an object, or of the objects in a list or map. */
function propertiesWithin(shape: Shape): Properties {
  if (isObject(shape)) return shape.object;
  if (isList(shape)) return propertiesWithin(shape.list);
  return isMap(shape) ? propertiesWithin(shape.map) : {};
}
