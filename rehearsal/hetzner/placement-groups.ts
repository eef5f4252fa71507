/** API routes of placement groups. The rehearsal only counts their servers; all run on the same host. */
import { z } from "zod";
import type { Json } from "../json.ts";
import { stampOf } from "./actions.ts";
import { labels, maybe, name, parse } from "./body.ts";
import type { Cloud } from "./cloud.ts";
import { HetznerError, inUse } from "./errors.ts";
import type { ResourceType, Routes } from "./resources.ts";
import type { PlacementGroup, Server } from "./state.ts";

const mostServers = 10;

export function registerPlacementGroups(routes: Routes): void {
  const { cloud } = routes;
  const { store } = cloud;
  const type: ResourceType<"hetzner.placement_group"> = {
    kind: "hetzner.placement_group",
    path: "placement_groups",
    singular: "placement_group",
    hasActions: false,
    name,
    filters: { type: ["spread"] },
    view: (group) => placementGroupView(cloud, group),
    remove: (group) => {
      if (membersOf(cloud, group.id).length > 0) throw inUse(`placement group ${group.name} has servers`);
      store.delete("hetzner.placement_group", group.id);
      return undefined;
    },
  };
  routes.post("/placement_groups", ({ body }) => {
    const asked = parse(z.strictObject({ name, type: z.literal("spread"), labels: maybe(labels) }), body);
    return store.transaction(() => {
      cloud.requireFreeName(type.kind, asked.name);
      cloud.requireRoom(type.kind);
      const id = store.nextId(type.kind);
      const common = { id, name: asked.name, labels: asked.labels ?? {}, created: stampOf(cloud.now()) };
      store.put(type.kind, id, { ...common, type: "spread" });
      return { placement_group: placementGroupView(cloud, cloud.require(type.kind, id)), action: null };
    });
  });
  routes.resource(type);
}

const membersOf = ({ store }: Cloud, group: number): Server[] =>
  store.list("hetzner.server").filter(({ placementGroup }) => placementGroup === group);

export const placementGroupView = (cloud: Cloud, group: PlacementGroup): Json => ({
  ...group,
  servers: membersOf(cloud, group.id).map(({ id }) => id),
});

/** @throws {HetznerError} when a placement group is full */
export function requirePlacementGroupRoom(cloud: Cloud, group: number): void {
  const found = cloud.require("hetzner.placement_group", group);
  if (membersOf(cloud, group).length >= mostServers) {
    const message = `placement group ${found.name} has ${mostServers} servers, the most it can have`;
    throw new HetznerError(422, "placement_error", message);
  }
}
