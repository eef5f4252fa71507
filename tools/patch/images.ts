/** Updates the images of services that hold data: the standby first, then the primary; and measures how long each is away. */
import { runInteractive } from "../../common/process.ts";
import { builtImages } from "../../images/built.ts";
import { servicesOf, type Topology } from "../../topology/topology.ts";
import { Engines } from "../engines.ts";
import type { StackFile } from "../stack-file.ts";
import { readState } from "../state.ts";
import { bold, say } from "../terminal.ts";
import { up } from "../up.ts";
import { type ImageChange, imageChanges, isPostgres, shortly, standbysFirst, targetsOn } from "./image-changes.ts";
import { PauseWatch } from "./pause-watch.ts";

/** The images that an update of the stack would change. */
export const pendingImages = (root: string, project: string, file: StackFile): ImageChange[] =>
  imageChanges(readState(root, file.stack)?.deployment.resources ?? [], file, builtImages(project, file.settings));

export function describeImages(changes: readonly ImageChange[], topology: Topology): string[] {
  if (changes.length === 0) return [];
  const first = standbysFirst(changes, topology);
  const lines = changes.map(
    ({ server, key, from, to }) =>
      `  ${key} on ${server}: ${shortly(from)} -> ${shortly(to)}${first.includes(server) && isPostgres(key) ? ", first, because it is a standby" : ""}`,
  );
  return [`\n${bold("Images that the stack's update changes after that:")}`, ...lines];
}

/**
 * Updates the stack to its images.
 *
 * @param untilWell waits until the platform is well
 * @returns the engine's exit code
 */
export async function updateImages(
  root: string,
  file: StackFile,
  changes: readonly ImageChange[],
  untilWell: () => Promise<void>,
): Promise<number> {
  const { stack, topology } = file;
  const engines = new Engines(root, file);
  for (const server of standbysFirst(changes, topology)) {
    say(`\n${bold(`Images of ${server}, the standby`)}`);
    const targets = targetsOn(readState(root, stack)?.deployment.resources ?? [], server);
    const code = await runInteractive("pulumi", [
      ...["up", "--stack", stack, "--cwd", root, "--yes", "--skip-preview", "--suppress-outputs"],
      ...targets.flatMap((target) => ["--target", target]),
    ]);
    if (code !== 0) return code;
    await untilWell();
  }
  say(`\n${bold("Images of all servers")}`);
  const holders = [
    ...servicesOf(topology, "database"),
    ...servicesOf(topology, "cache"),
    ...servicesOf(topology, "broker"),
  ];
  const watch = new PauseWatch(
    stack,
    [...new Set(holders.map(({ server }) => server))].map((server) => engines.of({ server })),
  );
  try {
    const code = await up(root, file, { yes: true });
    if (code !== 0) return code;
    await untilWell();
  } finally {
    for (const line of watch.end(holders.map(({ name }) => name))) say(`  ${line}`);
  }
  return 0;
}
