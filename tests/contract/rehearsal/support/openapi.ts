/**
 * Replies against the OpenAPI document of the real API. The documents belong to others and lie beside the project where
 * they are at hand; where they are not, nothing is checked.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { FastifyInstance } from "fastify";
import { isRecord } from "../../../../common/record.ts";
import type { Json } from "../../../../rehearsal/json.ts";

const folder = resolve(__dirname, "..", "..", "..", "..", "..", "shared", "specs");
const methods = new Set(["get", "post", "put", "patch", "delete"]);

interface Validator {
  validateResponse(status: string, body: unknown): { readonly errors: readonly Problem[] } | undefined;
}
interface Problem {
  readonly path?: string;
  readonly message: string;
}
/** An operation of the document. */
export interface Operation {
  readonly method: string;
  /** With `{id}` for its parameters. */
  readonly path: string;
  /** Query parameters, each with the values that it can have; undefined: any. */
  readonly query: readonly { readonly name: string; readonly values: readonly string[] | undefined }[];
}
export interface Property {
  /** Where in the body it is; `*` is an item of a list. */
  readonly place: readonly string[];
  /** Values that the document does not allow for it. */
  readonly wrong: readonly unknown[];
}

/** A reply that is not what the document says, by intent. */
export interface Deviation {
  /** What the complaint about it looks like: `<METHOD> <route> <status> <place in the body> <message>`. */
  readonly complaint: RegExp;
  readonly reason: string;
}

// CommonJS with a default export, which the types and the transformed import disagree about.
const { default: ResponseValidator } = jest.requireActual<{ readonly default: new (options: object) => Validator }>(
  "openapi-response-validator",
);

/** Parameters have other names in the document than in our routes. */
const shapeOf = (route: string): string => route.replace(/\{[^}]+\}|:\w+/g, "{}");

export interface SpecificationOptions {
  /** The document knows every property: others are complained about, which validation lets pass. */
  readonly isComplete?: boolean;
  /** The document knows no null: it stands for what is not there. */
  readonly hasNoNull?: boolean;
}

export class Specification {
  readonly #document: Json;
  /** Operations by `<METHOD> <shape of the route>`. */
  readonly #operations = new Map<string, Json>();
  readonly #routes: Route[] = [];
  readonly #validators = new Map<string, Validator>();
  readonly #deviations: readonly Deviation[];
  readonly #happened = new Set<Deviation>();
  readonly #validated = new Set<string>();
  readonly #complaints: string[] = [];

  readonly #options: SpecificationOptions;

  private constructor(document: Json, deviations: readonly Deviation[], options: SpecificationOptions) {
    this.#document = document;
    this.#deviations = deviations;
    this.#options = options;
    for (const [path, item] of Object.entries(isRecord(document["paths"]) ? document["paths"] : {})) {
      for (const [method, operation] of Object.entries(isRecord(item) ? item : {})) {
        if (!methods.has(method) || !isRecord(operation)) continue;
        this.#operations.set(keyOf(method, path), operation);
        this.#routes.push([method.toUpperCase(), path]);
      }
    }
  }

  /** @returns undefined where the document is not at hand */
  static read(
    file: string,
    deviations: readonly Deviation[],
    options: SpecificationOptions = {},
  ): Specification | undefined {
    const path = join(folder, file);
    if (!existsSync(path)) return undefined;
    const document: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (!isRecord(document)) throw new Error(`${path} is no OpenAPI document`);
    return new Specification(document, deviations, options);
  }

  has(method: string, route: string): boolean {
    return this.#operations.has(keyOf(method, route));
  }

