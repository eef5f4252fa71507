/** Checks of a stack with servers: required settings, and traits that exclude each other. Pure. */
import { normalRange } from "../address-range.ts";
import { hostNameProblem, normalHostName, privateNameProblem } from "../host-name.ts";
import { runsOwnDatabase } from "../own-database.ts";
import { isIP } from "node:net";
import { line } from "../line.ts";
import { presets } from "../presets.ts";
import { keyBody } from "../public-key.ts";
import { optionalServices, type Settings } from "../schema.ts";

/** @returns the problems, one line each */
export function checkServers(settings: Settings): string[] {
  return [
    ...checkServices(settings),
    ...checkAccess(settings),
    ...checkNames(settings),
    ...checkMailServer(settings),
    ...checkEdge(settings),
    ...checkFiles(settings),
    ...checkArchitecture(settings),
    ...checkDatabase(settings),
    ...checkLocations(settings),
  ];
}

/** Services that only the development stack has. */
const localOnly: ReadonlySet<string> = new Set(["testDatabase", "docs"]);

/** With servers every service is needed: an update would delete the resources of one that is not in the list. */
function checkServices({ services, cache }: Settings): string[] {
  const needed = optionalServices.filter(
    (service) => !localOnly.has(service) && (service !== "cache" || cache.mode === "provision"),
  );
  const missing = needed.filter((service) => !services.includes(service));
  if (missing.length === 0) return [];
  const allowed = `a list with ${needed.join(", ")}, or no list: with servers no service can be left out (missing: ${missing.join(", ")})`;
  return [line("services", services, allowed)];
}

function checkAccess({ phase, domain, admin }: Settings): string[] {
  const needs = (key: string, how: string) => `orion:${key}: is needed in phase ${phase}; ${how}`;
  const bodies = admin.sshPublicKeys.map(keyBody);
  const twice = admin.sshPublicKeys.find((key, index) => bodies.indexOf(keyBody(key)) < index);
  return [
    ...(domain === undefined ? [needs("domain", "a host name such as orion.example.com")] : []),
    ...(bodies.length === 0 ? [needs("admin.sshPublicKeys", "a list of OpenSSH public keys that may log in")] : []),
    ...(twice === undefined ? [] : [line("admin.sshPublicKeys", twice, "each key once, whatever its comment is")]),
    ...admin.cidrs
      .filter((range, index) => admin.cidrs.findIndex((other) => normalRange(other) === normalRange(range)) < index)
      .map((range) => line("admin.cidrs", range, "each address range once")),
    // Without an address range the firewall admits no SSH at all, and the update would time out on the new server.
    ...(admin.cidrs.length === 0
      ? [needs("admin.cidrs", "a list of address ranges that may log in over SSH, such as 203.0.113.7/32")]
      : []),
  ];
}

/** Cloudflare has no zone of a name that the Internet does not have, and the public authorities sign no certificate for it. */
function checkNames({ domain, domains, cloudflare, edge }: Settings): string[] {
  if (!cloudflare.enabled && (edge.tls !== "acme" || edge.acme.authority !== undefined)) return [];
  const named = [
    ...(domain === undefined ? [] : [["domain", domain, domain] as const]),
    ...Object.entries(domains).map(([name, answer]) => [`domains.${name}`, name, answer] as const),
  ];
  return named.flatMap(([key, name, value]) => {
    const problem = privateNameProblem(name);
    return problem === undefined ? [] : [line(key, value, problem)];
  });
}

/** A container reaches nothing at its own address. A relay may be an address. */
function checkMailServer({ email: { backend, smtpHost } }: Settings): string[] {
  if (backend !== "smtp" || smtpHost === undefined) return [];
  const isOwn = /^127\.|^0\.0\.0\.0$|(?:^|\.)localhost$/i.test(smtpHost);
  const problem = isIP(smtpHost) === 0 ? hostNameProblem(normalHostName(smtpHost)) : undefined;
  const why = "a container reaches nothing at its own address";
  if (isOwn) return [line("email.smtpHost", smtpHost, `a host name such as smtp.example.com: ${why}`)];
  return problem === undefined ? [] : [line("email.smtpHost", smtpHost, problem)];
}

