/** The plugin's create, read, update and delete of resources, independent of the gRPC protocol. */
import { isRecord } from "../../common/record.ts";
import { fill, parseImportId, pathProperties } from "./api-paths.ts";
import { CallError, type Client, type Request } from "./client.ts";
import { decode, encode, keepSpelling, merge, projectInputs } from "./codec.ts";
import { type Change, changes, type Failure, previewState, validate, withDefaults } from "./plan.ts";
import { type Resource, resources } from "./resources.ts";
import { decidedByApi, type Description } from "./shapes.ts";
import { clean, type Values } from "./values.ts";

export interface Created {
  readonly id: string;
  readonly state: Values;
}

export interface Found extends Created {
  readonly inputs: Values;
}

interface Kind {
  readonly name: string;
  readonly resource: Resource;
  readonly description: Description;
  /** Inputs whose value the API chooses when the program sets none. */
  readonly decided: ReadonlySet<string>;
}

export class CloudflareProvider {
  readonly #kinds: ReadonlyMap<string, Kind>;

  /** @param descriptions contents of properties.json */
  constructor(descriptions: Readonly<Record<string, Description>>) {
    this.#kinds = new Map(
      Object.entries(resources).map(([name, resource]) => {
        const description = descriptions[name];
        if (description === undefined) throw new Error(`properties.json describes no ${name}`);
        return [
          `cloudflare:index/${resource.module}:${name}`,
          { name, resource, description, decided: decidedByApi(description) },
        ];
      }),
    );
  }

  /** @throws {Error} for a type that this plugin does not have */
  #kind(type: string): Kind {
    const kind = this.#kinds.get(type);
    if (kind === undefined) {
      throw new Error(
        `The rehearsal's Cloudflare plugin does not support ${type}; it supports ${[...this.#kinds.keys()].join(", ")}`,
      );
    }
    return kind;
  }

  check(type: string, inputs: Values): Failure[] {
    return validate(this.#kind(type).description.inputs, clean(inputs));
  }

  diff(type: string, news: Values, state: Values): Change[] {
    const { resource, description, decided } = this.#kind(type);
    return changes(resource, description.inputs, decided, clean(news), clean(state));
  }

  /** The state that a preview shows. */
  preview(type: string, news: Values, state: Values | undefined): Values {
    const { resource, description, decided } = this.#kind(type);
    return previewState(resource, description.inputs, description.outputs, decided, clean(news), state);
  }

  async create(client: Client, type: string, inputs: Values): Promise<Created> {
    const kind = this.#kind(type);
    const { resource } = kind;
    const set = withDefaults(kind.description.inputs, clean(inputs), resource.defaults ?? {});
    const { method, path } = resource.create;
    const answer = await client.call({
      ...this.#request(kind, set),
      method,
      path: fill(path, set),
      body: this.#body(kind, set, true),
    });
    const wire = unwrapAnswer(resource, answer);
    const state = this.#stateAfterWrite(kind, set, wire);
    return { id: idOf(resource, state, wire), state };
  }

  async update(client: Client, type: string, id: string, inputs: Values, before: Values): Promise<Values> {
    const kind = this.#kind(type);
    const { resource } = kind;
    const set = withDefaults(kind.description.inputs, clean(inputs), resource.defaults ?? {});
    const { update: method = "PUT" } = resource;
    if (method === "none") throw new Error(`a ${resource.module} cannot be changed, only replaced`);
    const where = resource.frame === "first" ? resource.create.path : resource.item;
    const path = fill(where, { ...before, ...set, id });
    const answer = await client.call({ ...this.#request(kind, set), method, path, body: this.#body(kind, set, false) });
    const state = this.#stateAfterWrite(kind, set, unwrapAnswer(resource, answer));
    return { ...kept(resource, before), ...state };
  }

  /** Reads a resource; undefined when it does not exist any more. Without a previous state, `id` is an import id. */
  async read(client: Client, type: string, id: string, before: Values, inputs: Values): Promise<Found | undefined> {
    const kind = this.#kind(type);
    const { resource, description } = kind;
    const isImport = Object.keys(clean(before)).length === 0;
    const known = isImport ? { ...resource.defaults, ...parseImportId(resource, id) } : { ...clean(before), id };
    let answer: unknown;
    try {
      answer = await client.call({ ...this.#request(kind, known), method: "GET", path: fill(resource.item, known) });
    } catch (error) {
      if (error instanceof CallError && error.status === 404) return undefined;
      throw error;
    }
    const spelling = resource.spelling ?? {};
    const wire = unwrapAnswer(resource, answer);
    const told = decode(description.outputs, wire, spelling);
    const fixed = Object.fromEntries(
      [...pathProperties(resource), ...Object.keys(resource.headers ?? {})].flatMap((name) =>
        name !== "id" &&
        Object.hasOwn(description.outputs, name) &&
        typeof known[name as keyof typeof known] === "string" &&
        told[name] === undefined
          ? [[name, known[name as keyof typeof known]]]
          : [],
      ),
    );
    const fresh = keepSpelling({ ...fixed, ...told, ...kept(resource, known) }, before, "", {
      json: spelling.json ?? [],
      caseless: resource.caseless ?? [],
    });
    const state = isRecord(fresh) ? fresh : {};
    return {
      id: isImport ? idOf(resource, state, wire) : id,
      state,
      inputs: this.#inputsOf(kind, state, inputs, isImport),
    };
  }

  async delete(client: Client, type: string, id: string, state: Values): Promise<void> {
    const kind = this.#kind(type);
    const { resource } = kind;
    if (resource.delete === "none") return;
    if (resource.delete !== undefined) {
      await client.call(resource.delete(state));
      return;
    }
    await client.call({
      ...this.#request(kind, state),
      method: "DELETE",
      path: fill(resource.item, { ...clean(state), id }),
    });
  }

  #request({ resource }: Kind, values: Values): Pick<Request, "headers" | "query"> {
    const texts = (entries: readonly (readonly [string, unknown])[]) =>
      Object.fromEntries(
        entries.flatMap(([name, value]) =>
          typeof value === "string" || typeof value === "boolean" ? [[name, String(value)]] : [],
        ),
      );
    return {
      headers: texts(Object.entries(resource.headers ?? {}).map(([name, header]) => [header, values[name]])),
      query: texts((resource.query ?? []).map((name) => [name, values[name]])),
    };
  }

  #body({ resource, description }: Kind, set: Values, isCreate: boolean): Values {
    const inPath = pathProperties(resource).filter((name) => !(isCreate && resource.inBody?.includes(name) === true));
    const elsewhere = new Set([
      ...inPath,
      ...(resource.query ?? []),
      ...(isCreate ? [] : Object.keys(resource.headers ?? {})),
      "jurisdiction",
    ]);
    const own = Object.fromEntries(Object.entries(set).filter(([name]) => !elsewhere.has(name)));
    const body = encode(description.inputs, own, resource.spelling ?? {});
    return isCreate && resource.createNames !== undefined ? rename(body, resource.createNames) : body;
  }

  #stateAfterWrite({ resource, description, decided }: Kind, set: Values, wire: Values): Values {
    const told = decode(description.outputs, wire, resource.spelling ?? {});
    // The API chooses outputs that are not inputs, and everything below an input that it chooses.
    const decides = (path: string) => {
      const [first = ""] = path.split(".");
      return (
        !Object.hasOwn(description.inputs, first) ||
        [...decided].some((each) => path === each || path.startsWith(`${each}.`))
      );
    };
    return {
      ...merge(description.outputs, set, told, decides),
      ...(resource.kept ?? []).reduce(
        (all, name) => (set[name] === undefined ? all : { ...all, [name]: set[name] }),
        {},
      ),
    };
  }

  #inputsOf({ description }: Kind, state: Values, inputs: Values, isImport: boolean): Values {
    if (!isImport) {
      const projected = projectInputs(clean(inputs), state);
      return {
        ...(inputs["__defaults"] !== undefined && { __defaults: inputs["__defaults"] }),
        ...(isRecord(projected) ? projected : {}),
      };
    }
    const all = Object.keys(description.inputs).flatMap((name) =>
      state[name] === undefined ? [] : [[name, state[name]]],
    );
    return Object.fromEntries(all) as Values;
  }
}

const rename = (body: Values, names: Readonly<Record<string, string>>): Values =>
  Object.fromEntries(Object.entries(body).map(([key, value]) => [names[key] ?? key, value]));

const kept = (resource: Resource, before: Values): Values =>
  Object.fromEntries(
    (resource.kept ?? []).flatMap((name) => (before[name] === undefined ? [] : [[name, before[name]]])),
  );

/** @throws {Error} when the API's answer is not an object */
function unwrapAnswer(resource: Resource, answer: unknown): Values {
  const value: unknown = resource.frame === "first" && Array.isArray(answer) ? answer[0] : answer;
  if (!isRecord(value)) throw new Error(`The API's answer for a ${resource.module} is not an object`);
  return value;
}

function idOf(resource: Resource, state: Values, wire: Values): string {
  const { id = "id" } = resource;
  const found = id.includes("{") ? fill(id, state) : wire[id];
  if (typeof found !== "string" || found === "")
    throw new Error(`The API's answer for a ${resource.module} has no ${id}`);
  return found;
}
