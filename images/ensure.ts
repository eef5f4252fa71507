/** Makes images available in the local Docker Engine: images that are missing are pulled or built. */
import { join } from "node:path";
import { type Run, tryRun } from "../common/process.ts";
import {
  baseArgument,
  baseImage,
  baseOf,
  type ImageChoices,
  isMadeOnServers,
  isOfficialImage,
  type OfficialImage,
  officialImages,
  type OwnImage,
  ownImages,
  resolveImage,
  withoutDigest,
} from "../config/images.ts";
import { type BuildTools, buildImage } from "../common/images/docker-build.ts";
import { builderEnvironment, inputsLabel, type LocalImage, localImages } from "../common/images/engine.ts";
import { Equivalents } from "./equivalents.ts";
import { ownImage } from "./own.ts";
import { Registries } from "./registry.ts";

export type ImageName = OfficialImage | OwnImage;

export const imageNames: readonly ImageName[] = [
  ...(Object.keys(officialImages) as OfficialImage[]),
  ...(Object.keys(ownImages) as OwnImage[]),
];

/** Those that a stack on this machine can run: not the gateway's, and none that servers build themselves. */
export const localNames: readonly ImageName[] = imageNames.filter(
  (name) => name !== "haproxy" && !isMadeOnServers(name),
);

export interface EnsureOptions {
  /** Folder of the project. */
  readonly root: string;
  /** Folder for log files; `images/logs` is made below it. */
  readonly cache: string;
  /** @default all */
  readonly names?: readonly ImageName[];
  readonly choices?: ImageChoices;
  /** Only report what is missing; change nothing. @default false */
  readonly check?: boolean;
  /** Receives a progress line for everything that takes longer than two seconds. @default none */
  readonly report?: (line: string) => void;
  /** Runs programs; tests pass their own. */
  readonly runner?: Run;
}

export interface EnsuredImage {
  readonly name: ImageName;
  readonly reference: string;
  readonly source: "present" | "pulled" | "built" | "missing";
  readonly seconds: number;
  /** Why an equivalent was built, if one was. */
  readonly note?: string;
}

/**
 * Makes every named image available and returns how. When all are present, only one docker command runs.
 *
 * @throws Error naming the image and the reason when one can neither be pulled nor built. All others are finished first.
 */
