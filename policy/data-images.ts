/**
 * Judges another image for a container that keeps data: what the image is, not how its tag is spelled, decides whether it can
 * use the data that another one wrote. Pure: guard/ask-images.ts asks the Docker Engines.
 */
import { isRecord } from "../common/record.ts";
import { withoutDigest } from "../config/images.ts";
import { holdsData } from "../topology/catalogue.ts";
import { agreeTo, danger, type Finding } from "./findings.ts";
import { type Graph, keyOf, type Recorded } from "./graph.ts";
import { roleOf, types } from "./stateful.ts";

/** The images whose contents read data of an earlier version, by the key in the names of their resources. */
const dataImages = {
  postgres: { program: "PostgreSQL", version: "orion:database.version" },
  redis: { program: "Redis", version: "orion:cache.version" },
} as const;
export type DataImage = keyof typeof dataImages;

/** A program and its version, as it says itself: `PostgreSQL 15.20`. */
export interface Version {
  readonly program: string;
  /** Numbers with points; at least the major one. */
  readonly number: string;
}

/** A container with data that is about to get another image. */
export interface ImageChange {
  readonly kind: DataImage;
  /** The container's resource. */
  readonly after: Recorded;
  /** @default - the state has no container; its data may be there */
  readonly before?: Recorded;
  /** Reference of the image before; undefined when the state has none. */
  readonly was: string | undefined;
  readonly is: string;
  /** The setting that names the image: `orion:images.database` of one that servers do not build. */
  readonly setting: string;
  /** `type name` of the Docker Engine's provider. */
  readonly engine: string | undefined;
  /** The data: a Docker volume's name, or a folder of the engine's machine. */
  readonly data: { readonly type: "volume" | "bind"; readonly source: string };
}

/** What an engine says about a change. */
export interface Answer {
  /** What wrote the data; for PostgreSQL its major version. Undefined without data, or when it is unknown. */
  readonly wrote?: Version | undefined;
  /** What the new image has. */
  readonly has?: Version | undefined;
  /** Whether there is no data, so that every image is as good. */
  readonly isEmpty?: boolean;
  /** Extensions that the running databases use and the new image does not have. */
  readonly missing?: readonly string[];
  /** Why something is not known. */
  readonly problem?: string;
}

/** The containers with data whose image is another one than before, or whose container is created beside data that exists. */
export function imageChanges(before: Graph, after: Graph): ImageChange[] {
  const was = new Map(before.resources.map((resource) => [keyOf(resource), resource]));
  const is = new Map(after.resources.map((resource) => [keyOf(resource), resource]));
  return after.resources.flatMap((container): ImageChange[] => {
    if (container.type !== types.container || !holdsData(roleOf(container))) return [];
    const image = used(after, is, container, "image").find(({ type }) => type === types.image);
    const kind = image && kindOf(image);
    const former = was.get(keyOf(container));
    const formerly = image && formerImage(before, was, former, image);
    const data = dataOf(former ?? container, used(after, is, container, "volumes"));
    if (!image || !kind || !data) return [];
    const { provider } = container.options;
    // A first update that has not come so far: no container of this kind has run there, so there is no data.
    if (!former && !(formerly && was.has(provider ?? ""))) return [];
    const [old, now] = [formerly && referenceIn(was, formerly), String(referenceIn(is, image))];
    if (former && old === now) return [];
    const change = {
      kind,
      after: container,
      was: typeof old === "string" ? old : undefined,
      is: now,
      setting: settingOf(is, image, kind),
      engine: provider,
      data,
    };
    return [{ ...change, ...(former && { before: former }) }];
  });
}

/** The keys of the images that contain a program. */
const keysOf: Readonly<Record<DataImage, readonly string[]>> = { postgres: ["postgres", "database"], redis: ["redis"] };

const kindOf = ({ name }: Recorded): DataImage | undefined =>
  (["postgres", "redis"] as const).find((kind) => keysOf[kind].some((key) => name.endsWith(`-image-${key}`)));

/** Where servers build the image for the archive of the database, it follows from that of PostgreSQL. */
function settingOf(resources: ReadonlyMap<string, Recorded>, { name }: Recorded, kind: DataImage): string {
  const isBuilt = resources.has(`${types.imageBuild} ${name}-build`);
  const key = keysOf[kind].find((one) => name.endsWith(`-image-${one}`));
  return `orion:images.${isBuilt || key === undefined ? kind : key}`;
}

