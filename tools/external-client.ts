/**
 * A client of a stack's external PostgreSQL: a container with psql and pg_dump, on a Docker Engine from which the app reaches the
 * server. Its password is in a file in memory, and in no argument.
 */
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { hereDocument, quoted, quotedWords } from "../common/shell.ts";
import { UserError } from "../common/user-error.ts";
import { type ExternalUrl, readExternalUrl } from "../config/external-url.ts";
import { resolveImage } from "../config/images.ts";
import { engineAt } from "../guard/ask-images.ts";
import { addressIn, authoritiesCommand } from "../guard/check-external.ts";
import type { OnEngine } from "../guard/check-image.ts";
import { authoritiesFile } from "../guard/external-scripts.ts";
import { type Login, loginOf, pullLines } from "../guard/image-script.ts";
import { physicalName } from "../topology/naming.ts";
import type { Service } from "../topology/service.ts";
import { hasServers, lastingServices, servicesOf } from "../topology/topology.ts";
import type { Engines } from "./engines.ts";
import { copySeconds } from "./move-database/copy-script.ts";
import { readConfig } from "./stack-config.ts";
import type { StackFile } from "./stack-file.ts";
import { isTerminal } from "./terminal.ts";

export interface ExternalDatabase {
  readonly url: ExternalUrl;
  /** The URL as it is configured; a secret. */
  readonly text: string;
  readonly login: Login | undefined;
}

/** A stack's external database, from its configuration. @throws {UserError} when it has none */
export function externalDatabaseOf(root: string, { stack, settings }: StackFile): ExternalDatabase {
  const config = readConfig(root, stack);
  const text = config("orion:databaseUrl") ?? "";
  const url = readExternalUrl(text);
  if (url) return { url, text, login: loginOf(settings, config("orion:registryPassword")) };
  throw new UserError(`orion:databaseUrl is missing: npx pulumi config set --secret databaseUrl postgresql://...`);
}

/** The engine of a service, for scripts. */
export const scriptsOn = ({ topology, settings }: StackFile, engines: Engines, service: Service): OnEngine =>
  hasServers(topology)
    ? (script) => engines.of(service).streamToHost(Readable.from([script]), "sh", "-s")
    : engineAt(settings.dockerHost);

export interface ClientArgs {
  /** The container's name. */
  readonly name: string;
  readonly url: ExternalUrl;
  /** Lines of the shell that set `$image`, which the engine then has. */
  readonly image: string;
  /** The app's image, which may have the certificates that the URL names. */
  readonly appImage: string | undefined;
}

/** A name that no other client has: two people may have a prompt at once, and another move must not end this one's. */
export const clientName = (stack: string, what: "move" | "psql"): string =>
  `${physicalName({ stack }, what)}-${randomBytes(4).toString("hex")}`;

/**
 * It ends by itself after the longest copy of a move: the program that has started it may have been killed.
 *
 * @throws {UserError} when it cannot be started
 */
export async function startClient(on: OnEngine, { name, url, image, appImage }: ClientArgs): Promise<void> {
  const limits = [
    ...["--detach", "--rm", "--init", "--log-driver", "none", "--pull", "never", "--read-only", "--tmpfs", "/tmp"],
    ...["--user", "65534:65534", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    ...["--memory", "512m", "--pids-limit", "64"],
    ...["--env", "PGPASSFILE=/tmp/pgpass", "--entrypoint", "sleep"],
  ];
  const escaped = (text: string) => text.replaceAll(/[\\:]/g, String.raw`\$&`);
  const line = ["*", "*", "*", "*", escaped(url.password)].join(":");
  const { code, stderr } = await on(
    `set -eu
${image}
docker run --name ${quoted(name)} ${quotedWords(limits)} "$image" ${copySeconds} >/dev/null
docker exec --interactive ${quoted(name)} sh -c 'umask 077; cat >/tmp/pgpass' ${hereDocument(line)}{ ${authoritiesCommand(url.parameters["sslrootcert"], appImage)}; } | docker exec --interactive ${quoted(name)} sh -c 'cat >${authoritiesFile}'
`,
    300,
  );
  if (code !== 0)
    throw new UserError(
      `A client of the external database could not be started: ${stderr.trim().split("\n").at(-1) ?? ""}`,
    );
}

export async function removeClient(on: OnEngine, name: string): Promise<void> {
  await on(`docker rm --force ${quoted(name)} >/dev/null 2>&1`, 60);
}

/** `make psql` of a stack that uses an external PostgreSQL: a prompt there, from the engine of its app. @returns psql's exit code */
export async function externalPsql(root: string, file: StackFile, engines: Engines): Promise<number> {
  const { topology, settings, stack } = file;
  const { url, login } = externalDatabaseOf(root, file);
  const [service = lastingServices(topology)[0]] = servicesOf(topology, "app");
  if (!service) throw new UserError(`Stack '${stack}' runs nothing from which its external database is reached.`);
  const on = scriptsOn(file, engines, service);
  const name = clientName(stack, "psql");
  const { registry, pinned, postgres } = settings.images;
  const image = `${pullLines(resolveImage("postgres", { registry, pinned, overrides: { postgres } }), login)}
[ -n "$present" ] || cat "$out" >&2
rm -f "$out"
[ -n "$present" ]`;
  await startClient(on, { name, url, image, appImage: settings.app.image });
  try {
    const terminal = isTerminal ? ["-it"] : ["-i"];
    return await engines
      .of(service)
      .interactive(["exec", ...terminal, "--env", "HOME=/tmp", name, "psql", addressIn(url)], isTerminal);
  } finally {
    await removeClient(on, name);
  }
}
