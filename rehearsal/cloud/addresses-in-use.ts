/** Checks that what a new cloud listens at is free, before anything of it is made. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { isFree, processOn } from "../../common/ports.ts";
import { UserError } from "../../common/user-error.ts";
import { commandFor } from "./commands.ts";
import { cloudServices, type CloudSettings, readSettings } from "./settings.ts";

/** The addresses and ports of a cloud, with the choice that moves each. */
function placesOf({ port, block, machines }: CloudSettings): { host: string; port: number; by: "port" | "block" }[] {
  const api = [port, port + 1].map((one) => ({ host: "127.0.0.1", port: one, by: "port" as const }));
  const services = machines === "docker" ? Object.values(cloudServices(block)) : [];
  return [
    ...api,
    ...services.flatMap(({ address, tcp }) => tcp.map((one) => ({ host: address, port: one, by: "block" as const }))),
  ];
}

/**
 * @param folder the cloud's own
 * @throws {UserError} naming what is in use, by whom, and another choice
 */
export async function requireFreeAddresses(folder: string, settings: CloudSettings): Promise<void> {
  const others = otherClouds(folder);
  const twin = others.find(({ block, machines }) => machines === "docker" && block === settings.block);
  if (settings.machines === "docker" && twin) {
    throw new UserError(
      `The address block ${settings.block} belongs to the rehearsal cloud '${twin.instance}'. ${choose("block", settings, others)}`,
    );
  }
  for (const { host, port, by } of placesOf(settings)) {
    if (await isFree(host, port)) continue;
    const cloud = others.find((other) => placesOf(other).some((one) => one.host === host && one.port === port));
    const holder = cloud ? `the rehearsal cloud '${cloud.instance}'` : (processOn(port) ?? "another program");
    throw new UserError(`${host}:${port} is in use by ${holder}. ${choose(by, settings, others)}`);
  }
}

/** The next value that no cloud has. */
function choose(by: "port" | "block", settings: CloudSettings, others: readonly CloudSettings[]): string {
  const taken = new Set(others.map((other) => other[by]));
  const step = by === "port" ? 10 : 1;
  let free = settings[by] + step;
  while (taken.has(free)) free += step;
  return `Choose another ${by}: ${commandFor("up", { name: settings.instance, [by]: String(free) })}`;
}

/** The settings of the clouds beside this one. */
function otherClouds(folder: string): CloudSettings[] {
  const place = dirname(folder);
  if (!existsSync(place)) return [];
  return readdirSync(place)
    .map((name) => join(place, name))
    .filter((path) => path !== folder)
    .flatMap((path) => readSettings(path) ?? []);
}