export async function ensureImages(options: EnsureOptions): Promise<EnsuredImage[]> {
  const names = [...new Set(options.names ?? imageNames)];
  const round = new EnsureRun(options);
  await round.inspect();
  const results = await Promise.allSettled(names.map((name) => round.ensure(name)));
  const failures = results.flatMap((result) => (result.status === "rejected" ? [messageOf(result.reason)] : []));
  if (failures.length > 0) throw new Error([...new Set(failures)].join("\n"));
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

const messageOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

/** One run over all images; each image is pulled or built at most once in it. */
class EnsureRun {
  readonly #options: EnsureOptions;
  readonly #runner: Run;
  readonly #registries: Registries;
  readonly #references: ReadonlyMap<ImageName, string>;
  readonly #started = new Map<ImageName, Promise<EnsuredImage>>();
  readonly #slots = new ConcurrencyLimit(2);
  #local: ReadonlyMap<string, LocalImage> = new Map();
  #tools: Promise<{ buildTools: BuildTools; equivalents: Equivalents }> | undefined;

  constructor(options: EnsureOptions) {
    this.#options = options;
    this.#runner = options.runner ?? tryRun;
    this.#registries = new Registries(this.#runner);
    const { root, choices } = options;
    const referenceOf = (name: ImageName): string => {
      if (name === "python") return baseImage(choices);
      return isOfficialImage(name)
        ? resolveImage(name, choices)
        : ownImage(root, name, baseImage(choices, name)).reference;
    };
    this.#references = new Map(
      imageNames
        .filter((name) => isOfficialImage(name) || (options.names ?? imageNames).includes(name))
        .map((name) => [name, referenceOf(name)]),
    );
  }

  /** Reads which images the Docker Engine has. */
  async inspect(): Promise<void> {
    const references = [...this.#references.values()];
    this.#local = await localImages(this.#runner, [...new Set([...references, ...references.map(withoutDigest)])]);
  }

  ensure(name: ImageName): Promise<EnsuredImage> {
    const started = this.#started.get(name) ?? this.#ensure(name);
    this.#started.set(name, started);
    return started;
  }

  async #ensure(name: ImageName): Promise<EnsuredImage> {
    const reference = this.#references.get(name) ?? "";
    const begin = Date.now();
    const result: MakeResult = (source, { as = reference, note } = {}) => ({
      ...{ name, reference: as, source, seconds: (Date.now() - begin) / 1000 },
      ...(note === undefined ? {} : { note }),
    });
    const present = this.#present(name, reference);
    if (present !== undefined) return result("present", { as: present });
    if (this.#options.check) return result("missing");
    return isOfficialImage(name) ? this.#makeOfficial(name, reference, result) : this.#makeOwn(name, reference, result);
  }

  /** The reference under which this machine has the image: where it is pinned, that may be the tag of an equivalent. */
  #present(name: ImageName, reference: string): string | undefined {
    if (!isOfficialImage(name)) return this.#local.has(reference) ? reference : undefined;
    const tag = withoutDigest(reference);
    const image = this.#local.get(reference);
    // A pulled image has no such label and always counts.
    if (image && image.inputs === undefined) return reference;
    // An equivalent is current when its inputs are unchanged.
    const inputs = this.#local.get(tag)?.inputs;
    const isCurrent = () => inputs === new Equivalents(this.#options.root, inertTools).inputs(name);
    return isStandardName(name, reference) && inputs !== undefined && isCurrent() ? tag : undefined;
  }

  async #makeOfficial(name: OfficialImage, reference: string, result: MakeResult): Promise<EnsuredImage> {
    const log = join(this.#logs(), `${name}-pull.log`);
    const pull = await this.#reportSlow(`${reference}: pulling`, () => this.#registries.pull(reference, log));
    if (pull.kind === "pulled") return result("pulled");
    // An image or registry that the stack configures must not be replaced silently.
    if (!isStandardName(name, reference)) {
      throw new Error(
        `the image '${reference}' cannot be pulled: ${pull.reason}\n` +
          `It comes from orion:images: check its name and that this machine reaches its registry, or remove the setting.`,
      );
    }
    const { equivalents } = await this.#buildTools();
    const tag = officialImages[name];
    await this.#slots.take(() =>
      this.#reportSlow(`${tag}: building an equivalent from Debian packages`, () => equivalents.build(name, tag)),
    );
    return result("built", { as: tag, note: pull.reason });
  }

  async #makeOwn(name: OwnImage, reference: string, result: MakeResult): Promise<EnsuredImage> {
    const base = (await this.ensure(baseOf(name))).reference;
    const { buildTools } = await this.#buildTools();
    // The tag follows from the base's name in the catalogue, which is the same on every machine.
    const { files, hash, version } = ownImage(this.#options.root, name, baseImage(this.#options.choices, name));
    await this.#slots.take(() =>
      this.#reportSlow(`${reference}: building`, () =>
        buildImage(buildTools, {
          title: ownImages[name],
          reference,
          files,
          args: { [baseArgument(name)]: base, ...(name === "app" && { APP_VERSION: version }) },
          labels: { [inputsLabel]: hash },
        }),
      ),
    );
    return result("built");
  }

  #logs(): string {
    return join(this.#options.cache, "images", "logs");
  }

  /** Builder and package index settings, detected before the first build only. */
  #buildTools(): Promise<{ buildTools: BuildTools; equivalents: Equivalents }> {
    this.#tools ??= (async () => {
      const [builder, pip] = await Promise.all([builderEnvironment(this.#runner), pipEnvironment(this.#runner)]);
      const buildTools = { runner: this.#runner, logs: this.#logs(), environment: { ...pip, ...builder } };
      return { buildTools, equivalents: new Equivalents(this.#options.root, buildTools) };
    })();
    return this.#tools;
  }

  /** Reports progress of a task after two seconds, and then every ten. */
  async #reportSlow<T>(title: string, task: () => Promise<T>): Promise<T> {
    const begin = Date.now();
    const say = () => this.#options.report?.(`${title} (${Math.round((Date.now() - begin) / 1000)} s)`);
    let every: NodeJS.Timeout | undefined;
    const first = setTimeout(() => {
      say();
      every = setInterval(say, 10_000);
    }, 2_000);
    try {
      return await task();
    } finally {
      clearTimeout(first);
      clearInterval(every);
    }
  }
}

/** @param as the reference under which this machine has the image. @default the one that was asked for */
type MakeResult = (
  source: EnsuredImage["source"],
  more?: { readonly as?: string; readonly note?: string },
) => EnsuredImage;

/** Whether a reference is the catalogue's own, with or without its digest: an equivalent may stand in for no other. */
const isStandardName = (name: OfficialImage, reference: string): boolean =>
  reference === officialImages[name] || reference === resolveImage(name, { pinned: true });

/** For computing the inputs of an equivalent, which runs no program. */
const inertTools: BuildTools = {
  runner: () => Promise.reject(new Error("computing the inputs of an image must not run a program")),
  logs: "",
  environment: {},
};

/** The package index that pip is configured for on this machine, as pip's own variables. */
async function pipEnvironment(runner: Run): Promise<Record<string, string>> {
  const keys = { "global.index-url": "PIP_INDEX_URL", "global.extra-index-url": "PIP_EXTRA_INDEX_URL" };
  const found: Record<string, string> = {};
  for (const [key, variable] of Object.entries(keys)) {
    if (process.env[variable]) continue;
    // Without pip on this machine there is no pip configuration either.
    const { code, stdout } = await runner("pip", ["config", "get", key]);
    if (code === 0 && stdout.trim()) found[variable] = stdout.trim();
  }
  return found;
}

/** Limits the number of tasks that run at the same time. */
class ConcurrencyLimit {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async take<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
