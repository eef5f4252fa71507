/**
 * Asks the platform's image what a stack needs of it, in a container that has the stack's limits and no network: before an
 * update touches anything, and for `make check-image`. The program that asks is guard/image-check.py.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { redisDatabases } from "../common/app-contract.ts";
import type { Outcome } from "../common/process.ts";
import { redact } from "../common/secrets.ts";
import { authorityFile } from "../common/server-contract.ts";
import { quoted, quotedWords } from "../common/shell.ts";
import { allowedHosts, type AppEnvironment, appEnvironment } from "../components/app-tier/environment.ts";
import { redisUrl } from "../components/cache/redis-url.ts";
import { databaseName } from "../components/database/database-url.ts";
import { hasGateway } from "../topology/services/gateway.ts";
import { pooledEnvironment, verifyingEnvironment } from "../components/database/postgres-tls.ts";
import { hasReadUrl, reachesOwnDatabase } from "../topology/database-access.ts";
import { bucketFiles, localFiles, uploadDirectory } from "../components/storage/files-environment.ts";
import type { SecretName, Settings } from "../config/schema.ts";
import { factsSchema, type ImageFacts, type Unasked } from "../policy/image-facts.ts";
import { imageConfinement } from "../topology/services/image.ts";
import { celeryKinds } from "../topology/services/worker.ts";
import { type Pool, poolOf } from "../topology/pools.ts";
import { hasServers, servicesOf, type Topology } from "../topology/topology.ts";
import { harmlessUrl, urlsOf } from "./harmless-url.ts";
import { killedFirst } from "../common/confinement.ts";
import { pullLines, type Login } from "./image-script.ts";

/** Runs a shell script on the machine of a Docker Engine. */
export type OnEngine = (script: string, timeoutSeconds: number) => Promise<Outcome>;

export interface ImageQuestion {
  readonly settings: Settings;
  readonly topology: Topology;
  readonly image: string;
  /** A secret of the stack; an app may refuse one that is made up. */
  readonly secret: (name: SecretName) => pulumi.Input<string> | undefined;
}

/** A pull, and the container. */
const secondsForPull = 900;
/** Each question has a limit of its own (guard/image-check.py), so that the container ends by itself. */
const secondsForCheck = 300;
/** A port without a listener: a driver whose connection is refused there has understood the URL. */
const nowhere = "127.0.0.1:1";

/** A secret as long as generated ones, which an app may insist on. */
export const madeUp = "check-".repeat(8);

const source = readFileSync(join(import.meta.dirname, "image-check.py"), "utf8");

/** A CA certificate whose key was deleted: some drivers read the file before they connect. */
const authority = `-----BEGIN CERTIFICATE-----
MIIBhDCCASmgAwIBAgIUVcuMbvjQBRGop0BNDhznGfkM7DowCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLb3Jpb24gY2hlY2swIBcNMjYxMTI5MTkzMTUwWhgPMjEyNjEx
MDUxOTMxNTBaMBYxFDASBgNVBAMMC29yaW9uIGNoZWNrMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEDfJD44METZqbhfHMt4ogjuGmrJliQygE1+M1kOnJDLB3Qpni
H6cVIjbQLHDr/dWyZffOeN19rItWR4gYIo3Qz6NTMFEwHQYDVR0OBBYEFGH7L3IA
uW5pKAEVhpmRJUQFdaJkMB8GA1UdIwQYMBaAFGH7L3IAuW5pKAEVhpmRJUQFdaJk
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAN+VcQRSh0yRnJvN
YrMWeCL0/GnLwZXOJs33sU8USfnTAiEAzFtzey0UYrnbOujauOi9UZnlJaT4cQC1
GPkOGnP2UJQ=
-----END CERTIFICATE-----
`;

/**
 * The environment of an app, with addresses at which nothing answers; its secrets are the stack's own.
 *
 * @param pool that of each of its processes; undefined where the stack gives none
 */
