/** Checks of a stack on a local Docker Engine. Pure. */
import { runsOwnDatabase } from "../own-database.ts";
import { line } from "../line.ts";
import { type OptionalService, optionalServices, type Settings } from "../schema.ts";

/** @returns the problems, one line each */
export function checkLocal(settings: Settings): string[] {
  const problems: string[] = [];
  const on = new Set(settings.services);
  for (const dependent of ["app", "workers", "beat", "flower"] as const) {
    if (on.has(dependent) && !on.has("cache") && settings.cache.mode === "provision") {
      problems.push(line("services", settings.services, `cache as well, which ${dependent} needs`));
    }
  }
  const idle = settings.services.flatMap((service) => whatSwitchesOff(service, settings) ?? []);
  if (idle.length === settings.services.length && !runsOwnDatabase(settings.database)) {
    const because = idle.length === 0 ? "" : `; those have no container with ${[...new Set(idle)].join(" and ")}`;
    problems.push(
      line("services", settings.services, `at least one service, since the database is external${because}`),
    );
  }
  if (settings.edge.tls !== "none") {
    problems.push(
      line("edge.tls", settings.edge.tls, "none with orion:hosting local, where no port for TLS is published"),
    );
  }
  if (on.has("edge") && !on.has("app")) {
    problems.push(line("services", settings.services, "app as well, which edge needs"));
  }
  const { availability, primary } = settings.database;
  if (availability !== "single") {
    problems.push(line("database.availability", availability, "single with orion:hosting local"));
  }
  if (settings.gateway.enabled) problems.push(line("gateway.enabled", true, "false with orion:hosting local"));
  if (settings.database.pooler) problems.push(line("database.pooler", true, "false with orion:hosting local"));
  if (primary !== "core-1") problems.push(line("database.primary", primary, "core-1 with orion:hosting local"));
  if (on.size !== settings.services.length) {
    problems.push(line("services", settings.services, "each service once"));
  }
  const isOptional = (name: string): name is OptionalService => optionalServices.some((one) => one === name);
  const ports = Object.entries(settings.ports).filter(([name]) =>
    isOptional(name)
      ? on.has(name) && whatSwitchesOff(name, settings) === undefined
      : runsOwnDatabase(settings.database),
  );
  for (const [name, value] of ports) {
    const twin = ports.find(([other, port]) => other < name && port === value);
    if (twin) problems.push(line(`ports.${name}`, value, `a port that no other service has; ${twin[0]} has ${value}`));
  }
  return problems;
}

/** The setting with which a service of the list has no container; undefined when it has one. */
function whatSwitchesOff(service: OptionalService, { cache, workers }: Settings): string | undefined {
  if (service === "cache") return cache.mode === "external" ? "orion:cache.mode external" : undefined;
  if (service !== "workers" && service !== "beat" && service !== "flower") return undefined;
  if (!workers.enabled) return "orion:workers.enabled false";
  return service !== "workers" && workers.commands[service]?.length === 0
    ? `orion:workers.commands.${service} []`
    : undefined;
}
