/**
 * The red-team table of a rehearsed platform: what can be reached and done from the Internet, from other customers of Cloudflare,
 * from a neighbour server, from inside each container and with each credential. tests/golden/red-team-*.txt is what it has to be.
 */
import { z } from "zod";
import { imageRoles } from "../../common/app-contract.ts";
import { must } from "../../common/process.ts";
import { authorityFile, backupFiles } from "../../common/server-contract.ts";
import { archiveEnvironment } from "../../components/database/archive-config.ts";
import { rehearsalFolder } from "../../rehearsal/cloud/settings.ts";
import { Naming } from "../../rehearsal/machines/docker/naming.ts";
import { servicesOf, type Topology } from "../../topology/topology.ts";
import { selfSigned } from "../certificate.ts";
import type { RehearsalCloud } from "../cloud.ts";
import { differencesFromGolden, type Line } from "../golden.ts";
import { type OnServer, onServers, serverIds } from "./on-server.ts";
import { portsOf, reachOfNeighbour, reachOfServer } from "./reach.ts";
import {
  type Aims,
  cleanRedis,
  inContainer,
  type InContainer,
  rightsInRedis,
  rightsOfImage,
  rightsOfPsql,
} from "./rights.ts";
import { containerLines, grouped, groupOf, type Survey, type SurveyedContainer, surveyOf, udpLines } from "./survey.ts";
import { visitorsFrom, visitorsOfZone } from "./visitors.ts";

export interface RedTeam {
  readonly root: string;
  readonly cloud: RehearsalCloud;
  /** Name of a server in the private network that the plan does not know. */
  readonly neighbour: string;
  /** `short`: one instance of each kind on each server, and no credentials of tasks that do not run now. */
  readonly half: "short" | "whole";
}

/** Lines of tasks, which the short half leaves out. */
const ofTasks = /^\S+ (release|backup|archive)@/;

/**
 * Compares what was found with `tests/golden/<name>.txt`; with UPDATE_GOLDEN=1 the whole table is written to it instead.
 *
 * @throws {Error} that names each line that is more, other or missing
 */
export async function expectRedTeam(name: string, team: RedTeam): Promise<void> {
  const found = await redTeamTable(team);
  const isShort = team.half === "short";
  const { unexpected, missing } = differencesFromGolden(name, found, !isShort);
  const gone = missing.filter((line) => !isShort || !ofTasks.test(line));
  if (unexpected.length + gone.length === 0) return;
  throw new Error(
    [
      `What can be reached and done is not what tests/golden/${name}.txt says (docs/red-team.md explains its lines):`,
      ...unexpected.map((line) => `  found, and not in the table: ${line}`),
      ...gone.map((line) => `  in the table, and not found: ${line}`),
      "If that is meant: UPDATE_GOLDEN=1 npx jest --selectProjects long --testPathPatterns red-team, then read the difference",
    ].join("\n"),
  );
}

async function redTeamTable(team: RedTeam): Promise<Line[]> {
  const { cloud } = team;
  const on = onServers(cloud, await serverIds(cloud));
  const servers = cloud.plan.servers.map(({ name, privateAddress }) => ({ name, address: privateAddress }));
  const surveys = await Promise.all(servers.map(({ name }) => surveyOf(on, name)));
  const ports = portsOf(surveys);
  const inside = await Promise.all(surveys.map((survey) => reachOfServer(on, survey, servers, ports)));
  const others = await Promise.all([outside(team, on, surveys, ports), rights(team, on, surveys)]);
  // A neighbour, for one, is let in by no server: the same line for each of them.
  const lines = [...surveys.flatMap(containerLines), ...surveys.flatMap(udpLines), ...inside.flat(), ...others.flat()];
  const unique = new Map(lines.map((line) => [JSON.stringify(line), line]));
  return [...unique.values()].sort((a, b) => compare(keyOf(a), keyOf(b)));
}

const keyOf = ({ kind, name }: Line): string => `${kind} ${name}`;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** From the Internet, from Cloudflare's addresses, and from a neighbour. */
async function outside(
  { root, cloud, neighbour }: RedTeam,
  on: OnServer,
  surveys: readonly Survey[],
  ports: readonly number[],
): Promise<Line[]> {
  const { servers, balancers } = await cloud.status();
  const exposed = [...servers, ...balancers].flatMap(({ name, address }) =>
    address === null || name === neighbour ? [] : [{ name: name.replace(/^orion-prod-/, ""), address }],
  );
  const { certificate: cert, key } = selfSigned("another tenant");
  const visitors = exposed.flatMap((one) =>
    (["internet", "cloudflare"] as const).map((origin) => visitorsFrom(origin, cloud, one, ports, { cert, key })),
  );
  const noted = async (user: string) => {
    const sql = `SELECT client FROM session_audit WHERE user_name = '${user}' ORDER BY id DESC LIMIT 1`;
    return (await superuser(cloud, on, sql))[0] ?? "none";
  };
  const found = await Promise.all([
    ...visitors,
    visitorsOfZone(root, cloud, noted),
    neighbours({ cloud, neighbour }, on, surveys, new Map(exposed.map(({ name, address }) => [name, address])), ports),
  ]);
  return found.flat();
}

