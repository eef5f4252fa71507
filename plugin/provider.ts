/** The resources of the `orion` plugin, as the engine's protocol asks for them. */
import { isDeepStrictEqual } from "node:util";
import type * as provider from "@pulumi/pulumi/provider/index.js";
import { type z } from "zod";
import { type Run } from "../common/process.ts";
import { answersSchema, waitForAnswers } from "./answers.ts";
import { dockerBy } from "./docker.ts";
import { bidFarewell, farewellSchema } from "./farewell.ts";
import { hostFilesSchema, removeHostFiles, writeHostFiles } from "./host-files.ts";
import { hostReadySchema, waitForHost } from "./host-ready.ts";
import { liveFilesSchema, writeLiveFiles } from "./live-files.ts";
import { pauseAfterChange, pauseAtRemoval, pauseSchema } from "./pause.ts";
import { unknownValue, unwrapSecrets } from "../common/secrets.ts";
import { chooseType, giveType, hasOtherType, ofThisMachine, serverTypeSchema } from "./server-type.ts";
import { removeTask, runTask, taskSchema } from "./task.ts";

type Properties = Record<string, unknown>;

/** Added to the state beside the inputs by the engine or the SDK; not what a change is judged by. */
const ignoredKeys = new Set(["__defaults", "__internal"]);

/** A kind of resource: what it is told, and what is done when it is made and whenever that changes. */
interface Kind {
  readonly schema: z.ZodType;
  /** @returns outputs that are other than the inputs, if any */
  readonly apply: (inputs: unknown, before?: unknown) => Promise<Properties | undefined>;
  /** Undoes it, so that on another host it is another thing. @default - what was done stays done */
  readonly remove?: (inputs: unknown) => Promise<void>;
  /** Inputs that the plugin adds to what the program says. @default - none */
  readonly choose?: (inputs: unknown, before: unknown) => Promise<Properties>;
  /** Whether there is something to do although nothing has changed. @default - never */
  readonly isDue?: (inputs: unknown) => Promise<boolean>;
  /** Inputs whose change is nothing to act on. @default - none */
  readonly ignored?: readonly string[];
}

function kindOf<Inputs>(
  schema: z.ZodType<Inputs>,
  apply: (inputs: Inputs, before?: Inputs) => Promise<void>,
  remove?: (inputs: Inputs) => Promise<void>,
): Kind {
  return {
    schema,
    apply: async (inputs, before) => {
      // What an older version of the plugin wrote need not be what this one understands.
      await apply(schema.parse(inputs), schema.safeParse(before).data);
      return undefined;
    },
    ...(remove && { remove: (inputs: unknown) => remove(schema.parse(inputs)) }),
  };
}

function serverTypeKind(run: Run): Kind {
  const schema = serverTypeSchema;
  const means = { run };
  return {
    schema,
    ignored: ofThisMachine,
    choose: async (inputs, before) => {
      const type = schema.safeParse(before).data?.type;
      return { type: await chooseType(schema.parse(inputs), type, means) };
    },
    isDue: (inputs) => hasOtherType(schema.parse(inputs), means),
    apply: async (inputs, before) => {
      return { type: await giveType(schema.parse(inputs), schema.safeParse(before).data, means) };
    },
  };
}

/**
 * Resources that are something done: `orion:index:Task` runs a container once, `orion:index:HostReady` waits for a
 * server, `orion:index:LiveFiles` hands files to a running container, `orion:index:HostFiles` to a server,
 * `orion:index:Answers` waits for an address that visitors are to be sent to, `orion:index:Pause` for those on the old way,
 * `orion:index:ServerType` chooses the type of a server and gives it another one, `orion:index:Farewell` ends its work.
 * Each is done when it is made and whenever an input changes. What failed is not in the state, so that the next update does
 * it again.
 */
export class OrionProvider implements provider.Provider {
  readonly version = "0.1.0";
  readonly #kinds: ReadonlyMap<string, Kind>;

  constructor(run: Run) {
    const docker = dockerBy(run);
    this.#kinds = new Map([
      [
        "orion:index:Task",
        kindOf(
          taskSchema,
          (inputs) => runTask(inputs, docker),
          (inputs) => removeTask(inputs, docker),
        ),
      ],
      ["orion:index:ServerType", serverTypeKind(run)],
      [
        "orion:index:Farewell",
        kindOf(
          farewellSchema,
          () => Promise.resolve(),
          (inputs) => bidFarewell(inputs, run),
        ),
      ],
      ["orion:index:Pause", kindOf(pauseSchema, pauseAfterChange, pauseAtRemoval)],
      ["orion:index:Answers", kindOf(answersSchema, (inputs) => waitForAnswers(inputs))],
      ["orion:index:HostReady", kindOf(hostReadySchema, (inputs) => waitForHost(inputs, run))],
      ["orion:index:LiveFiles", kindOf(liveFilesSchema, (inputs) => writeLiveFiles(inputs, docker))],
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
    const { remove, ignored = [], isDue } = this.#kind(urn);
    const [before, after] = [plain(olds), plain(news)];
    const moves = remove !== undefined && before["host"] !== after["host"];
    const differ = !isDeepStrictEqual(without(before, ignored), without(after, ignored));
    return { changes: differ || (await isDue?.(after)) === true, replaces: moves ? ["host"] : [] };
  }

  async create(urn: string, inputs: Properties): Promise<provider.CreateResult> {
    const outs = await this.#kind(urn).apply(plain(inputs));
    return { id: urn.slice(urn.lastIndexOf("::") + 2), outs: { ...inputs, ...outs } };
  }

  async update(_id: string, urn: string, olds: Properties, news: Properties): Promise<provider.UpdateResult> {
    const outs = await this.#kind(urn).apply(plain(news), plain(olds));
    return { outs: { ...news, ...outs } };
  }

  async delete(_id: string, urn: string, properties: Properties): Promise<void> {
    await this.#kind(urn).remove?.(plain(properties));
  }

  #kind(urn: string): Kind {
    // urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>
    const type = urn.split("::")[2]?.split("$").pop() ?? "";
    const kind = this.#kinds.get(type);
    if (kind) return kind;
    throw new Error(`the orion plugin has no resource ${type}; it has ${[...this.#kinds.keys()].join(", ")}`);
  }
}

/** Whether a value, or one that it is part of, is not known before an update. */
function isUnknown(values: unknown, path: readonly PropertyKey[]): boolean {
  if (values === unknownValue) return true;
  const [key, ...rest] = path;
  return key !== undefined && isRecord(values) && isUnknown(values[String(key)], rest);
}

const isRecord = (value: unknown): value is Properties => typeof value === "object" && value !== null;

/** What the program said, without secrets' wrapping and without what others added. */
function plain(properties: Properties): Properties {
  const own = Object.entries(properties).filter(([key]) => !ignoredKeys.has(key));
  return Object.fromEntries(own.map(([key, value]) => [key, unwrapSecrets(value)]));
}

const without = (properties: Properties, keys: readonly string[]): Properties =>
  Object.fromEntries(Object.entries(properties).filter(([key]) => !keys.includes(key)));
