/**
 * `make rehearse`: a stack on a rehearsal cloud, by the unchanged program and the engine as it is. A project of its own
 * below the cloud's folder has its state, so that nothing here touches the real stack of the same name.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parse } from "yaml";
import { type CloudClient } from "../rehearsal/cloud/client.ts";
import { startCloud } from "../rehearsal/cloud/process.ts";
import {
  type CloudChoices,
  cloudFolder,
  type CloudSettings,
  environmentOf,
  readSettings,
  rehearsalFolder,
  sshFolder,
} from "../rehearsal/cloud/settings.ts";
import { internetSource } from "../rehearsal/machines/docker/packet-rules.ts";
import { isInstalled, partsOf, placesOf } from "../toolchain/src/parts.ts";
import { progressOn } from "../toolchain/src/progress.ts";
import { findDeliveries, isStandIn } from "./rehearsal-images.ts";
import { configOf, holdsSecret, overlayOf, projectFile, stackFile } from "./rehearsal-files.ts";
import { howToLook } from "./rehearsal-report.ts";
import { recover } from "./recover.ts";
import { capture, runInteractive } from "./run.ts";
import { describeStack, readStackFile, readStackText, type StackFile } from "./stack-file.ts";
import { say, yellow } from "./terminal.ts";
import { ensureStack } from "./up.ts";
import { UserError } from "./user-error.ts";

export interface RehearseOptions {
  /** Folder of the project. */
  readonly root: string;
  readonly stack: string;
  /** @default the stack's own */
  readonly phase: string | undefined;
  /** Name of the cloud. */
  readonly cloud: string;
  /** Where the cloud is to be, when it is not there yet. */
  readonly choices: Pick<CloudChoices, "port" | "block">;
}

/**
 * Brings a stack up on a rehearsal cloud, or moves one that is up there to another phase.
 *
 * @returns the engine's exit code
 */
export async function rehearse(options: RehearseOptions): Promise<number> {
  const { root, stack } = options;
  const text = readStackText(root, stack);
  const cloud = await startCloudFor(options, checked(stack, text, options.phase));
  const folder = rehearsalFolder(root, options.cloud, stack);
  writeProject(options, folder, text, cloud.settings);
  const file = readStackFile(folder, stack);
  await deliverImages(root, file, cloud.client);
  ensureStack(folder, stack);
  setTokens(folder, stack, cloud.settings);
  recover(folder, stack, file.settings.dockerHost, say);
  const code = await runInteractive("pulumi", ["up", "--stack", stack, "--cwd", folder, "--yes", "--skip-preview"]);
  const status = await cloud.client.status();
  const names = { cloud: options.cloud, folder: relative(root, folder), authority: relative(root, authorityOf(options)) };
  say(howToLook(file, status, names, code === 0));
  return code;
}

const authorityOf = ({ root, cloud }: RehearseOptions): string => join(cloudFolder(root, cloud), "edge-authority.pem");

/** The stack as it is to be, checked before anything is made. */
function checked(stack: string, text: string, phase: string | undefined): StackFile {
  const config = { ...configOf(text), ...(phase !== undefined && { "orion:phase": phase }) };
  const file = describeStack(stack, { config });
  if (file.topology.servers.length > 0) return file;
  throw new UserError(
    `Phase ${file.settings.phase} of stack '${stack}' has no servers: make up STACK=${stack} brings it up on this machine. ` +
      "A rehearsal needs another phase, as in: make rehearse PHASE=mvp",
  );
}

async function startCloudFor({ root, cloud, choices }: RehearseOptions, { settings }: StackFile) {
  const before = readSettings(cloudFolder(root, cloud));
  const zone = zoneOf(settings.domain);
  const zones = [...new Set([...(before?.zones ?? []), zone])];
  const started = await startCloud(root, cloud, { ...choices, zones });
  if (started.settings.machines === "docker") return started;
  throw new UserError(
    `The rehearsal cloud '${cloud}' has no machines. Take it down (make cloud-down CLOUD=${cloud}), or use another: CLOUD=other`,
  );
}