function environmentOf({ settings, topology, secret }: ImageQuestion, pool: Pool | undefined): AppEnvironment {
  const { cache, storage } = settings;
  const onServers = hasServers(topology);
  const reachesOwn = reachesOwnDatabase(settings);
  // A gateway speaks TLS for its clients.
  const endpoint = { address: nowhere, ...(onServers && !hasGateway(settings) && { authorityFile }) };
  const redis = (number: number) => redisUrl(endpoint, "app", "check", number);
  const own = cache.mode === "external";
  const ownUrl = `postgresql://orion_app_a:check@${nowhere}/${databaseName}`;
  const externalUrl = reachesOwn ? undefined : secret("databaseUrl");
  const databaseUrl =
    externalUrl === undefined ? ownUrl : pulumi.output(externalUrl).apply((text) => harmlessUrl(text) ?? ownUrl);
  const connections = {
    ...{
      databaseUrl,
      databaseDirectUrl: databaseUrl,
      ...(hasReadUrl(settings) && { databaseReplicaUrl: databaseUrl }),
    },
    redisUrl: (own ? secret("redisUrl") : undefined) ?? redis(redisDatabases.sessions),
    brokerUrl: (own ? secret("brokerUrl") : undefined) ?? redis(redisDatabases.broker),
    resultBackendUrl: (own ? secret("brokerUrl") : undefined) ?? redis(redisDatabases.results),
    flagsUrl: (own ? secret("redisUrl") : undefined) ?? redis(redisDatabases.flags),
    ...{ secretKey: madeUp, ...(pool && { pool }) },
  };
  const files =
    storage.backend === "local"
      ? localFiles
      : bucketFiles({
          ...{ bucket: storage.bucket ?? "", accessKeyId: madeUp, secretAccessKey: madeUp },
          ...{ endpoint: storage.endpoint ?? "", publicName: storage.customDomain },
        });
  return {
    ...(onServers && reachesOwn && verifyingEnvironment),
    ...(hasGateway(settings) && pooledEnvironment),
    ...{ ...allowedHosts(settings), ...appEnvironment(settings, connections, files, secret) },
    ...{ TASK_API_TOKEN: madeUp, INSTANCE_NAME: "check" },
  };
}

/** The values of an environment, some of which the Docker Engine has still to tell. */
const known = (environment: AppEnvironment): Promise<Record<string, string>> =>
  new Promise((resolve) => {
    pulumi.output(environment).apply((values) => {
      resolve(values);
    });
  });

/** What the image is asked, without its environment. */
function asked({ settings, topology }: ImageQuestion) {
  const { app, workers, storage } = settings;
  const [runsApp, runsWorkers] = [servicesOf(topology, "app").length > 0, servicesOf(topology, "worker").length > 0];
  const celery = celeryKinds.flatMap((kind) => servicesOf(topology, kind));
  const commands = {
    ...(app.migrate.length > 0 && { migrate: app.migrate }),
    ...(app.initialise.length > 0 && { initialise: app.initialise }),
  };
  return {
    ...{ module: app.module, port: app.port, paths: [...new Set([app.healthPath, app.readyPath, "/"])], commands },
    celery: runsWorkers ? workers.celery : "",
    queues: workers.queues,
    flower: servicesOf(topology, "flower").length > 0,
    programs: [...(runsApp ? ["uvicorn"] : []), ...new Set(celery.flatMap(({ command: [program] }) => program ?? []))],
    folders: [...app.writable, ...(storage.backend === "local" && runsApp ? [uploadDirectory] : [])],
    ...{ authority, authorityFile },
  };
}

/**
 * What the answers depend on, as a hash: as long as it is the same, the image need not be asked again. Of secrets it has the
 * names, and the forms of those that are URLs.
 *
 * @param id the image's own id, where a Docker Engine can tell it at once
 */
export async function checkKey(question: ImageQuestion, id = ""): Promise<string> {
  const { image, settings } = question;
  const { memoryMb, user } = settings.app;
  const secret = (name: SecretName) => {
    const value = question.secret(name);
    return value === undefined ? undefined : pulumi.output(value).apply((text) => harmlessUrl(text) ?? "secret");
  };
  // The size of the pool says how large the platform is, of which the image knows nothing.
  const pool = poolOf(question.topology, settings) && { size: 1, overflow: 1 };
  const environment = await known(environmentOf({ ...question, secret }, pool));
  const facts = [source, image, id, asked(question), environment, memoryMb, user, imageConfinement];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 16);
}

/** Whether a stack has an image of its own to ask, and something that runs it. */
export const hasOwnImage = ({ settings, topology }: Pick<ImageQuestion, "settings" | "topology">): boolean =>
  settings.app.image !== undefined && topology.services.some(({ kind }) => kind === "app" || kind === "worker");

export interface CheckOptions {
  /** @default - images are pulled anonymously */
  readonly login?: Login | undefined;
  /** Whether an image that the Docker Engine does not have is pulled. @default true */
  readonly pull?: boolean;
}

