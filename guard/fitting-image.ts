/** Refuses an update whose image of the platform lacks what the stack needs of it. */
import { quoted } from "../common/shell.ts";
import type { Settings } from "../config/schema.ts";
import { type Finding, lineOf } from "../policy/findings.ts";
import type { Graph } from "../policy/graph.ts";
import { judgeImage } from "../policy/image-judgement.ts";
import { roleOf, types } from "../policy/stateful.ts";
import { engineAt, engineIn } from "./ask-images.ts";
import {
  askImage,
  checkKey,
  type CheckOptions,
  hasOwnImage,
  type ImageQuestion,
  type OnEngine,
} from "./check-image.ts";
import { refuse } from "./guard.ts";

export interface FittingArgs extends Omit<ImageQuestion, "image"> {
  /** The stack's state. */
  readonly before: Graph;
  /** The key of the check that the last complete update has stored. */
  readonly checked: unknown;
  readonly login?: CheckOptions["login"];
  /** The make variables of the stack: `STACK=prod`. */
  readonly variables: string;
  /** Whether the servers are those of a rehearsal cloud, which has images in a registry of its own. */
  readonly isRehearsal: boolean;
}

export interface Fitting {
  /** The key to store; undefined for a stack without an image of its own, or when no Docker Engine could be asked. */
  readonly key?: string;
  /** A line for each danger. */
  readonly notes: readonly string[];
}

/**
 * Asks the image, unless it was asked with the same settings already: on the Docker Engine of the first app, like tasks that run once.
 * Before a stack has servers this machine's Docker Engine is asked, if it has the image.
 *
 * @throws {UserError} with everything that the image lacks, and how to mend each
 */
export async function requireFittingImage({
  before,
  checked,
  login,
  variables,
  isRehearsal,
  ...stack
}: FittingArgs): Promise<Fitting> {
  const { image } = stack.settings.app;
  if (image === undefined || !hasOwnImage(stack)) return { notes: [] };
  const isLocal = stack.settings.hosting === "local";
  const { on, isHere } = engineOfApp(stack.settings, before);
  const question = { ...stack, image };
  const key = await checkKey(question, isLocal ? await idOf(image, on) : "");
  if (key === checked) return { key, notes: [] };
  const facts = await askImage(question, on, { login, pull: isHere });
  if ("kind" in facts && !isHere && facts.kind !== "unfit") {
    if (isRehearsal) return { notes: [] };
    const note = `the image ${image} is not on this machine and could not be asked what it has; make check-image ${variables} pulls and asks it`;
    return { notes: [note] };
  }
  const findings = judgeImage(facts, stack.settings);
  refuseUnfit(image, findings, { ...stack.settings, variables });
  return { notes: findings.map((one) => `The image: ${lineOf(one)}`), ...(!("kind" in facts) && { key }) };
}

/** @throws {UserError} with everything that an image lacks */
export function refuseUnfit(
  image: string,
  findings: readonly Finding[],
  { agreed, variables }: Pick<Settings, "agreed"> & { readonly variables: string },
): void {
  const headline = `The image ${image} does not fit this stack; nothing was changed:`;
  const advice = `docs/image.md has what an image needs; make check-image ${variables} asks it again.`;
  refuse(findings, { headline, agreed, advice });
}

/**
 * The Docker Engine of the first app, like that of tasks which run once; before a stack has servers, this machine's.
 *
 * @returns `isHere`: whether it is one on which the app runs
 */
export function engineOfApp(
  { hosting, dockerHost }: Pick<Settings, "hosting" | "dockerHost">,
  before: Graph,
): { readonly on: OnEngine; readonly isHere: boolean } {
  const isLocal = hosting === "local";
  const onServer = isLocal ? undefined : engineIn(before, firstEngine(before));
  return { on: onServer ?? engineAt(isLocal ? dockerHost : undefined), isHere: isLocal || onServer !== undefined };
}

/** The provider of the first app's Docker Engine, or of any Docker Engine of the state. */
function firstEngine({ resources }: Graph): string | undefined {
  const byName = resources.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const app = byName.find((one) => one.type === types.container && roleOf(one) === "app");
  const any = byName.find(({ type }) => type === "pulumi:providers:docker");
  return app?.options.provider ?? (any && `${any.type} ${any.name}`);
}

/** The id of an image on a Docker Engine; empty when it does not have it. */
async function idOf(image: string, on: OnEngine): Promise<string> {
  const { stdout } = await on(`docker image inspect --format '{{.Id}}' ${quoted(image)} 2>/dev/null`, 30);
  return stdout.trim();
}
