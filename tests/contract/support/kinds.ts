/** Types of properties in words, so that a plugin's schema and a declaration of an npm package can be compared. */
import ts from "typescript";
import { z } from "zod";

/** A property: what it holds, in words, and whether it must be there. */
export type Kinds = Record<string, string>;

export const propertySchema = z.looseObject({
  type: z.string().optional(),
  $ref: z.string().optional(),
  willReplaceOnChanges: z.boolean().optional(),
  get items() {
    return propertySchema.optional();
  },
  get additionalProperties() {
    return propertySchema.optional();
  },
  get oneOf() {
    return z.array(propertySchema).optional();
  },
});
export type Property = z.infer<typeof propertySchema>;

/** What the properties of a schema's object are: `list of ContainerPort`, `string, required`. */
export const kindsInSchema = (properties: Record<string, Property>, required: readonly string[]): Kinds =>
  Object.fromEntries(
    Object.entries(properties).map(([name, property]) => [
      name,
      withNeed(kindOfProperty(property), required.includes(name)),
    ]),
  );

/** What the members of an interface, or the outputs of a class, are, in the same words. */
export function kindsInDeclaration(members: readonly (ts.TypeElement | ts.ClassElement)[]): Kinds {
  const kinds: Kinds = {};
  for (const member of members) {
    const isProperty = ts.isPropertySignature(member) || ts.isPropertyDeclaration(member);
    if (!isProperty || !member.type || !ts.isIdentifier(member.name)) continue;
    // An output is there always, but may be undefined; an input may be left out.
    const isRequired = ts.isPropertySignature(member) ? !member.questionToken : !mayBeUndefined(member.type);
    kinds[member.name.text] = withNeed(kindOfType(member.type), isRequired);
  }
  return kinds;
}

const withNeed = (kind: string, isRequired: boolean): string => (isRequired ? `${kind}, required` : kind);

/** The name of the object type that a property holds, directly or in a list or a map. */
export function typeIn(property: Property): string | undefined {
  const { $ref, items, additionalProperties } = property;
  if ($ref !== undefined) return $ref.replace("#/types/", "");
  const inner = items ?? additionalProperties;
  return inner && typeIn(inner);
}

function kindOfProperty({ type, $ref, items, additionalProperties, oneOf }: Property): string {
  if (oneOf) return oneOf.map(kindOfProperty).sort().join(" or ");
  if ($ref !== undefined) return $ref.split(":").pop() ?? "";
  if (items) return `list of ${kindOfProperty(items)}`;
  if (additionalProperties) return `map of ${kindOfProperty(additionalProperties)}`;
  return type === "integer" ? "number" : (type ?? "nothing");
}

function kindOfType(type: ts.TypeNode): string {
  if (ts.isTypeReferenceNode(type)) {
    const name = ts.isQualifiedName(type.typeName) ? type.typeName.right.text : type.typeName.text;
    const [argument] = type.typeArguments ?? [];
    return argument && ["Input", "Output"].includes(name) ? kindOfType(argument) : name;
  }
  if (ts.isUnionTypeNode(type)) {
    return type.types
      .filter((part) => !isUndefined(part))
      .map(kindOfType)
      .sort()
      .join(" or ");
  }
  if (ts.isArrayTypeNode(type)) return `list of ${kindOfType(type.elementType)}`;
  if (ts.isTypeLiteralNode(type)) {
    const [member] = type.members;
    if (member && ts.isIndexSignatureDeclaration(member)) return `map of ${kindOfType(member.type)}`;
  }
  return ts.tokenToString(type.kind) ?? type.getText();
}

const isUndefined = (type: ts.TypeNode): boolean => type.kind === ts.SyntaxKind.UndefinedKeyword;

/** Whether the type, or what an `Output` of it holds, can be undefined. */
function mayBeUndefined(type: ts.TypeNode): boolean {
  if (ts.isUnionTypeNode(type)) return type.types.some(isUndefined);
  const [argument] = ts.isTypeReferenceNode(type) ? (type.typeArguments ?? []) : [];
  return argument !== undefined && mayBeUndefined(argument);
}
