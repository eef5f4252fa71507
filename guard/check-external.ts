/**
 * Asks the external PostgreSQL and Redis of a stack about version, TLS, rights, limits and latency, from a container on the Docker Engine
 * of its app: before an update touches anything, for `make check-external` and for `make doctor`. No password is in an argument or an output.
 */
import { killedFirst } from "../common/confinement.ts";
import { redact } from "../common/secrets.ts";
import { publicAuthorities } from "../common/server-contract.ts";
import { quoted, quotedWords } from "../common/shell.ts";
import { type OfficialImage, resolveImage } from "../config/images.ts";
import type { Settings } from "../config/schema.ts";
import type { DatabaseFacts } from "../policy/external-database.ts";
import type { AskedRedis, RedisFacts, RedisKey } from "../policy/external-redis.ts";
import type { NotReached, Reached } from "../policy/external-service.ts";
import { type ExternalUrl, readExternalUrl, secretsOf, withoutPassword } from "../config/external-url.ts";
import type { OnEngine } from "./check-image.ts";
import { askPostgres, askRedis, authoritiesFile } from "./external-scripts.ts";
import { type Login, pullLines, readLines } from "./image-script.ts";

/** The secrets of the configuration that name external services. */
export type ExternalKey = "databaseUrl" | RedisKey;
export type ExternalUrls = Readonly<Partial<Record<ExternalKey, string>>>;

export interface Engine {
  readonly on: OnEngine;
  /** Whether the app runs, or will run, on that engine's machine. */
  readonly isHere: boolean;
  /** @default - images are pulled anonymously */
  readonly login?: Login | undefined;
  /** The app's image, whose files the URLs may name. */
  readonly appImage: string | undefined;
}

export interface Asked {
  readonly database?: DatabaseFacts | NotReached;
  readonly redis: AskedRedis;
}

/** A pull of an image, and a container that asks a slow service. */
const secondsForAll = 600;

type ServiceSettings = Pick<Settings, "database" | "cache" | "images" | "workers">;

/** The secrets that a stack uses as addresses of external services. */
export const externalKeys = ({ database, cache, workers }: Omit<ServiceSettings, "images">): ExternalKey[] => [
  ...(database.mode === "external" ? (["databaseUrl"] as const) : []),
  ...(cache.mode === "external" ? (["redisUrl"] as const) : []),
  ...(cache.mode === "external" && workers.enabled ? (["brokerUrl"] as const) : []),
];

/** Asks all external services of a stack, side by side. */
export async function askExternal(settings: ServiceSettings, urls: ExternalUrls, engine: Engine): Promise<Asked> {
  const image = (name: OfficialImage) => {
    const { registry, pinned, postgres, redis } = settings.images;
    // This machine may have an image of the same name that it built itself, which has no digest.
    return resolveImage(name, { registry, pinned: pinned && engine.isHere, overrides: { postgres, redis } });
  };
  const [database, ...answers] = await Promise.all([
    urls.databaseUrl === undefined ? undefined : askDatabase(image("postgres"), urls.databaseUrl, engine),
    ...(["redisUrl", "brokerUrl"] as const).map(async (key) => {
      const url = urls[key];
      return url === undefined ? [] : [[key, await askOneRedis(image("redis"), key, url, engine)] as const];
    }),
  ]);
  return { ...(database && { database }), redis: Object.fromEntries(answers.flat()) };
}

/** The address of a PostgreSQL for programs in a container that has the certificates in that file, without the password. */
export const addressIn = (url: ExternalUrl): string =>
  withoutPassword({
    ...url,
    parameters: {
      ...url.parameters,
      ...(url.parameters["sslrootcert"] !== undefined && { sslrootcert: authoritiesFile }),
    },
  });

type Lines = ReturnType<typeof readLines>;

