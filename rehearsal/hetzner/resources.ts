/** Routes that all kinds of resources share: list, get, update, delete, protection, their actions. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { isRecord } from "../../common/record.ts";
import { Differences } from "../differences.ts";
import type { Json } from "../json.ts";
import { labels, maybe, nothing, parse } from "./body.ts";
import type { Cloud } from "./cloud.ts";
import { isProtected, notFound } from "./errors.ts";
import { linksOf } from "./headers.ts";
import {
  actionParameters,
  filtered,
  orders,
  paged,
  pages,
  type Honoured,
  type Query,
  requireHonoured,
  textsOf,
} from "./listing.ts";
import { type Method, Served } from "./served.ts";
import type { Action, HetznerObjects, NamedKind } from "./state.ts";

/** Describes a kind of resource: names, API representation, checks. */
export interface ResourceType<Kind extends NamedKind> {
  readonly kind: Kind;
  /** Its path segment: `servers`. */
  readonly path: string;
  /** Its name in replies and actions: `server`. */
  readonly singular: string;
  readonly view: (object: HetznerObjects[Kind]) => Json | Promise<Json>;
  /** Schema of its name. */
  readonly name: z.ZodType<string>;
  /** Updates the stored object from its machine, for changes that no API call made. */
  readonly observe?: (object: HetznerObjects[Kind]) => Promise<void>;
  /** What PUT changes besides name and labels; its argument is the body without those. */
  readonly update?: (rest: unknown) => Partial<HetznerObjects[Kind]>;
  /** Called after its labels have changed. */
  readonly relabelled?: (object: HetznerObjects[Kind]) => void;
  /** Keys to sort a list by. @default id, name, created */
  readonly sort?: readonly string[];
  /** Parameters that filter a list besides name and labels. */
  readonly filters?: Honoured;
  readonly matches?: (object: HetznerObjects[Kind], query: Query) => boolean;
  /** Whether its actions can be looked up below its path. @default true */
  readonly hasActions?: false;
  /** Deletes it; returns the action, if the reply has one. */
  readonly remove: (object: HetznerObjects[Kind]) => Action | undefined;
}

export interface Call {
  readonly id: string;
  /** Id of an action below a resource. */
  readonly action: string;
  readonly query: Query;
  readonly body: unknown;
}

/** Registers routes and answers them as the API does. */
export class Routes {
  readonly #app: FastifyInstance;
  readonly #differences: Differences;
  readonly served = new Served();
  readonly cloud: Cloud;

  constructor(app: FastifyInstance, cloud: Cloud) {
    this.#app = app;
    this.#differences = new Differences(app);
    this.cloud = cloud;
  }

  /** Says how calls differ from the real API's, before they are registered. @param calls such as `POST /servers` */
  differs(calls: readonly string[], what: string): void {
    this.#differences.declare(calls, what);
  }

  /** @param known query parameters */
  get(path: string, handler: (call: Call) => unknown, known: Honoured = {}): void {
    this.#add("GET", path, handler, 200, known);
  }

  post(path: string, handler: (call: Call) => unknown): void {
    this.#add("POST", path, handler, 201);
  }

  /** A command on one resource: `POST /servers/1/actions/poweron`; the handler returns the reply. */
  command<Kind extends NamedKind>(
    type: ResourceType<Kind>,
    command: string,
    handler: (object: HetznerObjects[Kind], body: unknown) => unknown,
  ): void {
    this.post(`/${type.path}/:id/actions/${command}`, async ({ id, body }) => {
      await type.observe?.(this.cloud.require(type.kind, id));
      return this.cloud.store.transaction(() => handler(this.cloud.require(type.kind, id), body));
    });
  }

  /** A command without a body. */
  plain<Kind extends NamedKind>(
    type: ResourceType<Kind>,
    command: string,
    handler: (object: HetznerObjects[Kind]) => unknown,
  ): void {
    this.command(type, command, (object, body) => {
      parse(nothing, body);
      return handler(object);
    });
  }

  /** A paged list under the plural name. @param known its parameters besides those of pages */
  list<Row>(
    path: string,
    key: string,
    rows: (query: Query) => readonly Row[] | Promise<readonly Row[]>,
    view: (row: Row) => unknown,
    known: Honoured,
  ): void {
    const handler = async ({ query }: Call) => {
      const { rows: page, meta } = paged(await rows(query), query);
      return { [key]: await Promise.all(page.map(view)), meta };
    };
    this.get(path, handler, { ...pages, ...known });
  }

