/**
 * Reads from the SDK's types which properties each resource has and how they nest. The result is stored in properties.json,
 * so that the plugin needs no compiler when it runs; a contract test compares the two.
 */
import { join } from "node:path";
import ts from "typescript";
import type { Description, Property, Properties, Shape } from "./shapes.ts";

/** Class names in @pulumi/cloudflare and the files that declare them. */
export const described: Readonly<Record<string, string>> = {
  AccountToken: "accountToken",
  ApiToken: "apiToken",
  ArgoSmartRouting: "argoSmartRouting",
  ArgoTieredCaching: "argoTieredCaching",
  AuthenticatedOriginPulls: "authenticatedOriginPulls",
  AuthenticatedOriginPullsCertificate: "authenticatedOriginPullsCertificate",
  AuthenticatedOriginPullsSettings: "authenticatedOriginPullsSettings",
  BotManagement: "botManagement",
  DnsRecord: "dnsRecord",
  LoadBalancer: "loadBalancer",
  LoadBalancerMonitor: "loadBalancerMonitor",
  LoadBalancerPool: "loadBalancerPool",
  OriginCaCertificate: "originCaCertificate",
  R2Bucket: "r2bucket",
  R2BucketCors: "r2bucketCors",
  R2BucketLifecycle: "r2bucketLifecycle",
  R2BucketLock: "r2bucketLock",
  R2CustomDomain: "r2customDomain",
  R2ManagedDomain: "r2managedDomain",
  RegionalTieredCache: "regionalTieredCache",
  Ruleset: "ruleset",
  TieredCache: "tieredCache",
  ZoneSetting: "zoneSetting",
};

/** Reads the SDK below `root`/node_modules. */
export function describeResources(root: string): Record<string, Description> {
  const folder = join(root, "node_modules", "@pulumi", "cloudflare");
  const files = Object.values(described).map((file) => join(folder, `${file}.d.ts`));
  const program = ts.createProgram(files, { module: ts.ModuleKind.NodeNext, strict: true, skipLibCheck: true });
  const checker = program.getTypeChecker();
  const declared = (file: string, name: string): ts.Type => {
    const source = program.getSourceFile(join(folder, `${file}.d.ts`));
    const found = source?.statements.find(
      (statement): statement is ts.ClassDeclaration | ts.InterfaceDeclaration =>
        (ts.isClassDeclaration(statement) || ts.isInterfaceDeclaration(statement)) && statement.name?.text === name,
    );
    if (found === undefined) throw new Error(`@pulumi/cloudflare: ${file}.d.ts declares no ${name}`);
    return checker.getTypeAtLocation(found);
  };
  return Object.fromEntries(
    Object.entries(described).map(([name, file]) => [
      name,
      {
        inputs: propertiesOf(checker, declared(file, `${name}Args`)),
        outputs: propertiesOf(checker, declared(file, name)),
      },
    ]),
  );
}

const inherited = new Set(["id", "urn"]);

function propertiesOf(checker: ts.TypeChecker, type: ts.Type): Properties {
  const entries = checker.getPropertiesOfType(type).flatMap((symbol): [string, Property][] => {
    const declaration = symbol.valueDeclaration;
    if (declaration === undefined || symbol.name.startsWith("__")) return [];
    const isClassMember = ts.isPropertyDeclaration(declaration);
    if (isClassMember && inherited.has(symbol.name)) return [];
    if (!isClassMember && !ts.isPropertySignature(declaration)) return [];
    const members = unwrap(checker, checker.getTypeOfSymbol(symbol));
    const optional = (symbol.flags & ts.SymbolFlags.Optional) !== 0 || members.optional;
    return [[symbol.name, { type: shapeOf(checker, members.type), ...(optional && { optional: true as const }) }]];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The plain type inside `Input<...>`, `Output<...>` and `| undefined`. */
function unwrap(checker: ts.TypeChecker, type: ts.Type): { type: ts.Type; optional: boolean } {
  const output = outputOf(checker, type);
  if (output !== undefined) return unwrap(checker, output);
  const parts = type.isUnion() ? type.types : [type];
  const optional = parts.some((part) => (part.flags & ts.TypeFlags.Undefined) !== 0);
  const plain = parts.filter(
    (part) => (part.flags & ts.TypeFlags.Undefined) === 0 && !["Promise", "OutputInstance"].includes(nameOf(part)),
  );
  const [first = type] = plain;
  // `boolean` is the union of its two values.
  const isBoolean = plain.length > 0 && plain.every((part) => (part.flags & ts.TypeFlags.BooleanLike) !== 0);
  return { type: isBoolean ? checker.getBooleanType() : first, optional };
}

/** The type inside an `Output<...>`. For numbers and booleans the compiler sees `OutputInstance`, since they have no lifted properties. */
function outputOf(checker: ts.TypeChecker, type: ts.Type): ts.Type | undefined {
  if (type.aliasSymbol?.name === "Output") return type.aliasTypeArguments?.[0];
  return nameOf(type) === "OutputInstance" ? argumentsOf(checker, type)[0] : undefined;
}

const nameOf = (type: ts.Type): string => type.getSymbol()?.name ?? "";

function argumentsOf(checker: ts.TypeChecker, type: ts.Type): readonly ts.Type[] {
  return isReference(type) ? checker.getTypeArguments(type) : [];
}

const isReference = (type: ts.Type): type is ts.TypeReference =>
  "target" in type && (type.flags & ts.TypeFlags.Object) !== 0;

function shapeOf(checker: ts.TypeChecker, type: ts.Type): Shape {
  if ((type.flags & ts.TypeFlags.StringLike) !== 0) return "string";
  if ((type.flags & ts.TypeFlags.NumberLike) !== 0) return "number";
  if ((type.flags & ts.TypeFlags.BooleanLike) !== 0) return "boolean";
  if ((type.flags & ts.TypeFlags.Object) === 0) return "any";
  if (checker.isArrayType(type)) {
    const [item] = argumentsOf(checker, type);
    return item === undefined ? "any" : { list: shapeOf(checker, unwrap(checker, item).type) };
  }
  const value = checker.getIndexTypeOfType(type, ts.IndexKind.String);
  if (value !== undefined) return { map: shapeOf(checker, unwrap(checker, value).type) };
  return { object: propertiesOf(checker, type) };
}
