/** How the image's processes reach PostgreSQL, by what a stack sets. */
import { hasReadUrl, reachesOwnDatabase } from "../../../topology/database-access.ts";
import type { Phase } from "../../../config/schema.ts";
import { settingsOf } from "../support/settings.ts";

const authority = "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----";
const external = { mode: "external", availability: "single" };

test.each<[Phase, Readonly<Record<string, unknown>>, { own: boolean; reads: boolean }]>([
  ["development", {}, { own: true, reads: false }],
  ["mvp", {}, { own: true, reads: false }],
  ["scale", {}, { own: true, reads: true }],
  ["scale", { gateway: { enabled: false } }, { own: true, reads: true }],
  ["scale", { gateway: { enabled: false }, database: { availability: "single" } }, { own: true, reads: false }],
  ["mvp", { database: external }, { own: false, reads: false }],
  ["scale", { database: { ...external, movable: true } }, { own: false, reads: false }],
  ["scale", { database: { ...external, movable: true, pooler: true, authority } }, { own: true, reads: true }],
])("phase %s with %j", (phase, values, expected) => {
  const settings = settingsOf(phase, values, ["databaseUrl"]);
  expect({ own: reachesOwnDatabase(settings), reads: hasReadUrl(settings) }).toEqual(expected);
});