  /** The routes that every resource has. */
  resource<Kind extends NamedKind>(type: ResourceType<Kind>): void {
    const { cloud } = this;
    const { kind, path, singular, view, matches = () => true, hasActions = true } = type;
    const { sort = ["id", "name", "created"], filters = {} } = type;
    const show = async (object: HetznerObjects[Kind]) => ({ [singular]: await view(object) });
    const { observe = () => Promise.resolve() } = type;
    const rows = async (query: Query) => {
      await Promise.all(cloud.store.list(kind).map(observe));
      const wanted = cloud.store.list(kind).filter((object) => matches(object, query));
      return filtered(wanted, query);
    };
    this.list(`/${path}`, path, rows, view, {
      ...{ name: undefined, label_selector: undefined, sort: orders(...sort) },
      ...filters,
    });
    this.get(`/${path}/:id`, async ({ id }) => {
      await observe(cloud.require(kind, id));
      return show(cloud.require(kind, id));
    });
    this.#add("PUT", `/${path}/:id`, ({ id, body }) => show(this.#update(type, id, body)), 200);
    this.#add(
      "DELETE",
      `/${path}/:id`,
      ({ id }) =>
        cloud.store.transaction(() => {
          const object = cloud.require(kind, id);
          if ("protection" in object && object.protection.delete) throw isProtected(singular);
          const action = type.remove(object);
          return action && { action };
        }),
      200,
    );
    if (hasActions) this.actionsOf(path, singular, (id) => cloud.require(kind, id).id);
  }

  /** `change_protection` of a resource that has delete protection only. */
  protection<Kind extends NamedKind>(type: ResourceType<Kind>): void {
    this.command(type, "change_protection", (object, body) => {
      const change = parse(z.strictObject({ delete: maybe(z.boolean()) }), body);
      if (!("protection" in object)) throw new Error(`${type.kind} has no protection`);
      const protection = { ...object.protection, delete: change.delete ?? object.protection.delete };
      this.cloud.store.put(type.kind, object.id, { ...object, protection });
      return { action: this.cloud.actions.done("change_protection", [{ id: object.id, type: type.singular }]) };
    });
  }

  /** Routes for the actions of a kind and of a single resource. */
  actionsOf(path: string, singular: string, idOf: (id: string) => number): void {
    const concerns = ({ resources }: Action, id?: number) =>
      resources.some((one) => one.type === singular && (id === undefined || one.id === id));
    const one = (action: string, id?: number) => {
      const found = this.cloud.requireAction(action);
      if (!concerns(found, id)) throw notFound("action", action);
      return { action: found };
    };
    const ofKind = (query: Query) => this.actions(query).filter((action) => concerns(action));
    this.list(`/${path}/actions`, "actions", ofKind, (action) => action, { ...actionParameters, id: undefined });
    this.get(`/${path}/actions/:id`, ({ id }) => one(id));
    const ofOne = ({ id, query }: Call) => {
      const wanted = idOf(id);
      const rows = this.actions(query).filter((action) => concerns(action, wanted));
      const { rows: actions, meta } = paged(rows, query);
      return { actions, meta };
    };
    this.get(`/${path}/:id/actions`, ofOne, actionParameters);
    this.get(`/${path}/:id/actions/:action`, ({ id, action }) => one(action, idOf(id)));
  }

  /** Actions filtered by id and status, in the requested order. */
  actions(query: Query): Action[] {
    const ids = textsOf(query, "id");
    const states = textsOf(query, "status");
    const { actions } = this.cloud;
    const rows = ids.length === 0 ? actions.list() : ids.flatMap((id) => actions.get(Number(id)) ?? []);
    const wanted = rows.filter(({ status }) => states.length === 0 || states.includes(status));
    return filtered(wanted, { sort: query["sort"] });
  }

  #update<Kind extends NamedKind>(type: ResourceType<Kind>, id: string, body: unknown): HetznerObjects[Kind] {
    const { cloud } = this;
    const { name, labels: given, ...rest } = parse(z.looseObject({}), body);
    const change = parse(z.strictObject({ name: maybe(type.name), labels: maybe(labels) }), { name, labels: given });
    const further = type.update ? type.update(rest) : parse(nothing, rest);
    return cloud.store.transaction(() => {
      const object = cloud.require(type.kind, id);
      if (change.name !== undefined) cloud.requireFreeName(type.kind, change.name, object.id);
      const next = {
        ...object,
        ...(change.name !== undefined && { name: change.name }),
        ...(change.labels && { labels: change.labels }),
        ...further,
      };
      cloud.store.put(type.kind, object.id, next);
      if (change.labels) type.relabelled?.(next);
      return next;
    });
  }

  #add(method: Method, url: string, handler: (call: Call) => unknown, status: number, known: Honoured = {}): void {
    this.served.add(method, url);
    this.#app.route({
      method,
      url,
      config: this.#differences.of(method, url),
      handler: async (request: FastifyRequest, reply: FastifyReply) => {
        const params = isRecord(request.params) ? request.params : {};
        const [id = "", action = ""] = ["id", "action"].map((key) => textsOf(params, key)[0]);
        const query = isRecord(request.query) ? request.query : {};
        requireHonoured(query, known);
        if (method === "DELETE") parse(nothing, request.body);
        const answer = await handler({ id, action, query, body: request.body });
        const links = linksOf(request, answer);
        if (links !== undefined) reply.header("link", links);
        return answer === undefined ? reply.code(204).send() : reply.code(status).send(answer);
      },
    });
  }
}
