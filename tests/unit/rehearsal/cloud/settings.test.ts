/** What a cloud is made with. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  makeSettings,
  readSettings,
  rehearsalFolder,
  rehearsedOn,
  withZone,
  zoneOf,
} from "../../../../rehearsal/cloud/settings.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder("settings");
});

test("a zone is on plan free, unless it says its plan", () => {
  expect(zoneOf("example.com")).toEqual({ name: "example.com", plan: "free" });
  expect(zoneOf("example.com:pro")).toEqual({ name: "example.com", plan: "pro" });
});

test("what the zones of a cloud are is kept until it is told otherwise", () => {
  const { token } = makeSettings(folder, "main", { zones: ["example.com:business", "example.org"] });
  expect(makeSettings(folder, "main", {})).toMatchObject({ zones: ["example.com:business", "example.org"], token });
  makeSettings(folder, "main", { zones: ["example.com"] });
  expect(readSettings(folder)).toMatchObject({ zones: ["example.com"], token });
});

test.each([
  ["example.com:gold", 'got "example.com:gold", expected a domain, alone or with its plan (free, pro, business,'],
  ["example.com:", 'got "example.com:", expected a domain'],
  ["example.com:pro:free", 'got "example.com:pro:free", expected a domain'],
  ["not a domain", 'got "not a domain", expected a domain'],
  ["example.org:pro", "a zone is listed twice"],
])("the zone %s is refused", (zone, message) => {
  expect(() => makeSettings(folder, "main", { zones: ["example.org", zone] })).toThrow(message);
  expect(readSettings(folder)).toBeUndefined();
});

test("a cloud of another version says so, and how it is deleted", () => {
  makeSettings(folder, "main", {});
  const path = join(folder, "settings.json");
  const { layout, ...older } = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(path, "utf8")));
  writeFileSync(path, JSON.stringify(older));
  const said = "The rehearsal cloud 'main' was made by an older version, and does not work with this one. ";
  expect(() => makeSettings(folder, "main", {})).toThrow(
    `${said}Delete it and everything in it: make cloud-down CLOUD=main`,
  );
  // The command that deletes it reads it.
  expect(readSettings(folder)).toEqual(older);
  writeFileSync(path, JSON.stringify({ ...older, layout: Number(layout) + 1 }));
  expect(() => makeSettings(folder, "main", {})).toThrow("was made by a newer version");
});

test("a zone is added on its plan, and one that is there stays as it is", () => {
  expect(withZone([], "example.com", "free")).toEqual(["example.com"]);
  expect(withZone(["example.com"], "example.org", "pro")).toEqual(["example.com", "example.org:pro"]);
  expect(withZone(["example.com:pro"], "example.com", "business")).toEqual(["example.com:pro"]);
});

test("the clouds on which a stack is rehearsed are those with a project of it", () => {
  const root = temporaryFolder("rehearsed");
  expect(rehearsedOn(root, "prod")).toEqual([]);
  for (const [cloud, stack] of [
    ["walk", "prod"],
    ["main", "prod"],
    ["other", "shop"],
  ] as const)
    mkdirSync(rehearsalFolder(root, cloud, stack), { recursive: true });
  expect(rehearsedOn(root, "prod")).toEqual(["main", "walk"]);
});