/** One server after the other: the routes are the neighbour's. */
async function neighbours(
  { cloud: { plan, settings }, neighbour }: Pick<RedTeam, "cloud" | "neighbour">,
  on: OnServer,
  surveys: readonly Survey[],
  exposed: ReadonlyMap<string, string>,
  ports: readonly number[],
): Promise<Line[]> {
  const lines: Line[] = [];
  for (const survey of surveys) {
    const { server } = survey;
    const { privateAddress = "" } = plan.servers.find(({ name }) => name === server) ?? {};
    // From a server, the other end of the public address' network is what the Internet reaches.
    const { host } = new Naming(settings.instance, settings.block).behind(exposed.get(server) ?? "");
    const direct = { name: server, address: privateAddress };
    const publicly = { name: `public-address-of-${server}`, address: host };
    lines.push(...(await reachOfNeighbour(on, neighbour, survey, { direct, publicly }, ports)));
  }
  return lines;
}

/** Rows of a query in the database's own container. */
async function superuser({ plan }: RehearsalCloud, on: OnServer, sql: string): Promise<string[]> {
  const [database] = servicesOf(plan, "database");
  const words = ["docker", "exec", database?.container ?? "", "psql", "-XtA", "-c", sql];
  return (await on(database?.server ?? "", words)).trim().split("\n");
}

/** With each credential, from where it is. */
async function rights(team: RedTeam, on: OnServer, surveys: readonly Survey[]): Promise<Line[]> {
  const { cloud, half } = team;
  const aims: Aims = {
    roles: await superuser(cloud, on, "SELECT rolname FROM pg_roles ORDER BY 1"),
    databases: await superuser(cloud, on, "SELECT datname FROM pg_database ORDER BY 1"),
    buckets: (await cloud.status()).buckets.toSorted(),
  };
  const found = await Promise.all([
    ...surveys.map((survey) => rightsOnServer(on, survey, aims, half)),
    ...(half === "whole" ? [rightsOfTasks(team, on, aims)] : []),
  ]);
  // At last: doctor reports what Redis has refused.
  const redis = surveys.flatMap((survey) =>
    survey.containers.filter(isRedis).map(({ id }) => cleanRedis(inContainer(on, survey.server, id))),
  );
  await Promise.all(redis);
  return found.flat();
}

const isRedis = ({ files }: SurveyedContainer): boolean => files.some((file) => file.endsWith("/admin-password"));

/** The credentials of a server's containers. */
async function rightsOnServer(on: OnServer, survey: Survey, aims: Aims, half: RedTeam["half"]): Promise<Line[]> {
  const { server, containers } = survey;
  const first = new Map(containers.toReversed().map((one) => [one.kind, one]));
  const tried = containers.filter((one) => half === "whole" || first.get(one.kind) === one);
  const images = tried
    .filter(({ kind }) => imageRoles.some((role) => role === kind))
    .map(async (one) => [one, await rightsOfImage(inContainer(on, server, one.id), "", aims)] as const);
  const others = containers.map(async (one) => {
    const [run, place] = [inContainer(on, server, one.id), groupOf(survey, one)];
    const isPostgres = one.kind === "database" || one.kind === "replica";
    return [
      ...(isPostgres ? await rightsOfPsql(run, "psql", `${place}:socket`, aims) : []),
      ...(one.kind === "replica" ? await rightsOfReplication(run, place, aims) : []),
      ...(isRedis(one) ? await rightsInRedis(run, place) : []),
    ];
  });
  const [ofImages, ofOthers] = await Promise.all([Promise.all(images), Promise.all(others)]);
  const named = ofImages.map(
    ([one, found]) => [one, (place: string) => found.map((line) => prefixed(place, line))] as const,
  );
  return [...grouped(survey, new Map(named)), ...ofOthers.flat()];
}

const prefixed = (place: string, { kind, name, values }: Line): Line => ({ kind, name: `${place}${name}`, values });

/** The password with which a replica follows its primary. */
async function rightsOfReplication(run: InContainer, place: string, aims: Aims): Promise<Line[]> {
  const conninfo = (await run(["psql", "-XtA", "-c", "SHOW primary_conninfo"], "")).trim();
  const logins = ["orion_db", "postgres"].map((database) =>
    rightsOfPsql(run, `psql "${conninfo} dbname=${database}"`, `${place}:replication-in-${database}`, aims),
  );
  const system = await run(["psql", `${conninfo} replication=true`, "-XtA", "-c", "IDENTIFY_SYSTEM"], "");
  const line = {
    kind: "postgresql",
    name: `${place}:replication`,
    values: [{ mayCopyEverything: system.trim() !== "" }],
  };
  return [...(await Promise.all(logins)).flat(), line];
}

