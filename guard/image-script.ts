/**
 * The shell script that asks a Docker Engine what wrote a container's data and what another image has. It changes nothing but
 * the Docker Engine's store of images: it pulls the new image, which the update would pull anyway. Pure.
 */
import { quoted } from "../common/shell.ts";
import { killedFirst } from "../common/confinement.ts";
import { superuser } from "../components/database/role-names.ts";
import type { Settings } from "../config/schema.ts";
import type { Answer, DataImage, ImageChange, Version } from "../policy/data-images.ts";

/** Login at a private image registry. */
export interface Login {
  readonly registry: string;
  readonly user: string;
  readonly password: string;
}

/** The login that a stack's images are pulled with; undefined where they are pulled anonymously. */
export const loginOf = (
  { images: { login } }: Pick<Settings, "images">,
  password: string | undefined,
): Login | undefined => (login && password !== undefined ? { ...login, password } : undefined);

/** Where the data is in a container. */
const folders: Readonly<Record<DataImage, string>> = { postgres: "/var/lib/postgresql/data", redis: "/data" };

/** Commands in a container of a kind that print which version its program has. */
const versionCommand: Readonly<Record<DataImage, string>> = {
  postgres: "postgres --version",
  redis: "redis-server --version",
};

/** Prints the extensions of all databases. */
const extensionsInUse = `set -e
for database in $(psql -XAtU ${superuser} -d postgres -c 'select datname from pg_database where datallowconn and not datistemplate'); do
  psql -XAtU ${superuser} -d "$database" -c 'select extname from pg_extension'
done`;

/** Prints the extensions that an image has. */
const extensionsOf = `ls "$(pg_config --sharedir)/extension" /usr/local/share/postgresql/extension 2>/dev/null | sed -n 's/\\.control$//p'`;

/** No network, nothing to write to, and of all capabilities the one that reads files of other users. */
const confined =
  "--rm --network none --pull never --read-only --user 0 --cap-drop ALL --cap-add DAC_READ_SEARCH " +
  `--security-opt no-new-privileges --memory 256m ${killedFirst.join(" ")} --entrypoint sh`;

/** Functions that print lines of `key value`, one for each value. */
const functions = `
say() { while read -r line; do printf '%s %s\\n' "$1" "$line"; done; }
problem() { tail -n 1 | cut -c 1-300 | say problem; }
state() { docker container inspect --format '{{.State.Running}}' "$container" 2>/dev/null; }

`;

/** Prints what wrote the data, as far as the Docker Engine knows without the new image. */
export function scriptOfData({ kind, before, after, data, was }: ImageChange): string {
  const name = String(before?.inputs["name"] ?? after.inputs["name"]);
  const folder = folders[kind];
  const where =
    data.type === "volume"
      ? `docker volume inspect ${quoted(data.source)} >/dev/null 2>&1`
      : `[ -d ${quoted(data.source)} ]`;
  const own =
    kind === "postgres"
      ? `case $(state) in
true)
  docker exec "$container" cat ${folder}/PG_VERSION 2>/dev/null | say data
  if found=$(docker exec "$container" sh -c ${quoted(extensionsInUse)} 2>&1); then
    printf '%s\\n' "$found" | sort -u | say uses
  else printf '%s\\n' "$found" | problem; fi ;;
false) docker cp "$container:${folder}/PG_VERSION" - 2>/dev/null | tar -xO 2>/dev/null | say data ;;
*) ${data.type === "bind" ? `cat ${quoted(`${data.source}/PG_VERSION`)} 2>/dev/null | say data` : ":"} ;;
esac`
      : `ran=$(docker container inspect --format '{{.Image}}' "$container" 2>/dev/null)
docker run ${confined} "\${ran:-${was ?? "none"}}" -c ${quoted(versionCommand.redis)} 2>/dev/null | say data`;
  return `set -u
container=${quoted(name)}
${functions}
docker version --format ok 2>&1 >/dev/null | problem
${where} || echo empty yes
${own}
`;
}

/** Prints what the new image has; and, where the data has not answered yet, which version its files are of. */
export function scriptOfImage({ kind, is, data }: ImageChange, withData: boolean, login: Login | undefined): string {
  const type = data.type === "volume" ? "volume" : "bind";
  const mount = withData ? `--mount type=${type},source=${quoted(data.source)},target=/orion-data,readonly` : "";
  const inside = [
    `${versionCommand[kind]} | sed 's/^/has /'`,
    ...(kind === "postgres" ? [`{ ${extensionsOf}; } | sed 's/^/offers /'`] : []),
    ...(withData && kind === "postgres"
      ? ["sed 's/^/data /' /orion-data/PG_VERSION 2>/dev/null || echo empty yes"]
      : []),
  ];
  return `set -u
${functions}
${pullLines(is, login)}
if [ -n "$present" ]; then
  docker run ${confined} ${mount} "$image" -c ${quoted(inside.join("\n"))} 2>/dev/null
else problem <"$out"; fi
rm -f "$out"
`;
}

/**
 * Lines that pull an image which the Docker Engine does not have: `$image` is its name, `$present` is not empty when it is there,
 * and the file `$out` says why not.
 *
 * @param pull false: an image that is not there is not pulled
 */
export const pullLines = (image: string, login: Login | undefined, pull = true): string => `image=${quoted(image)}
present= out=$(mktemp)
if docker image inspect "$image" >/dev/null 2>"$out"; then present=yes
${
  pull
    ? `else
${login ? loginLines(login) : ""}  if docker pull --quiet "$image" >/dev/null 2>"$out"; then present=yes; fi
`
    : ""
}fi`;

/** The password is in no file that stays, and in no list of processes. */
const loginLines = ({
  registry,
  user,
  password,
}: Login): string => `  DOCKER_CONFIG=$(mktemp -d) && export DOCKER_CONFIG && trap 'rm -rf "$DOCKER_CONFIG"' EXIT
  printf %s ${quoted(password)} | docker login --username ${quoted(user)} --password-stdin ${quoted(registry)} >/dev/null 2>&1
`;

/** The values of each key that a script printed. */
export function readLines(text: string): (key: string) => string[] {
  const lines = text.split("\n").map((line) => /^(\w+) (.*)$/.exec(line.trim()));
  return (key) => lines.flatMap((line) => (line?.[1] === key ? [line[2] ?? ""] : []));
}

/** The version in what a program prints about itself, or in PostgreSQL's file PG_VERSION. */
export function readVersion(kind: DataImage, text: string | undefined): Version | undefined {
  const [, program, number] = /^(PostgreSQL|postgres|Redis|\w+)?.*?(?:^| v=|\) )(\d+(?:\.\d+)*)/.exec(text ?? "") ?? [];
  if (number === undefined) return undefined;
  return { program: kind === "postgres" ? "PostgreSQL" : (program ?? "Redis"), number };
}

/** What the two scripts printed, together. */
export function readAnswer(kind: DataImage, aboutData: string, aboutImage: string): Answer {
  const [data, image] = [readLines(aboutData), readLines(aboutImage)];
  const wrote = readVersion(kind, data("data")[0] ?? image("data")[0]);
  const offers = new Set(image("offers"));
  const uses = data("uses");
  const has = readVersion(kind, image("has")[0]);
  const problem = data("problem")[0] ?? image("problem")[0];
  return {
    wrote,
    has,
    isEmpty: wrote === undefined && (data("empty").length > 0 || image("empty").length > 0),
    ...(uses.length > 0 && has && { missing: uses.filter((one) => !offers.has(one)) }),
    ...(problem !== undefined && { problem }),
  };
}
