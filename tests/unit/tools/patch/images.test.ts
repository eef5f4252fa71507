/** Which images an update changes, in which order, and how long services were away. */
import { imageReferences } from "../../../../topology/images.ts";
import { plan } from "../../../../topology/plan.ts";
import { imageChanges, shortly, standbysFirst, targetsOn } from "../../../../tools/patch/image-changes.ts";
import { eventsOf, pauseOf } from "../../../../tools/patch/pause-watch.ts";
import type { Resource } from "../../../../tools/state.ts";
import { settingsOf } from "../../support/settings.ts";
import { images as built } from "../../support/graphs.ts";

const [old, next] = ["12", "34"].map((digits) => `postgres:15-bookworm@sha256:${digits.repeat(32)}`) as [
  string,
  string,
];

const stackWith = (postgres: string) => {
  const settings = settingsOf("scale", { images: { database: postgres } });
  return { settings, topology: plan("prod", settings) };
};
const urn = (type: string, name: string) => `urn:pulumi:prod::orion::orion:Platform$${type}::${name}`;

/** The state of a stack: the images of each server, and a container for each. */
function stateOf({ settings, topology }: ReturnType<typeof stackWith>): Resource[] {
  return topology.servers.flatMap(({ name: server }) => {
    const here = topology.services.filter((service) => service.server === server);
    const provider = `${urn("pulumi:providers:docker", `${server}-docker`)}::id`;
    const image = "docker:index/remoteImage:RemoteImage";
    const container = "docker:index/container:Container";
    return [
      ...[...imageReferences(here, settings, built)].map(([key, name]) => ({
        ...{ urn: urn(image, `${server}-image-${key}`), type: image, provider, inputs: { name } },
      })),
      ...here.map(({ name }) => ({ urn: urn(container, `${name}-server`), type: container, provider, inputs: {} })),
    ];
  });
}

test("a digest that the state does not have is a change on each server that runs the image", () => {
  const changes = imageChanges(stateOf(stackWith(old)), stackWith(next), built);
  expect(changes).toEqual([
    { server: "core-1", key: "database", from: old, to: next },
    { server: "db-2", key: "database", from: old, to: next },
  ]);
  expect(imageChanges(stateOf(stackWith(old)), stackWith(old), built)).toEqual([]);
  // A server that is not there yet gets its images when it is made.
  expect(imageChanges([], stackWith(next), built)).toEqual([]);
});

test("the standby gets it first, by an update of its own containers alone", () => {
  const state = stateOf(stackWith(old));
  const { topology } = stackWith(next);
  const changes = imageChanges(state, stackWith(next), built);
  expect(standbysFirst(changes, topology)).toEqual(["db-2"]);
  expect(
    standbysFirst(
      changes.filter(({ server }) => server === "core-1"),
      topology,
    ),
  ).toEqual([]);
  const names = targetsOn(state, "db-2").map((target) => target.split("::").at(-1));
  expect(names).toContain("db-2-image-postgres");
  expect(names).toContain("replica-1-server");
  expect(names.filter((name) => name?.includes("core-1"))).toEqual([]);
});

test("a digest is shown as far as people compare it", () => {
  expect([shortly(old), shortly("redis:7")]).toEqual(["postgres:15-bookworm@121212121212…", "redis:7"]);
});

test("a pause is from the end of a container to the moment when the next one is healthy", () => {
  const event = (Action: string, service: string, seconds: number) =>
    JSON.stringify({ Action, timeNano: seconds * 1e9, Actor: { Attributes: { service } } });
  const events = eventsOf(
    [
      event("health_status: healthy", "database", 1),
      event("die", "database", 10),
      event("die", "cache", 11),
      event("health_status: unhealthy", "database", 12),
      event("health_status: healthy", "database", 16.5),
      "not JSON",
      event("exec_die", "database", 17),
      "",
    ].join("\n"),
  );
  expect(pauseOf("database", events)).toBe(6500);
  expect(pauseOf("cache", events)).toBeUndefined();
  expect(pauseOf("broker", events)).toBeUndefined();
});