/** The image that a container had before: that which it used, or else that of the same program on the same server. */
function formerImage(
  before: Graph,
  was: ReadonlyMap<string, Recorded>,
  former: Recorded | undefined,
  image: Recorded,
): Recorded | undefined {
  const known = former && used(before, was, former, "image").find(({ type }) => type === types.image);
  const server = image.name.slice(0, image.name.indexOf("-image-"));
  const kind = kindOf(image);
  const same = [image.name, ...(kind ? keysOf[kind] : []).map((key) => `${server}-image-${key}`)];
  return known ?? same.flatMap((name) => was.get(`${types.image} ${name}`) ?? [])[0];
}

/**
 * The image's reference; of one that the server builds, that of the image that it is built on: it has the same program, and
 * can be asked before it is built.
 */
const referenceIn = (resources: ReadonlyMap<string, Recorded>, { name, inputs }: Recorded): unknown =>
  resources.get(`${types.imageBuild} ${name}-build`)?.inputs["base"] ?? inputs["name"];

/** The resources whose outputs go into an input. */
const used = (graph: Graph, byKey: ReadonlyMap<string, Recorded>, resource: Recorded, input: string): Recorded[] =>
  (graph.uses.get(keyOf(resource))?.[input] ?? []).flatMap((key) => byKey.get(key) ?? []);

/** @param volumes the Docker volumes of the container that the program composes, whose names it may not know */
function dataOf({ inputs }: Recorded, volumes: readonly Recorded[]): ImageChange["data"] | undefined {
  const [mount] = Array.isArray(inputs["mounts"]) ? (inputs["mounts"] as unknown[]) : [];
  if (isRecord(mount)) return { type: "bind", source: String(mount["source"]) };
  const name = volumes.find(({ type }) => type === types.dockerVolume)?.inputs["name"];
  return typeof name === "string" ? { type: "volume", source: name } : undefined;
}

const nameOfOfficial = /(?:^|\/)(postgres|redis):(\d+(?:\.\d+)*)(?:[-.]([^/@]*))?(?:@sha256:[0-9a-f]+)?$/;

/** The version that an image's name claims, where it is named as the official one is; a claim, since a digest decides. */
export function claimedVersion(reference: string | undefined): Version | undefined {
  const [, name, number] = nameOfOfficial.exec(reference ?? "") ?? [];
  return number === undefined ? undefined : { program: name === "redis" ? "Redis" : "PostgreSQL", number };
}

/** What the name of an image of Docker Hub promises: its publisher never gives a tag of one version to another one. */
export const promisedVersion = (reference: string | undefined): Version | undefined =>
  reference !== undefined && /^(docker\.io\/)?(library\/)?(postgres|redis):[^@]+$/.test(reference)
    ? claimedVersion(reference)
    : undefined;

/** The findings about a change, by what an engine answered. */
export function ofAnswer(change: ImageChange, answer: Answer): Finding[] {
  const { program, version } = dataImages[change.kind];
  const { setting, after } = change;
  const { name } = after;
  const { wrote, has, isEmpty, missing, problem } = answer;
  if (isEmpty === true) return [];
  // The container is missing, and nothing was changed: there is no better image to go back to.
  if ((has === undefined || wrote === undefined) && change.was === change.is) return [];
  if (has === undefined || wrote === undefined) {
    const what = has === undefined ? `${change.is} runs` : "wrote its data";
    const why = problem === undefined ? "" : ` (${problem})`;
    return [
      {
        severity: "refused",
        name,
        happens: `would get another image, and it is not known which ${program} ${what}${why}`,
        instead: `make it answer, or say which version ${setting} has: npx pulumi config set --path ${version} ${wrote?.number ?? "NUMBER"}`,
      },
    ];
  }
  const extensions = missing?.map((one) => ofMissing(change, one));
  return [
    ...ofVersions(change, wrote, has),
    ...ofDistributions(change),
    ...(extensions ?? ofUnknownExtensions(change, problem)),
  ];
}

/** The finding about a change of which only the names of the images are known, for a comparison without an engine. */
export function ofNames(change: ImageChange): Finding[] {
  const { kind, after, was, is } = change;
  if (was === is) return [];
  const [wrote, has] = [claimedVersion(was), claimedVersion(is)];
  const shorter = wrote && has && kind === "redis" ? lessPrecise(wrote, has) : undefined;
  if (wrote && has && !shorter) return [...ofVersions(change, wrote, has), ...ofDistributions(change)];
  const [what, verb] =
    !has || shorter === has
      ? [is, "has"]
      : [`${is} in place of ${was === undefined ? "one" : withoutDigest(was)}`, "had"];
  const happens = `would run ${what}, whose name does not say which ${dataImages[kind].program} it ${verb}: the preview and the update ask the image`;
  return [danger(after.name, happens)];
}