/** What the database's container archives with, as the variables of the platform's image. */
async function archiveEnvironmentOf(on: OnServer, aims: Aims, plan: Topology): Promise<Record<string, string>> {
  const [database] = servicesOf(plan, "database");
  if (!database) throw new Error("the plan has an archive and no database");
  const read = ["docker", "exec", database.container, "cat", archiveEnvironment.PGBACKREST_CONFIG];
  const settings = variablesIn(await on(database.server, read));
  return {
    R2_ENDPOINT_URL: `https://${settings.get("repo1-s3-endpoint") ?? ""}`,
    R2_ACCESS_KEY_ID: settings.get("repo1-s3-key") ?? "",
    R2_SECRET_ACCESS_KEY: settings.get("repo1-s3-key-secret") ?? "",
    R2_BUCKET: aims.buckets.find((name) => name.endsWith("-archive")) ?? "",
    RED_TEAM_FOLDER: "pgbackrest",
  };
}

/** The release and the backup, which run now and then: their credentials, in a container like theirs. */
async function rightsOfTasks({ root, cloud }: RedTeam, on: OnServer, aims: Aims): Promise<Line[]> {
  const { plan } = cloud;
  const [release] = servicesOf(plan, "release");
  const [backup] = servicesOf(plan, "backup");
  if (!release || !backup) throw new Error("the plan has no release, or no backup");
  const network = `orion-${plan.stack}-network`;
  const authority = ["--volume", `${authorityFile}:${authorityFile}:ro`];
  const once = ["docker", "run", "--rm", "--interactive", "--network", network, ...authority];
  const [image = ""] = (
    await on(release.server, ["docker", "images", "--quiet", "registry.example.com/orion/app"])
  ).split("\n");
  const inImage: InContainer = (words, input) => on(release.server, [...once, image, ...words], input);
  const store = variablesIn(await on(backup.server, ["cat", backupFiles.store]));
  const bucket = aims.buckets.find((name) => name.endsWith("-backups")) ?? "";
  const environment = {
    R2_ENDPOINT_URL: store.get("RCLONE_CONFIG_STORE_ENDPOINT") ?? "",
    R2_ACCESS_KEY_ID: store.get("RCLONE_CONFIG_STORE_ACCESS_KEY_ID") ?? "",
    R2_SECRET_ACCESS_KEY: store.get("RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY") ?? "",
    R2_BUCKET: bucket,
    // Where backups are, which R2 locks.
    RED_TEAM_FOLDER: "postgresql",
  };
  const inPostgres =
    (file: string): InContainer =>
    (words, input) => {
      const script = `. ${backupFiles.settings}; ${once.join(" ")} --env-file ${file} "$POSTGRES_IMAGE" "$@"`;
      return on(backup.server, ["sh", "-c", script, "sh", ...words], input);
    };
  const hasReplica = servicesOf(plan, "replica").length > 0;
  const logins = ["database" as const, ...(hasReplica ? (["replica"] as const) : [])].map((name) =>
    rightsOfPsql(inPostgres(backupFiles[name]), "psql", `backup@${backup.server}:${name}.env`, aims),
  );
  const [archive] = servicesOf(plan, "archive");
  const archived = archive
    ? [rightsOfImage(inImage, `archive@${archive.server}`, aims, await archiveEnvironmentOf(on, aims, plan))]
    : [];
  return (
    await Promise.all([
      ...archived,
      rightsOfImage(inImage, `release@${release.server}`, aims, await releaseEnvironment(root, cloud)),
      rightsOfImage(inImage, `backup@${backup.server}`, aims, environment),
      ...logins,
    ])
  ).flat();
}

/** `NAME=value` lines of a file. */
const variablesIn = (text: string): Map<string, string> =>
  new Map(
    text.split("\n").map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );

const secretSchema = z.object({ plaintext: z.string().transform((text): unknown => JSON.parse(text)) });
const stateSchema = z.object({
  deployment: z.object({
    resources: z.array(z.object({ urn: z.string(), inputs: z.record(z.string(), z.unknown()).optional() })),
  }),
});

/** The environment of the migrations, which only the state knows. */
async function releaseEnvironment(root: string, { settings, plan }: RehearsalCloud): Promise<Record<string, string>> {
  const folder = rehearsalFolder(root, settings.instance, plan.stack);
  const args = ["pulumi", "-C", folder, "stack", "export", "--show-secrets", "--stack", plan.stack];
  const { deployment } = stateSchema.parse(JSON.parse(await must("npx", args, { cwd: root })));
  const task = deployment.resources.find(({ urn }) => urn.endsWith("::release-migrate"));
  const environment = z.record(z.string(), z.union([z.string(), secretSchema])).parse(task?.inputs?.["environment"]);
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      typeof value === "string" ? value : String(value.plaintext),
    ]),
  );
}
