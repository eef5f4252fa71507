/** Asks the Docker Engines of a stack about other images for containers that keep data. */
import { z } from "zod";
import { type Outcome, tryRun, type Run } from "../common/process.ts";
import { onServer } from "../common/on-server.ts";
import type { Settings } from "../config/schema.ts";
import { type Answer, type ImageChange, promisedVersion, type Version } from "../policy/data-images.ts";
import { type Graph, keyOf } from "../policy/graph.ts";
import type { OnEngine } from "./check-image.ts";
import { type Login, readAnswer, readVersion, readLines, scriptOfData, scriptOfImage } from "./image-script.ts";

const secondsForData = 60;
/** A pull of an image. */
const secondsForImage = 900;

const providerSchema = z.object({ host: z.string(), sshOpts: z.string().default("[]") });

export interface Asking {
  /** The graph of the state, which has the addresses of the engines. */
  readonly before: Graph;
  readonly settings: Pick<Settings, "database" | "cache">;
  /** @default - images are pulled anonymously */
  readonly login?: Login | undefined;
  /** @default - programs of this machine */
  readonly run?: Run;
}

/** The answer to each change, by the name of its container; one after the other, since each may pull an image. */
export async function askAbout(changes: readonly ImageChange[], asking: Asking): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>();
  for (const change of changes) answers.set(change.after.name, completed(change, await ask(change, asking), asking));
  return answers;
}

async function ask(change: ImageChange, { before, login, run = tryRun }: Asking): Promise<Answer> {
  const on = engineIn(before, change.engine, run);
  if (!on) return { problem: "its Docker Engine is not in the state" };
  const data = await on(scriptOfData(change), secondsForData);
  if (data.code !== 0) return { problem: lastLine(data) };
  const wrote = readVersion(change.kind, readLines(data.stdout)("data")[0]);
  const promised = promisedVersion(change.is);
  // Another major version by the word of its publisher: no need to pull it.
  if (wrote && promised && promised.number.split(".")[0] !== wrote.number.split(".")[0])
    return { wrote, has: promised };
  const withData = wrote === undefined && readLines(data.stdout)("empty").length === 0;
  const image = await on(scriptOfImage(change, withData, login), secondsForImage);
  const answer = readAnswer(change.kind, data.stdout, image.stdout);
  return image.code === 0 ? answer : { ...answer, problem: lastLine(image) };
}

/** Runs scripts on a Docker Engine whose provider is in a state. @param provider `type name` of it */
export function engineIn({ resources }: Graph, provider: string | undefined, run: Run = tryRun): OnEngine | undefined {
  const engine = providerSchema.safeParse(resources.find((one) => keyOf(one) === provider)?.inputs).data;
  if (!engine) return undefined;
  if (!engine.host.startsWith("ssh://")) return engineAt(engine.host, run);
  const sshOptions = z.array(z.string()).parse(JSON.parse(engine.sshOpts));
  return (script, timeoutSeconds) => onServer(run, { host: engine.host, sshOptions }, script, { timeoutSeconds });
}

/** The same for an engine that this machine reaches by itself. @param host its address; @default this machine's own */
export const engineAt =
  (host: string | undefined, run: Run = tryRun): OnEngine =>
  (script, timeoutSeconds) =>
    run("sh", ["-s"], {
      input: script,
      timeoutSeconds,
      ...(host !== undefined && { environment: { DOCKER_HOST: host } }),
    });

/** Fills in what was not answered, from what the stack says, and from the names of official images. */
function completed({ kind, was, is }: ImageChange, answer: Answer, { settings }: Asking): Answer {
  const number = kind === "postgres" ? settings.database.version : settings.cache.version;
  const said: Version | undefined =
    number === undefined
      ? undefined
      : { program: kind === "postgres" ? "PostgreSQL" : "Redis", number: String(number) };
  return {
    ...answer,
    wrote: answer.wrote ?? said ?? promisedVersion(was),
    has: answer.has ?? said ?? promisedVersion(is),
  };
}

const lastLine = ({ code, output }: Outcome): string =>
  code === undefined ? "it took too long" : (output.trim().split("\n").at(-1)?.slice(0, 300) ?? "no answer");