/** Asks the image on a Docker Engine. */
export async function askImage(
  question: ImageQuestion,
  on: OnEngine,
  { login, pull = true }: CheckOptions = {},
): Promise<ImageFacts | Unasked> {
  const told: Record<string, pulumi.Input<string>> = {};
  const secret = (name: SecretName) => {
    const value = question.secret(name);
    if (value !== undefined) told[name] = value;
    return value;
  };
  const pool = poolOf(question.topology, question.settings);
  const environment = await known(environmentOf({ ...question, secret }, pool));
  const secrets = Object.values(await known(told));
  const urls = urlsOf(environment["DATABASE_URL"] ?? "", environment);
  const input = JSON.stringify({ ...asked(question), environment, urls });
  const { code, stdout, output } = await on(
    scriptOf(question, input, { login, pull }),
    pull ? secondsForPull : secondsForCheck,
  );
  // Also as JSON writes them.
  const clean = (text: string) => redact(text, [...secrets, ...secrets.map((one) => JSON.stringify(one).slice(1, -1))]);
  return readFacts(code, clean(stdout), clean(output));
}

/** Reads what the script printed. */
export function readFacts(code: number | undefined, stdout: string, output: string): ImageFacts | Unasked {
  const line = (key: string) =>
    stdout
      .split("\n")
      .find((each) => each.startsWith(`${key} `))
      ?.slice(key.length + 1);
  const answer = line("orion-image");
  if (answer !== undefined) return factsSchema.parse(JSON.parse(answer));
  const absent = line("orion-absent");
  if (absent !== undefined) return { kind: "absent", reason: absent };
  const unfit = line("orion-unfit");
  if (unfit !== undefined) return { kind: "unfit", reason: unfit };
  const silent = line("orion-silent");
  if (silent !== undefined) return { kind: "silent", reason: silent };
  const last = output.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
  return { kind: "silent", reason: code === undefined ? "it took too long" : last || `it ended with code ${code}` };
}

/**
 * A function of the shell: of what docker and programs have printed, the line that says why. Docker's own is followed by advice
 * about its options; a traceback's is the last one.
 */
export const reasonFunction = `reason() { awk '/^docker: / && !own { own = $0 } NF { last = $0 } END { print (own ? own : last) }'; }`;

/** Finds Python as a command of the stack would, and gives it the program. */
const start = `p=$(command -v python || command -v python3) || { echo "it has no Python"; exit 3; }
exec "$p" -c "$1"`;

function scriptOf({ settings, image }: ImageQuestion, input: string, { login, pull }: CheckOptions): string {
  const { app, storage } = settings;
  const folders = [
    ...imageConfinement.writable,
    ...app.writable,
    ...(storage.backend === "local" ? [uploadDirectory] : []),
  ];
  // Two questions are asked at a time (AT_ONCE), each of which has an app's memory. A deploy has more instances than that side by side.
  const memoryMb = 2 * app.memoryMb;
  const limits = [
    ...["--rm", "--interactive", "--network", "none", "--pull", "never", "--read-only", "--cap-drop", "ALL"],
    ...["--security-opt", "no-new-privileges", "--pids-limit", "512", "--cpu-shares", "256", ...killedFirst],
    ...["--memory", `${memoryMb}m`, "--memory-swap", `${memoryMb}m`],
    ...(app.user === undefined ? [] : ["--user", app.user]),
    ...folders.flatMap((folder) => ["--volume", folder]),
  ];
  return `set -u
${reasonFunction}
problem() { reason | cut -c 1-300 | sed "s/^/$1 /"; }
${pullLines(image, login, pull)}
if [ -z "$present" ]; then problem orion-absent <"$out"; rm -f "$out"; exit 0; fi
out=$(mktemp)
docker run ${quotedWords(limits)} --entrypoint sh \\
  --env "ORION_ENTRYPOINT=$(docker image inspect --format '{{json .Config.Entrypoint}}' ${quoted(image)})" \\
  ${quoted(image)} -c ${quoted(start)} sh ${quoted(source)} 2>"$out" <<'ORION-INPUT'
${input}
ORION-INPUT
code=$?
case $code in
0) ;;
125) problem orion-silent <"$out" ;;
*) [ $code = 3 ] && echo "it has no Python" >"$out"; [ -s "$out" ] || echo "its check ended with code $code" >"$out"; problem orion-unfit <"$out" ;;
esac
rm -f "$out"
`;
}
