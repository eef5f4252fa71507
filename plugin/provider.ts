/** The provider of the `orion` plugin: implements the engine's protocol for all of its resources. */
import { isDeepStrictEqual } from "node:util";
import type * as provider from "@pulumi/pulumi/provider/index.js";
import type { z } from "zod";
import { isRecord } from "../common/record.ts";
import { type Clock, systemClock } from "../common/clock.ts";
import { ignoredInputs } from "../common/ignored-inputs.ts";
import { restoreHostKey } from "../common/known-hosts.ts";
import type { Run } from "../common/process.ts";
import { forStack } from "../common/remedies.ts";
import { dockerBy } from "./docker.ts";
import { containerReadySchema, waitForContainer } from "./container-ready.ts";
import { containerLimitsSchema, setContainerLimits } from "./container-limits.ts";
import { delayAfterChange, delayAtRemoval, drainDelaySchema, fromPause } from "./drain-delay.ts";
import { hostFilesSchema, removeHostFiles, writeHostFiles } from "./host-files.ts";
import { hostReadySchema, waitForHost } from "./host-ready.ts";
import { httpsReadySchema, waitForHttps } from "./https-ready.ts";
import { buildImage, imageBuildSchema } from "./image-build.ts";
import { liveFilesSchema, writeLiveFiles } from "./live-files.ts";
import { originPullsReadySchema, waitForOriginPulls } from "./origin-pulls-ready.ts";
import { unknownValue, unwrapSecrets } from "../common/secrets.ts";
import { drainServer, serverDrainSchema } from "./server-drain.ts";
import { chooseType, changeServerType, hasOtherType, serverTypeSchema } from "./server-type.ts";
import { removeSqlScript, runSqlScript, sqlScriptSchema } from "./sql-script.ts";
import { giveAccess, sshAccessSchema } from "./ssh-access.ts";
import { volumeFilesSchema, writeVolumeFiles } from "./volume-files.ts";
import { removeTask, runTask, taskSchema, withLimits } from "./task.ts";

type Properties = Record<string, unknown>;

/** Keys that the engine or the SDK adds to the inputs; a comparison ignores them. */
const ignoredKeys = new Set(["__defaults", "__internal"]);

/** A kind of resource: its inputs, and what happens when it is created, changed and deleted. */
interface Kind {
  readonly schema: z.ZodType;
  /** @returns outputs that differ from the inputs, if any */
  readonly apply: (inputs: unknown, before?: unknown) => Promise<Properties | undefined>;
  /** Runs when the resource is deleted; a resource that moves to another host is replaced. @default - nothing */
  readonly remove?: (inputs: unknown) => Promise<void>;
  /** Inputs that the plugin adds to those of the program. @default - none */
  readonly choose?: (inputs: unknown, before: unknown) => Promise<Properties>;
  /** Whether an update is needed although no input has changed. @default - never */
  readonly isDue?: (inputs: unknown) => Promise<boolean>;
  /** Gives this machine what the state knows, also in a preview. @default - nothing */
  readonly restore?: (stored: unknown) => void;
  /** Converts inputs that an older version stored to today's form. @default - the form has not changed */
  readonly upgrade?: (stored: Properties) => Properties;
}

/** Former type tokens: a state may still hold resources under them, to be deleted or to be taken over by an alias. */
const formerTypes: ReadonlyMap<string, string> = new Map([
  ["orion:index:Answers", "orion:index:HttpsReady"],
  ["orion:index:Farewell", "orion:index:ServerDrain"],
  ["orion:index:Pause", "orion:index:DrainDelay"],
]);

function kindOf<Inputs>(
  schema: z.ZodType<Inputs>,
  apply: (inputs: Inputs, before?: Inputs) => Promise<void>,
  remove?: (inputs: Inputs) => Promise<void>,
): Kind {
  return {
    schema,
    apply: async (inputs, before) => {
      // Inputs that an older version of the plugin stored need not match the schema of this one.
      await apply(schema.parse(inputs), schema.safeParse(before).data);
      return undefined;
    },
    ...(remove && { remove: (inputs: unknown) => remove(schema.parse(inputs)) }),
  };
}