/** The values of `orion:edge.tls` that a stack with servers can have, whatever it has now. */
export const tlsFor = (
  { balancing }: Pick<Settings["edge"], "balancing">,
  { enabled }: Pick<Settings["cloudflare"], "enabled">,
): string =>
  [
    ...(enabled ? ["cloudflare-origin-ca"] : []),
    ...(balancing === "direct" ? ["acme"] : []),
    // Cloudflare's strict mode does not connect to it.
    ...(enabled ? [] : ["self-signed"]),
  ].join(" or ");

function checkEdge({ phase, edge, cloudflare, app }: Settings): string[] {
  const problems: string[] = [];
  const balanced = `orion:edge.balancing is ${edge.balancing}`;
  if (edge.tls === "cloudflare-origin-ca" && !cloudflare.enabled) {
    const why = edge.balancing === "direct" ? "" : ` and ${balanced}`;
    problems.push(
      line("edge.tls", edge.tls, `${tlsFor(edge, cloudflare)} while orion:cloudflare.enabled is false${why}`),
    );
  }
  if (edge.tls === "acme" && edge.balancing !== "direct") {
    const why = "behind a load balancer, the ACME authority's request may reach any edge";
    problems.push(line("edge.tls", edge.tls, `${tlsFor(edge, cloudflare)} while ${balanced}: ${why}`));
  }
  if (edge.balancing === "direct" && app.servers) {
    const other = presets[phase].app.servers
      ? ""
      : `; or leave orion:app.servers out, which phase ${phase} does not have`;
    problems.push(line("edge.balancing", edge.balancing, `regional or global while orion:app.servers is set${other}`));
  }
  if (edge.balancing === "global" && !cloudflare.enabled) {
    problems.push(line("edge.balancing", edge.balancing, "regional while orion:cloudflare.enabled is false"));
  }
  return problems;
}

/** A local volume is on one server: an upload through another one would be missing on the first, and be lost with its server. */
function checkFiles({ storage, app, workers }: Settings): string[] {
  const ofWorkers = workers.enabled && workers.servers !== undefined;
  const isSpread = ofWorkers || (app.servers !== undefined && (app.servers.count > 1 || workers.enabled));
  if (storage.backend !== "local" || !isSpread) return [];
  const several = [...(app.servers ? ["orion:app.servers"] : []), ...(ofWorkers ? ["orion:workers.servers"] : [])];
  const why = "each server would have files of its own";
  return [
    line(
      "storage.backend",
      storage.backend,
      `r2 while ${several.join(" and ")} ${several.length > 1 ? "are" : "is"} set: ${why}`,
    ),
  ];
}

/** Hetzner's types with ARM processors, whose images and whose PostgreSQL's data others do not run. */
const isArm = (type: string): boolean => type.startsWith("cax");

/** A replica has the files of the primary, and takes its place. */
function checkArchitecture({ database }: Settings): string[] {
  const { servers } = database;
  const arm = servers.filter(isArm);
  if (!runsOwnDatabase(database) || arm.length === 0 || arm.length === servers.length) return [];
  const why = "PostgreSQL cannot replicate to a server of another architecture, and no server can change its own";
  return [line("database.servers", servers, `types of one architecture, and ${arm.join(" and ")} is of ARM: ${why}`)];
}

function checkDatabase({ database, edge }: Settings): string[] {
  const { primary } = database;
  const own = runsOwnDatabase(database);
  if (primary === "core-1") return [];
  if (!own) return [line("database.primary", primary, "core-1 while orion:database.mode is external")];
  // With `direct`, visitors use core-1's public address; another primary can only be a promoted replica.
  if (edge.balancing !== "direct") return [];
  const why = `visitors would reach core-1 alone, and ${primary} has the data; stay on several servers, with orion:edge.balancing regional`;
  return [line("database.primary", primary, `core-1 while orion:edge.balancing is direct: ${why}`)];
}

const checkLocations = ({ hetzner: { locations } }: Settings): string[] =>
  new Set(locations).size === locations.length ? [] : [line("hetzner.locations", locations, "each location once")];