  /** All operations. */
  get operations(): Operation[] {
    return [...this.#operations].map(([key, operation]) => {
      const [method = "", path = ""] = key.split(" ");
      const parameters = Array.isArray(operation["parameters"]) ? (operation["parameters"] as unknown[]) : [];
      const query = parameters
        .map((one) => this.#schema(one))
        .filter((one) => one["in"] === "query")
        .map(({ name, schema }) => ({ name: String(name), values: this.#valuesOf(schema) }));
      return { method, path, query };
    });
  }

  #valuesOf(schema: unknown): readonly string[] | undefined {
    const found = this.#schema(schema);
    const values = found["enum"] ?? this.#schema(found["items"])["enum"];
    return Array.isArray(values) ? values.map(String) : undefined;
  }

  /** All properties of an operation's body, as deep as they are described. */
  properties(method: string, route: string): Property[] {
    const body = this.#schema(this.#operations.get(keyOf(method, route))?.["requestBody"]);
    /** By their places: several alternatives of a body can have the same. */
    const schemas = new Map<string, { readonly place: readonly string[]; readonly all: unknown[] }>();
    const visit = (schema: unknown, place: readonly string[], around: readonly Json[]): void => {
      const found = this.#schema(schema);
      // One that contains itself.
      if (around.includes(found)) return;
      const within = [...around, found];
      const own = Object.entries(isRecord(found["properties"]) ? found["properties"] : {});
      for (const part of alternatives.flatMap((key) => partsOf(found, key))) visit(part, place, within);
      for (const [name, value] of [...own, ...(found["items"] === undefined ? [] : [["*", found["items"]] as const])]) {
        const inner = [...place, name];
        const known = schemas.get(inner.join("/")) ?? { place: inner, all: [] };
        known.all.push(value);
        schemas.set(inner.join("/"), known);
        visit(value, inner, within);
      }
    };
    visit(schemaOf(body), [], []);
    return [...schemas.values()].map(({ place, all }) => ({
      place,
      wrong: candidates.filter((one) => !all.some((schema) => this.#allows(schema, one))),
    }));
  }

  /** Whether a schema allows a value; of what is in objects and lists it says nothing. */
  #allows(schema: unknown, value: unknown): boolean {
    const found = this.#schema(schema);
    const any = [...partsOf(found, "oneOf"), ...partsOf(found, "anyOf")];
    if (any.length > 0 && !any.some((part) => this.#allows(part, value))) return false;
    if (!partsOf(found, "allOf").every((part) => this.#allows(part, value))) return false;
    const { type, enum: values, minimum, maximum, minLength, maxLength } = found;
    if (Array.isArray(values) && !values.includes(value)) return false;
    if (type !== undefined && !typesOf(type).some((one) => isOfType(one, value))) return false;
    if (typeof value === "number") {
      return !(typeof minimum === "number" && value < minimum) && !(typeof maximum === "number" && value > maximum);
    }
    const length = typeof value === "string" ? value.length : undefined;
    if (length === undefined) return true;
    return (
      !(typeof minLength === "number" && length < minLength) && !(typeof maxLength === "number" && length > maxLength)
    );
  }

  /** Every operation, as `<METHOD> <path>`, with the document's names in the path. */
  get routes(): Route[] {
    return this.#routes;
  }

  /** Names of the query parameters of an operation. */
  parameters(method: string, route: string): string[] {
    const listed = this.#operations.get(keyOf(method, route))?.["parameters"];
    const all = Array.isArray(listed) ? listed.map((one) => this.#schema(one)) : [];
    return all.flatMap(({ in: place, name }) => (place === "query" && typeof name === "string" ? [name] : []));
  }

  /** Checks a reply of an operation that the document has; what is wrong with it is in `complaints`. */
  check(method: string, route: string, status: number, reply: unknown): void {
    const operation = this.#operations.get(keyOf(method, route));
    if (operation === undefined) return;
    if (status < 300) this.#validated.add(keyOf(method, route));
    const body = this.#options.hasNoNull ? withoutNulls(reply) : reply;
    const response = this.#responseOf(operation, String(status));
    const found = this.#validator(`${keyOf(method, route)} ${status}`, response).validateResponse("any", body);
    const wrong = (found?.errors ?? []).map(({ path = "", message }) => `${path} ${message}`);
    const more = this.#options.isComplete ? this.#unknown(schemaOf(response), body, "") : [];
    const unknown = more.map((path) => `${path} is not in the document`);
    for (const what of [...wrong, ...unknown]) {
      const complaint = `${method} ${route} ${status} ${what}`;
      const deviation = this.#deviations.find((one) => one.complaint.test(complaint));
      if (deviation) this.#happened.add(deviation);
      else this.#complaints.push(complaint);
    }
  }

  /** Whether a reply of success of the operation was checked. */
  isValidated(method: string, route: string): boolean {
    return this.#validated.has(keyOf(method, route));
  }

  /** Deviations that were listed and did not happen. */
  get needless(): readonly Deviation[] {
    return this.#deviations.filter((one) => !this.#happened.has(one));
  }

  /** What was found since the last time. */
  takeComplaints(): string[] {
    return [...new Set(this.#complaints.splice(0))];
  }

  #validator(key: string, response: Json): Validator {
    const known = this.#validators.get(key);
    if (known) return known;
    const made = new ResponseValidator({ responses: { any: response }, components: this.#componentsOf(response) });
    this.#validators.set(key, made);
    return made;
  }

  #responseOf(operation: Json, status: string): Json {
    const responses = isRecord(operation["responses"]) ? operation["responses"] : {};
    const group = `${status.charAt(0)}xx`;
    const found = this.#resolved(responses[status] ?? responses[group] ?? responses[group.toUpperCase()]);
    return isRecord(found) ? found : { schema: { not: {} } };
  }

  /** Places of a body that the document does not know: where it is open to others, validation lets them pass. */
  #unknown(schema: unknown, value: unknown, place: string): string[] {
    if (Array.isArray(value)) {
      const items = this.#schema(schema)["items"];
      return value.flatMap((one) => this.#unknown(items, one, `${place}/*`));
    }
    const properties = this.#properties(schema);
    if (!isRecord(value) || properties === undefined) return [];
    return Object.entries(value).flatMap(([key, one]) =>
      key in properties ? this.#unknown(properties[key], one, `${place}/${key}`) : [`${place}/${key}`],
    );
  }

  /** The properties of an object; undefined where it can have any. */
  #properties(schema: unknown): Json | undefined {
    const { properties, allOf } = this.#schema(schema);
    if (isRecord(properties)) return properties;
    const [only, ...others] = Array.isArray(allOf) ? (allOf as unknown[]) : [];
    return others.length === 0 && only !== undefined ? this.#properties(only) : undefined;
  }

  #schema(schema: unknown): Json {
    const resolved = this.#resolved(schema);
    return isRecord(resolved) ? resolved : {};
  }

  #resolved(value: unknown): unknown {
    const reference = isRecord(value) ? value["$ref"] : undefined;
    return typeof reference === "string" ? this.#at(reference) : value;
  }

  #at(reference: string): unknown {
    return reference
      .replace(/^#\//, "")
      .split("/")
      .reduce<unknown>((place, key) => (isRecord(place) ? place[key] : undefined), this.#document);
  }

  /** The components that something refers to: with all of them every single validator would take its second. */
  #componentsOf(root: unknown): Json {
    const found: Record<string, Record<string, unknown>> = {};
    const visit = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(visit);
      if (!isRecord(value)) return;
      const reference = value["$ref"];
      const [, section, name] = typeof reference === "string" ? reference.split("/").slice(1) : [];
      if (section !== undefined && name !== undefined) {
        const group = (found[section] ??= {});
        if (name in group) return;
        group[name] = this.#at(`#/components/${section}/${name}`);
        visit(group[name]);
      }
      Object.values(value).forEach(visit);
    };
    visit(root);
    return found;
  }
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([, one]) => one !== null);
  return Object.fromEntries(kept.map(([key, one]) => [key, withoutNulls(one)]));
}

export type Route = readonly [method: string, route: string];

/** Has the replies of all calls below a prefix checked. @returns those calls, each from when it is registered */
export function watch(app: FastifyInstance, prefix: string, specification: Specification | undefined): Route[] {
  const routes: Route[] = [];
  app.addHook("onRoute", ({ method, url }) => {
    if (!url.startsWith(`${prefix}/`)) return;
    for (const one of [method].flat().filter((name) => name !== "HEAD")) routes.push([one, url.replace(prefix, "")]);
  });
  app.addHook("onSend", (request, reply, payload, done) => {
    const { url } = request.routeOptions;
    const body: unknown = typeof payload === "string" && payload !== "" ? JSON.parse(payload) : undefined;
    if (url?.startsWith(`${prefix}/`)) {
      specification?.check(request.method, url.replace(prefix, ""), reply.statusCode, body);
    }
    done(null, payload);
  });
  return routes;
}

/** One of each type, far from what a property may have. */
const candidates: readonly unknown[] = [
  ...[{ "no such": "value" }, [{ "no such": "value" }], "no such value", "", "v".repeat(10_000)],
  ...[true, -1, 0.5, 1_000_000_000],
];
const alternatives = ["allOf", "oneOf", "anyOf"];
const partsOf = (schema: Json, key: string): unknown[] =>
  Array.isArray(schema[key]) ? (schema[key] as unknown[]) : [];

const typesOf = (type: unknown): string[] => (Array.isArray(type) ? type.map(String) : [String(type)]);

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case "object":
      return isRecord(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function schemaOf({ content }: Json): unknown {
  const media = isRecord(content) ? content["application/json"] : undefined;
  return isRecord(media) ? media["schema"] : undefined;
}

const keyOf = (method: string, route: string): string => `${method.toUpperCase()} ${shapeOf(route)}`;