function serverTypeKind(run: Run): Kind {
  const schema = serverTypeSchema;
  const dependencies = { run };
  return {
    schema,
    choose: async (inputs, before) => {
      const type = schema.safeParse(before).data?.type;
      return { type: await chooseType(schema.parse(inputs), type, dependencies) };
    },
    isDue: (inputs) => hasOtherType(schema.parse(inputs), dependencies),
    apply: async (inputs, before) => {
      return { type: await changeServerType(schema.parse(inputs), schema.safeParse(before).data, dependencies) };
    },
  };
}

function hostReadyKind(run: Run): Kind {
  const schema = hostReadySchema;
  return {
    schema,
    restore: (stored) => {
      const { host, sshOptions, hostKey } = schema.safeParse(stored).data ?? {};
      if (host !== undefined && sshOptions && hostKey !== undefined) restoreHostKey(host, sshOptions, hostKey);
    },
    apply: async (inputs, before) => ({
      hostKey: await waitForHost(schema.parse(inputs), run, schema.safeParse(before).data),
    }),
  };
}

/**
 * Resources that are actions:
 * - `orion:index:Task` runs a container to its end.
 * - `orion:index:VolumeFiles` writes the files of a container; `orion:index:ContainerLimits` sets limits of a running one.
 * - `orion:index:SqlScript` runs a script as the superuser of a running PostgreSQL.
 * - `orion:index:LiveFiles` writes files that a running container reads again; `orion:index:HostFiles` writes files of a server.
 * - `orion:index:ImageBuild` makes an image on a Docker Engine that no registry has.
 * - `orion:index:ContainerReady` waits until a new container is healthy, or says why it does not start.
 * - `orion:index:HostReady` waits for a server's first boot, `orion:index:HttpsReady` for an address that visitors will use,
 *   `orion:index:OriginPullsReady` for the client certificate that Cloudflare presents.
 * - `orion:index:DrainDelay` waits until the requests on an old route are complete.
 * - `orion:index:ServerType` chooses the type of a server and changes it; `orion:index:ServerDrain` drains a server.
 *
 * An action runs when its resource is created and whenever an input changes. An action that failed is not in the state, so
 * that the next update runs it again.
 */
export class OrionProvider implements provider.Provider {
  readonly version = "0.1.0";
  readonly #kinds: ReadonlyMap<string, Kind>;

