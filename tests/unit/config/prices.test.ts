/** The price list that `make diff` reckons with, and that of the emulated API. */
import { join } from "node:path";
import { priceList } from "../../../config/prices.ts";
import { factsOfType } from "../../../config/server-types.ts";
import { presets } from "../../../config/presets.ts";
import { Catalogue, prices } from "../../../rehearsal/hetzner/catalogue.ts";

const catalogue = new Catalogue(join(process.cwd(), "rehearsal", "hetzner", "catalogue"));

test("says what the emulated Hetzner says, for all that it sells", () => {
  const of = (rows: readonly { name: string; monthly: number }[]) =>
    Object.fromEntries(rows.map(({ name, monthly }) => [name, monthly]));
  const inTheEu = catalogue.serverTypes.flatMap(({ name, monthly, retiredIn }) =>
    monthly["eu"] === undefined || retiredIn.includes("eu") ? [] : [{ name, monthly: monthly["eu"] }],
  );
  expect(priceList.server).toEqual(of(inTheEu));
  expect(priceList.loadBalancer).toEqual(of(catalogue.balancerTypes));
  expect([priceList.volumeGb, priceList.primaryIpv4]).toEqual([prices.volumeGb, prices.primaryIpv4]);
});

test("knows the disk and the architecture of all that it sells or has sold", () => {
  const known = catalogue.serverTypes.map(({ name }) => [name, factsOfType(name)]);
  expect(known).toEqual(
    catalogue.serverTypes.map(({ name, disk, architecture }) => [name, { diskGb: disk, architecture }]),
  );
});

test("has every type that a preset names", () => {
  const types = Object.values(presets).flatMap(({ database, app, workers }) => [
    ...database.servers,
    ...(app.servers?.types ?? []),
    ...(workers.servers?.types ?? []),
  ]);
  expect(types.filter((type) => !(type in priceList.server))).toEqual([]);
});