async function askDatabase(image: string, text: string, engine: Engine): Promise<DatabaseFacts | NotReached> {
  const url = readExternalUrl(text);
  const ofTls = ["sslmode", "sslrootcert"];
  const rest = Object.fromEntries(Object.entries(url?.parameters ?? {}).filter(([name]) => !ofTls.includes(name)));
  return ask(text, url?.scheme === "postgresql" ? url : undefined, engine, (found) => ({
    ...{ image, script: askPostgres, authorities: found.parameters["sslrootcert"] },
    words: [addressIn(found), withoutPassword({ ...found, parameters: rest })],
    read: readDatabase,
  }));
}

const askOneRedis = (image: string, key: RedisKey, text: string, engine: Engine): Promise<RedisFacts | NotReached> => {
  const url = readExternalUrl(text);
  return ask(text, url?.scheme.startsWith("redis") === true ? url : undefined, engine, (found) => {
    const { host, port, user, database, scheme, parameters } = found;
    const unverified = /none|optional/i.test(parameters["ssl_cert_reqs"] ?? "");
    const how = scheme === "redis" ? "plain" : unverified ? "unverified" : "tls";
    return {
      ...{ image, script: askRedis, authorities: parameters["ssl_ca_certs"], read: readRedis },
      words: [
        host.replace(/^\[(.*)\]$/, "$1"),
        String(port),
        user,
        database || "0",
        how,
        key === "brokerUrl" ? "broker" : "cache",
      ],
    };
  });
};

interface Question<Facts> {
  readonly image: string;
  readonly script: string;
  readonly words: readonly string[];
  /** Path of the certificates of authorities that the URL names, in the app's image. */
  readonly authorities: string | undefined;
  readonly read: (lines: Lines, reached: Reached) => Facts;
}

async function ask<Facts>(
  text: string,
  url: ExternalUrl | undefined,
  { on, isHere, login, appImage }: Engine,
  question: (url: ExternalUrl) => Question<Facts>,
): Promise<Facts | NotReached> {
  const from = isHere ? "server" : "machine";
  if (!url) return { url, from, problem: "it is no URL", unasked: false };
  const { image, script, words, authorities = publicAuthorities, read } = question(url);
  const { code, stdout, output } = await on(
    scriptOf({ image, script, words, authorities, password: url.password }, appImage, login),
    secondsForAll,
  );
  const clean = (one: string) => redact(one, secretsOf(text));
  const lines = readLines(clean(stdout));
  const [problem] = lines("problem");
  if (problem !== undefined) return { url, from, problem: problem.trim(), unasked: false };
  if (code !== 0 || lines("first").length === 0) {
    const last = output.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
    const why =
      code === undefined ? "it took too long" : (lines("absent")[0] ?? (last || `its client ended with code ${code}`));
    return { url, from, problem: clean(why), unasked: true };
  }
  const ms = (key: string) => lines(key).map((one) => Number(one) / 1000);
  return read(lines, {
    ...{ url, from, firstMs: ms("first")[0] ?? 0, nextMs: ms("next") },
    roundMs: lines("round").map(Number),
    encrypted: isYes(lines, "encrypted"),
    offersTls: isYes(lines, "offers"),
  });
}

const isYes = (lines: Lines, key: string): boolean => lines(key)[0] === "yes";
const isTrue = (lines: Lines, key: string): boolean => /^(true|on)$/.test(lines(key)[0] ?? "");
const number = (lines: Lines, key: string): number => Number(lines(key)[0] ?? 0);
/** A limit of PostgreSQL, where -1 is none. */
const limit = (lines: Lines, key: string): number | undefined => {
  const value = number(lines, key);
  return lines(key).length === 0 || value < 0 ? undefined : value;
};