/** The version with fewer numbers, when all that it has are equal: `7` of 7 and 7.2, which may be older or newer. */
function lessPrecise(one: Version, other: Version): Version | undefined {
  if (one.program !== other.program || compare(one.number, other.number) !== 0) return undefined;
  const [a = 0, b = 0] = [one, other].map(({ number }) => number.split(".").slice(0, comparedNumbers).length);
  return a === b ? undefined : a < b ? one : other;
}

/**
 * Warns of PostgreSQL from another distribution: its C library may put texts in another order than the one that the indexes
 * were written in, and then they do not find rows, or accept the same value twice.
 */
function ofDistributions({ kind, after, was, is }: ImageChange): Finding[] {
  const [before, now] = [was, is].map(distributionOf);
  if (kind !== "postgres" || before === undefined || now === undefined || before === now) return [];
  const named = (distribution: string) => distribution || "a distribution that its name does not say";
  const happens = `would run PostgreSQL from ${named(now)} on data that one from ${named(before)} wrote: texts may be ordered in another way there, so that indexes of texts miss rows and allow duplicates`;
  const instead = `keep the distribution of the image; otherwise, after the update, for each database (make psql): REINDEX DATABASE CONCURRENTLY orion; ALTER DATABASE orion REFRESH COLLATION VERSION`;
  return [danger(after.name, happens, instead)];
}

/** `bookworm` of `postgres:15.9-bookworm`, empty without one; undefined when the name is not that of an official image. */
function distributionOf(reference: string | undefined): string | undefined {
  const [found, , , suffix = ""] = nameOfOfficial.exec(reference ?? "") ?? [];
  return found === undefined ? undefined : suffix.replace(/^.*-/, "").replace(/^alpine.*$/, "alpine");
}

function ofVersions({ kind, after, setting }: ImageChange, wrote: Version, has: Version): Finding[] {
  const happens = `would run ${shown(kind, has)} on the data of ${shown(kind, wrote)}`;
  const one = { severity: "refused", name: after.name } as const;
  if (kind === "postgres") {
    if (wrote.program === has.program && majorOf(wrote) === majorOf(has)) return [];
    const instead = `leave ${setting} at ${majorOf(wrote)}; another major version is a dump, a restore and a new stack`;
    return [{ ...one, happens: `${happens}, on which it does not start`, instead }];
  }
  const order = wrote.program === has.program ? compare(has.number, wrote.number) : 1;
  if (order === 0) return [];
  if (order > 0) {
    const isSame = wrote.program === has.program && majorOf(wrote) === majorOf(has);
    return isSame
      ? []
      : [
          {
            ...one,
            severity: "danger",
            happens: `${happens}, which ${wrote.program} ${wrote.number} cannot read afterwards`,
          },
        ];
  }
  const instead = `leave ${setting} at ${wrote.number} or newer`;
  // What a cache loses is computed again.
  const severity = roleOf(after) === "cache" ? "danger" : "refused";
  return [{ ...one, severity, happens: `${happens}, which it may not be able to read`, instead }];
}

/** PostgreSQL's minor versions share their data, so that they are not named. */
const shown = (kind: DataImage, version: Version): string =>
  `${version.program} ${kind === "postgres" ? majorOf(version) : version.number}`;

function ofMissing({ after, is }: ImageChange, extension: string): Finding {
  const happens = `would run ${is}, which lacks the extension ${extension} that the database uses`;
  const instead = `use an image with ${extension}; to do without it, ${agreeTo(extension)}`;
  return { severity: "refused", name: after.name, happens, instead, agreement: extension };
}

function ofUnknownExtensions({ kind, after, is }: ImageChange, problem: string | undefined): Finding[] {
  if (kind !== "postgres") return [];
  const why = problem ?? "the database does not answer";
  return [
    {
      severity: "danger",
      name: after.name,
      happens: `would run ${is}; whether it has the extensions of the database is not known: ${why}`,
    },
  ];
}

const majorOf = ({ number }: Version): string => number.split(".")[0] ?? number;

/** Versions of Redis that differ in the third number alone read each other's data. */
const comparedNumbers = 2;

/** Compares the first numbers of two versions, as far as both have them. */
function compare(one: string, other: string): number {
  const [a, b] = [one, other].map((text) => text.split(".").slice(0, comparedNumbers).map(Number));
  const differing = (a ?? []).findIndex((number, index) => b?.[index] !== undefined && number !== b[index]);
  return differing < 0 ? 0 : (a?.[differing] ?? 0) - (b?.[differing] ?? 0);
}
