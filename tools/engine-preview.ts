/** What an update would do, asked of the engine itself: `pulumi preview --json` against the real state. */
import { z } from "zod";
import { runSync } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";
import type { Action } from "../policy/changes.ts";
import { type Graph, keyOf } from "../policy/graph.ts";
import { graphOf, stateSchema } from "../policy/state.ts";
import { holdingIn } from "../policy/stateful.ts";
import { groupOf } from "./move-report.ts";

/** A change that the engine would make. No value is part of it. */
export interface EngineChange {
  readonly action: Action;
  /** The whole type token. */
  readonly type: string;
  /** Logical name. */
  readonly name: string;
  /** The server, or the part of the platform, that it belongs to. */
  readonly group: string;
  /** What the change is about, as the engine names it; empty when only a value that is not known yet may change. */
  readonly inputs: readonly string[];
  /** What would be lost with it: `the data of its server`. @default - nothing */
  readonly holds?: string | undefined;
}

const stepSchema = z.object({
  op: z.string(),
  urn: z.string(),
  diffReasons: z.array(z.string()).nullish(),
  oldState: z.unknown().optional(),
  newState: z.unknown().optional(),
});
const previewSchema = z.object({
  steps: z.array(stepSchema).default([]),
  diagnostics: z.array(z.object({ message: z.string(), severity: z.string() })).nullish(),
});

/** What the engine calls a change; other operations change nothing in the world. */
const actions: Readonly<Record<string, Action>> = {
  create: "create",
  update: "update",
  replace: "replace",
  delete: "delete",
};

/**
 * The changes of the next update, as the engine and the providers see them.
 *
 * @param refresh whether the providers are asked first what really exists. Nothing is written, and no lock is taken
 * @throws {UserError} with the engine's errors when it could not tell
 */
export function enginePreview(root: string, stack: string, { refresh }: { readonly refresh: boolean }): EngineChange[] {
  const options = ["--json", "--expect-no-changes", ...(refresh ? ["--refresh"] : [])];
  const { code, stdout, stderr } = runSync("pulumi", ["preview", ...options, "--stack", stack, "--cwd", root]);
  const changes = changesIn(stdout, stderr.trim());
  // `--expect-no-changes` ends with an error of its own where there are some.
  if (code !== 0 && changes.length === 0) {
    throw new UserError(
      `The engine's preview of '${stack}' failed:\n${stderr.trim() || `exit code ${code ?? "none"}`}`,
    );
  }
  return changes;
}

/**
 * The changes in what `pulumi preview --json` prints. Pure.
 *
 * @param otherwise what the engine said when it printed no document
 * @throws {UserError} with the engine's errors
 */
export function changesIn(text: string, otherwise = ""): EngineChange[] {
  const start = text.indexOf("{");
  if (start === -1) {
    throw new UserError(`The engine's preview failed:\n${otherwise === "" ? "it printed nothing" : otherwise}`);
  }
  const { steps, diagnostics } = previewSchema.parse(JSON.parse(text.slice(start)));
  const errors = (diagnostics ?? []).filter(({ severity }) => severity === "error");
  if (errors.length > 0) {
    throw new UserError(`The engine's preview failed:\n${errors.map(({ message }) => message.trim()).join("\n")}`);
  }
  const graph = graphIn(steps);
  const holds = holdingIn(graph);
  const byKey = new Map(graph.resources.map((one) => [keyOf(one), one]));
  return steps.flatMap(({ op, urn, diffReasons }) => {
    const action = actions[op];
    const [type = "", name = ""] = urn.split("::").slice(-2);
    const own = type.split("$").pop() ?? type;
    const resource = byKey.get(keyOf({ type: own, name }));
    // The stack and its components are nothing outside the state.
    if (action === undefined || resource === undefined || !graph.uses.has(keyOf(resource))) return [];
    const inputs = [...new Set((diffReasons ?? []).map((path) => path.split(/[.[]/)[0] ?? path))];
    const held = holds(resource);
    return {
      action,
      type: own,
      name,
      group: groupOf(graph, resource),
      inputs,
      ...(held !== undefined && { holds: held }),
    };
  });
}

/** The resources that a preview names, as a graph, which knows the servers and the components. */
function graphIn(steps: readonly z.infer<typeof stepSchema>[]): Graph {
  const states = new Map(steps.map(({ urn, oldState, newState }) => [urn, newState ?? oldState]));
  return graphOf(stateSchema.parse({ resources: [...states.values()].filter((one) => one !== undefined) }));
}
