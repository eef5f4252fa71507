/** A provider's npm package, read as text: what its classes send, and what they expect back. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { type Kinds, kindsInDeclaration } from "./kinds.ts";

export class NpmPackage {
  readonly #folder: string;
  readonly #sources = new Map<string, ts.SourceFile>();

  constructor(root: string, name: string) {
    this.#folder = join(root, "node_modules", "@pulumi", name);
  }

  /** The resources of the package, but for former names of others. */
  resources(): string[] {
    return readdirSync(this.#folder)
      .filter((file) => file.endsWith(".js") && file !== "provider.js")
      .filter((file) => tokenPattern.test(readFileSync(join(this.#folder, file), "utf8")))
      .map((file) => `${file.charAt(0).toUpperCase()}${file.slice(1, -".js".length)}`);
  }

  /** The type token that the class registers with the engine. */
  token(resource: string): string {
    const text = readFileSync(join(this.#folder, `${fileOf(resource)}.js`), "utf8");
    const token = tokenPattern.exec(text)?.[1];
    if (token === undefined) throw new Error(`${this.#folder}: ${resource} says no type token`);
    return token;
  }

  /** What a resource's constructor takes; that of the provider itself with `Provider`. */
  inputs(resource: string): Kinds {
    return this.#members(`${fileOf(resource)}.d.ts`, `${resource}Args`);
  }

  /** What a resource has once it is there, but for `id` and `urn`, which every resource has. */
  outputs(resource: string): Kinds {
    return this.#members(`${fileOf(resource)}.d.ts`, resource);
  }

  /** The members of an object within an input. */
  inputType(name: string): Kinds {
    return this.#members(join("types", "input.d.ts"), name);
  }

  #members(file: string, name: string): Kinds {
    const found = this.#source(file).statements.find(
      (node) => (ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node)) && node.name?.text === name,
    );
    if (!found || !(ts.isInterfaceDeclaration(found) || ts.isClassDeclaration(found))) {
      throw new Error(`${join(this.#folder, file)} declares no ${name}`);
    }
    return kindsInDeclaration([...found.members].filter(isNotStatic));
  }

  #source(file: string): ts.SourceFile {
    const path = join(this.#folder, file);
    const source =
      this.#sources.get(path) ??
      ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, /* setParentNodes */ true);
    this.#sources.set(path, source);
    return source;
  }
}

const tokenPattern = /__pulumiType = ['"]([^'"]+)['"]/;

const isNotStatic = (member: ts.TypeElement | ts.ClassElement): boolean =>
  !(ts.isPropertyDeclaration(member) && member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.StaticKeyword));

const fileOf = (resource: string): string => `${resource.charAt(0).toLowerCase()}${resource.slice(1)}`;