  constructor(run: Run, clock: Clock = systemClock) {
    const docker = dockerBy(run);
    this.#kinds = new Map([
      [
        "orion:index:Task",
        {
          ...kindOf(
            taskSchema,
            (inputs) => runTask(inputs, docker),
            (inputs) => removeTask(inputs, docker),
          ),
          upgrade: withLimits,
        },
      ],
      [
        "orion:index:SqlScript",
        kindOf(
          sqlScriptSchema,
          (inputs) => runSqlScript(inputs, docker, clock),
          (inputs) => removeSqlScript(inputs, docker, clock),
        ),
      ],
      ["orion:index:ServerType", serverTypeKind(run)],
      [
        "orion:index:ServerDrain",
        kindOf(
          serverDrainSchema,
          () => Promise.resolve(),
          (inputs) => drainServer(inputs, run),
        ),
      ],
      [
        "orion:index:DrainDelay",
        {
          ...kindOf(
            drainDelaySchema,
            (inputs, before) => delayAfterChange(inputs, before, clock),
            (inputs) => delayAtRemoval(inputs, clock),
          ),
          upgrade: fromPause,
        },
      ],
      ["orion:index:HttpsReady", kindOf(httpsReadySchema, (inputs) => waitForHttps(inputs))],
      [
        "orion:index:OriginPullsReady",
        {
          ...kindOf(originPullsReadySchema, (inputs) => waitForOriginPulls(inputs, undefined, clock)),
        },
      ],
      ["orion:index:HostReady", hostReadyKind(run)],
      ["orion:index:ImageBuild", kindOf(imageBuildSchema, (inputs) => buildImage(inputs, run))],
      ["orion:index:SshAccess", kindOf(sshAccessSchema, (inputs) => giveAccess(inputs, run))],
      ["orion:index:ContainerLimits", kindOf(containerLimitsSchema, (inputs) => setContainerLimits(inputs))],
      [
        "orion:index:ContainerReady",
        kindOf(containerReadySchema, (inputs) => waitForContainer(inputs, undefined, clock)),
      ],
      ["orion:index:VolumeFiles", kindOf(volumeFilesSchema, (inputs) => writeVolumeFiles(inputs, docker))],
      ["orion:index:LiveFiles", kindOf(liveFilesSchema, (inputs) => writeLiveFiles(inputs, docker, clock))],
      [
        "orion:index:HostFiles",
        kindOf(
          hostFilesSchema,
          (inputs, before) => writeHostFiles(inputs, run, before),
          (inputs) => removeHostFiles(inputs, run),
        ),
      ],
    ]);
  }

  async check(urn: string, olds: Properties, news: Properties): Promise<provider.CheckResult> {
    const kind = this.#kind(urn);
    const values = plain(news);
    const parsed = kind.schema.safeParse(values);
    const failures = (parsed.error?.issues ?? [])
      .filter(({ path }) => !isUnknown(values, path))
      .map(({ path, message }) => ({ property: path.join("."), reason: message }));
    const chosen = parsed.success ? await kind.choose?.(values, plain(olds)) : undefined;
    return { inputs: { ...news, ...chosen }, failures };
  }

  async diff(_id: string, urn: string, olds: Properties, news: Properties): Promise<provider.DiffResult> {
    const { remove, restore, isDue } = this.#kind(urn);
    const ignored = ignoredInputs[typeOf(urn)] ?? [];
    const [before, after] = [withStrictOptions(plain(olds)), plain(news)];
    restore?.(before);
    const moves = remove !== undefined && before["host"] !== after["host"];
    const differ = !isDeepStrictEqual(without(before, ignored), without(after, ignored));
    return { changes: differ || (await isDue?.(after)) === true, replaces: moves ? ["host"] : [] };
  }

  async create(urn: string, inputs: Properties): Promise<provider.CreateResult> {
    const outs = await forStackOf(urn, () => this.#kind(urn).apply(plain(inputs)));
    return { id: urn.slice(urn.lastIndexOf("::") + 2), outs: { ...inputs, ...outs } };
  }

  async update(_id: string, urn: string, olds: Properties, news: Properties): Promise<provider.UpdateResult> {
    const { apply, upgrade = asStored } = this.#kind(urn);
    const outs = await forStackOf(urn, () => apply(plain(news), upgrade(plain(olds))));
    return { outs: { ...news, ...outs } };
  }

  async delete(_id: string, urn: string, properties: Properties): Promise<void> {
    const { remove, upgrade = asStored } = this.#kind(urn);
    await forStackOf(urn, async () => remove?.(upgrade(plain(properties))));
  }

  #kind(urn: string): Kind {
    const type = typeOf(urn);
    const kind = this.#kinds.get(formerTypes.get(type) ?? type);
    if (kind) return kind;
    throw new Error(`The orion plugin has no resource type ${type}; it has ${[...this.#kinds.keys()].join(", ")}`);
  }
}

/** Whether a value, or one that it is part of, is not known before an update. */
function isUnknown(values: unknown, path: readonly PropertyKey[]): boolean {
  if (values === unknownValue) return true;
  const [key, ...rest] = path;
  return key !== undefined && isRecord(values) && isUnknown(values[String(key)], rest);
}

/** The last type of `urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>`. */
const typeOf = (urn: string): string => urn.split("::")[2]?.split("$").pop() ?? "";

/** Runs an action; the commands in the message of its error are for the resource's stack. */
async function forStackOf<T>(urn: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error) error.message = forStack(error.message, urn.split(":")[2] ?? "");
    throw error;
  }
}

const asStored = (stored: Properties): Properties => stored;

/** The inputs as the program gave them: secrets unwrapped, without the keys that the engine or the SDK add. */
function plain(properties: Properties): Properties {
  const own = Object.entries(properties).filter(([key]) => !ignoredKeys.has(key));
  return Object.fromEntries(own.map(([key, value]) => [key, unwrapSecrets(value)]));
}

/**
 * Versions before this one let ssh accept a server's key at the first connection. The stricter check changes nothing on
 * the server, so it runs no action again.
 */
function withStrictOptions(properties: Properties): Properties {
  const { sshOptions: words } = properties;
  if (!Array.isArray(words)) return properties;
  const strict = "StrictHostKeyChecking=yes";
  return {
    ...properties,
    sshOptions: words.map((word: unknown) => (word === "StrictHostKeyChecking=accept-new" ? strict : word)),
  };
}

const without = (properties: Properties, keys: readonly string[]): Properties =>
  Object.fromEntries(Object.entries(properties).filter(([key]) => !keys.includes(key)));
