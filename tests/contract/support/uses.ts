/** What the program's sources make: every `new docker.Container(name, { ... }, options)` of the components. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";

/** One constructor call. */
export interface Use {
  readonly plugin: string;
  readonly resource: string;
  /** The properties that the call names. */
  readonly properties: readonly string[];
  /** File and line. */
  readonly at: string;
}

/**
 * The uses of some packages below a folder.
 *
 * @throws {Error} on a call or an import that cannot be understood, so that no use is overlooked
 */
export function usesBelow(root: string, folder: string, plugins: readonly string[]): Use[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .flatMap((name) => {
      const path = join(root, folder, name);
      return usesIn(relative(root, path), readFileSync(path, "utf8"), plugins);
    });
}

/** The uses in one source text. */
export function usesIn(path: string, text: string, plugins: readonly string[]): Use[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, /* setParentNodes */ true);
  const at = (node: ts.Node): string =>
    `${path}:${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1}`;
  const packages = importsOf(source, plugins, at);
  const uses: Use[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isNewExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const plugin = packages.get(node.expression.expression.getText(source));
      const args = node.arguments?.[1];
      if (plugin !== undefined) {
        const properties = args ? namesIn(args, at) : [];
        uses.push({ plugin, resource: node.expression.name.text, properties, at: at(node) });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return uses;
}

/** The names under which a source knows the packages. */
function importsOf(
  source: ts.SourceFile,
  plugins: readonly string[],
  at: (node: ts.Node) => string,
): Map<string, string> {
  const packages = new Map<string, string>();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const plugin = plugins.find((name) => statement.moduleSpecifier.getText(source).slice(1, -1) === `@pulumi/${name}`);
    const bindings = statement.importClause?.namedBindings;
    if (plugin === undefined || statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) continue;
    if (!bindings || !ts.isNamespaceImport(bindings)) {
      throw new Error(`${at(statement)}: expected \`import * as ${plugin}\`, so that its uses can be found`);
    }
    packages.set(bindings.name.text, plugin);
  }
  return packages;
}

/** The names in an object literal, those in conditional parts included. */
function namesIn(node: ts.Expression, at: (node: ts.Node) => string): string[] {
  if (ts.isParenthesizedExpression(node)) return namesIn(node.expression, at);
  if (ts.isConditionalExpression(node)) return [...namesIn(node.whenTrue, at), ...namesIn(node.whenFalse, at)];
  // `condition && { ... }` in a spread
  if (ts.isBinaryExpression(node)) return namesIn(node.right, at);
  if (!ts.isObjectLiteralExpression(node)) {
    throw new Error(`${at(node)}: expected an object literal, so that its properties can be read: ${node.getText()}`);
  }
  return node.properties.flatMap((property) => {
    if (ts.isSpreadAssignment(property)) return namesIn(property.expression, at);
    if (ts.isIdentifier(property.name) || ts.isStringLiteral(property.name)) return [property.name.text];
    throw new Error(`${at(property)}: expected a plain name, so that it can be read: ${property.name.getText()}`);
  });
}
