/** `make uninstall`: takes away what `make setup` has put on this machine. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../common/user-error.ts";
import { localState, stateOf } from "../guard/backend.ts";
import { cloudFolder, readSettings } from "../rehearsal/cloud/settings.ts";
import { toolchainPaths } from "../toolchain/src/parts.ts";
import { type Removals, removalsOf } from "../toolchain/src/removal.ts";
import { confirm, isTerminal, say } from "./terminal.ts";

/** What a command for this project would still be needed for. */
export interface InUse {
  /** Each with the command that takes it down. */
  readonly reasons: readonly string[];
  /** Stacks whose state is elsewhere: any other machine can go on with them. */
  readonly elsewhere: readonly string[];
}

/**
 * Lists what is removed and what stays, asks, and removes. The states of stacks are never touched.
 *
 * @param removals tests replace it
 * @returns the exit code
 * @throws {UserError} while a stack of this project has resources or a rehearsal cloud exists, with what to do
 */
export async function uninstall(
  project: string,
  yes: boolean,
  removals: () => Promise<Removals> = () => removalsOf(toolchainPaths(project, process.env)),
): Promise<number> {
  const { reasons, elsewhere } = inUse(project);
  if (reasons.length > 0) {
    throw new UserError(
      ["Nothing was removed: this project is in use, and its commands need what would be removed.", ...reasons].join(
        "\n  ",
      ),
    );
  }
  const { removals: all, kept } = await removals();
  if (all.length === 0) {
    say("Nothing of make setup is on this machine.");
    return 0;
  }
  const stays = [
    ...kept,
    `${join(project, ".orion", "state")}: states of stacks, if there are any`,
    ...elsewhere.map((stack) => `stack ${stack}: its state is not on this machine`),
    "container images: docker image ls 'orion/*' lists those that were built here",
  ];
  const list = (title: string, lines: readonly string[]) => {
    say([title, ...lines].join("\n  "));
  };
  list(
    "To be removed (other copies of this project on this machine get it again with make setup):",
    all.map(({ what }) => what),
  );
  list("Stays:", stays);
  if (!yes && !(await confirm("\nRemove it?"))) {
    say(isTerminal ? "Nothing was removed." : "Nothing was removed: without a terminal, agree with YES=1.");
    return 1;
  }
  for (const { what, remove } of all) {
    await remove();
    say(`removed ${what}`);
  }
  return 0;
}

/** Stacks with resources, and rehearsal clouds. */
export function inUse(project: string): InUse {
  const stacks = stacksOf(project);
  const elsewhere = stacks.filter((stack) => localState(project, stack) === undefined);
  const counted = stacks
    .filter((stack) => !elsewhere.includes(stack))
    .map((stack) => ({ stack, count: resourcesOf(project, stack) }))
    .filter(({ count }) => count > 0);
  const clouds = namesIn(join(project, ".orion", "cloud")).filter((name) => readSettings(cloudFolder(project, name)));
  return {
    reasons: [
      ...clouds.map((name) => `rehearsal cloud '${name}': make cloud-down CLOUD=${name}`),
      ...counted.map(
        ({ stack, count }) =>
          `stack '${stack}' has ${count} resources: make down STACK=${stack} (it asks before it deletes data, and data that is kept counts as well)`,
      ),
    ],
    elsewhere,
  };
}

/** The stacks with a file, and those that only have a state here. */
function stacksOf(project: string): string[] {
  const withFile = readdirSync(project).flatMap((name) => /^Pulumi\.([^.]+)\.yaml$/.exec(name)?.[1] ?? []);
  const folder = localState(project, withFile[0] ?? "dev");
  const states = folder === undefined ? [] : namesIn(join(folder, "stacks", "orion"));
  return [
    ...new Set([...withFile, ...states.flatMap((name) => /^([^.]+)\.json(\.gz)?$/.exec(name)?.[1] ?? [])]),
  ].sort();
}

function resourcesOf(project: string, stack: string): number {
  const resources = stateOf(project, stack)?.resources ?? [];
  return resources.filter(({ custom, type }) => custom && !type.startsWith("pulumi:providers:")).length;
}

const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
