/** Read-only API routes: types, locations, images, ISOs, prices, and all actions. */
import type { Json } from "../json.ts";
import { HetznerError, notFound } from "./errors.ts";
import { actionParameters, booleans, filtered, isTrue, orders, type Honoured, type Query, textsOf } from "./listing.ts";
import type { Routes } from "./resources.ts";

export function registerLookups(routes: Routes): void {
  const { cloud } = routes;
  const { catalogue } = cloud;
  const dated = ["server_types", "locations", "load_balancer_types", "images"];
  routes.differs(
    dated.flatMap((path) => [`GET /${path}`, `GET /${path}/:id`]),
    "a dated copy of Hetzner's list",
  );
  routes.differs(["GET /isos", "GET /isos/:id"], "some of Hetzner's list");

  function lookup<Row extends { readonly id: number; readonly name: string }>(
    path: string,
    singular: string,
    rows: readonly Row[],
    view: (row: Row) => Json,
    further: Honoured = {},
    matches: (shown: Json, query: Query) => boolean = () => true,
  ): void {
    const wanted = (query: Query) => filtered(rows, query).filter((row) => matches(view(row), query));
    routes.list(`/${path}`, path, wanted, view, { name: undefined, sort: orders("id", "name"), ...further });
    routes.get(`/${path}/:id`, ({ id }) => {
      const found = rows.find((row) => String(row.id) === id);
      if (!found) throw notFound(singular, id);
      return { [singular]: view(found) };
    });
  }

  lookup("server_types", "server_type", catalogue.serverTypes, (type) =>
    catalogue.serverType(type, cloud.unavailable(type.name)),
  );
  lookup("locations", "location", catalogue.locations, (location) => location);
  lookup("load_balancer_types", "load_balancer_type", catalogue.balancerTypes, (type) => catalogue.balancerType(type));
  const has = (shown: Json, query: Query, key: string) => {
    const values = textsOf(query, key);
    return values.length === 0 || values.some((value) => value === shown[key]);
  };
  const architecture = ["x86", "arm"];
  lookup(
    "images",
    "image",
    catalogue.images,
    (image) => catalogue.image(image),
    {
      ...{ architecture, include_deprecated: booleans, label_selector: undefined, bound_to: undefined },
      type: ["system", "app", "snapshot", "backup"],
      status: ["available", "creating", "unavailable"],
      sort: orders("id", "name", "created"),
    },
    (shown, query) =>
      ["architecture", "type", "status", "bound_to"].every((key) => has(shown, query, key)) &&
      (shown["deprecated"] === null || isTrue(query, "include_deprecated")),
  );
  routes.actionsOf("images", "image", (id) => {
    const found = catalogue.images.find((one) => String(one.id) === id);
    if (!found) throw notFound("image", id);
    return found.id;
  });
  lookup(
    "isos",
    "iso",
    catalogue.isos,
    (iso) => ({ ...catalogue.iso(iso), id: iso.id }),
    { architecture, include_architecture_wildcard: booleans },
    (shown, query) =>
      has(shown, query, "architecture") ||
      (shown["architecture"] === null && isTrue(query, "include_architecture_wildcard")),
  );
  routes.get("/pricing", () => ({ pricing: catalogue.pricing() }));
  const wanted = (query: Query) => {
    if (textsOf(query, "id").length > 0) return routes.actions(query);
    const details = {
      announcement: "https://docs.hetzner.cloud/changelog#2023-07-20-actions-list-endpoint-is-deprecated",
    };
    throw new HetznerError(410, "deprecated_api_endpoint", "actions are only listed by their ids", details);
  };
  routes.list("/actions", "actions", wanted, (action) => action, { ...actionParameters, id: undefined });
  routes.get("/actions/:id", ({ id }) => ({ action: cloud.requireAction(id) }));
}
