/** What the settings of the development phase need of each other. Pure. */
import { line } from "./line.ts";
import { type Settings } from "./schema.ts";

/** What is wrong, one line each. */
export function checkDevelopment(settings: Settings): string[] {
  const problems: string[] = [];
  const on = new Set(settings.services);
  for (const dependent of ["app", "workers", "beat", "flower"] as const) {
    if (on.has(dependent) && !on.has("cache") && settings.cache.mode === "provision") {
      problems.push(line("services", settings.services, `cache as well, which ${dependent} needs`));
    }
  }
  // What is somebody else's runs nothing here.
  const runs = settings.services.filter((service) => service !== "cache" || settings.cache.mode === "provision");
  if (runs.length === 0 && settings.database.mode === "external") {
    problems.push(line("services", settings.services, "at least one that runs here, where the database is external"));
  }
  if (settings.edge.tls !== "none") {
    problems.push(line("edge.tls", settings.edge.tls, "none in phase development, which publishes no port for TLS"));
  }
  if (on.has("edge") && !on.has("app")) {
    problems.push(line("services", settings.services, "app as well, which edge needs"));
  }
  if (on.size !== settings.services.length) {
    problems.push(line("services", settings.services, "each service once"));
  }
  const ports = Object.entries(settings.ports);
  for (const [name, value] of ports) {
    const twin = ports.find(([other, port]) => other < name && port === value);
    if (twin) problems.push(line(`ports.${name}`, value, `a port of its own; ${twin[0]} has ${value} already`));
  }
  return problems;
}