function readDatabase(lines: Lines, reached: Reached): DatabaseFacts {
  const outer = new Set(lines("outer"));
  return {
    ...{ ...reached, verifies: isYes(lines, "verifies"), version: number(lines, "version") },
    ...{ standby: isTrue(lines, "standby"), readOnly: isTrue(lines, "readonly") },
    pooled: outer.size > 1 || lines("inner").some((pid) => outer.has(pid)),
    ...{ maxConnections: number(lines, "connections"), reserved: number(lines, "reserved") },
    ...{ roleLimit: limit(lines, "roleLimit"), databaseLimit: limit(lines, "databaseLimit") },
    ...{ usedConnections: number(lines, "used"), isSuperuser: isTrue(lines, "superuser") },
    ...{ mayCreateInSchema: isTrue(lines, "inSchema"), mayCreateInDatabase: isTrue(lines, "inDatabase") },
    encoding: lines("encoding")[0] ?? "",
    extensions: lines("extension").map((one) => {
      const [name = "", installed, trusted] = one.split(" ");
      return { name, installed: installed === "true", trusted: trusted === "true" };
    }),
    clientMajor: Number(/(\d+)/.exec(lines("client")[0] ?? "")?.[1] ?? 0),
  };
}

function readRedis(lines: Lines, reached: Reached): RedisFacts {
  const text = (key: string): string | undefined => lines(key)[0];
  const amount = (key: string): number | undefined => (text(key) === undefined ? undefined : number(lines, key));
  // Seconds and microseconds of each answer: what lies between two of them is a round trip.
  const times = lines("time").map((one) => {
    const [seconds = 0, micros = 0] = one.split(" ").map(Number);
    return seconds * 1000 + micros / 1000;
  });
  const saves = text("saves");
  const aof = text("aof_enabled");
  return {
    ...{ ...reached, roundMs: times.slice(1).map((time, index) => time - (times[index] ?? time)) },
    encrypted: reached.url.scheme === "rediss",
    ...{ version: text("redis_version") ?? "", runId: text("run_id"), role: text("role") ?? "" },
    ...{ cluster: text("cluster_enabled") === "1", policy: text("maxmemory_policy") ?? text("policy") },
    ...{ maxMemory: number(lines, "maxmemory"), usedMemory: number(lines, "used_memory") },
    appendOnly: aof === undefined ? undefined : aof === "1",
    snapshots: saves === undefined ? undefined : saves !== "=",
    ...{ maxClients: amount("maxclients"), clients: amount("connected_clients"), denied: lines("denied") },
  };
}

/** Prints the certificates of authorities that a URL names: a file of the app's image, or of the engine's machine. */
export function authoritiesCommand(authorities: string | undefined, appImage: string | undefined): string {
  const path = quoted(authorities === undefined || authorities === "system" ? publicAuthorities : authorities);
  const ofApp =
    appImage === undefined
      ? "false"
      : `docker run --rm --network none --pull never --read-only --cap-drop ALL --memory 64m --entrypoint cat ${quoted(appImage)} ${path} 2>/dev/null`;
  return `${ofApp} || cat ${path} 2>/dev/null || cat ${publicAuthorities} 2>/dev/null`;
}

interface Run {
  readonly image: string;
  readonly script: string;
  readonly words: readonly string[];
  readonly authorities: string;
  readonly password: string;
}

/** The password is in this script, which the engine's machine reads from standard input, and in no list of processes. */
function scriptOf(
  { image, script, words, authorities, password }: Run,
  appImage: string | undefined,
  login: Login | undefined,
): string {
  const limits = [
    ...["--rm", "--interactive", "--log-driver", "none", "--pull", "never", "--read-only", "--tmpfs", "/tmp"],
    ...["--user", "65534:65534", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    ...["--memory", "256m", "--pids-limit", "64", ...killedFirst, "--entrypoint", "sh"],
  ];
  return `set -u
${pullLines(image, login)}
if [ -z "$present" ]; then tail -n 1 "$out" | cut -c 1-300 | sed 's/^/absent /'; rm -f "$out"; exit 0; fi
rm -f "$out"
{ printf '%s\\n' ${quoted(password)}; ${authoritiesCommand(authorities, appImage)}; } |
  docker run ${quotedWords(limits)} "$image" -c ${quoted(script)} sh ${quotedWords(words)}
`;
}
