/**
 * `make rehearse`: brings a stack up on a rehearsal cloud, with the unchanged program and the real engine. Its state is in a
 * separate Pulumi project in the cloud's folder, so that the real stack of the same name is not touched.
 */
import { hasServers } from "../../topology/topology.ts";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { runSync, runInteractive } from "../../common/process.ts";
import { UserError } from "../../common/user-error.ts";
import { zonePlans } from "../../config/host-names.ts";
import { isMadeOnServers, isOfficialImage } from "../../config/images.ts";
import type { CloudClient } from "../../rehearsal/cloud/client.ts";
import { type StartedCloud, startCloud } from "../../rehearsal/cloud/process.ts";
import {
  type CloudChoices,
  cloudFolder,
  type CloudSettings,
  readSettings,
  rehearsalFolder,
  sshFolder,
  withZone,
} from "../../rehearsal/cloud/settings.ts";
import { internetSource } from "../../rehearsal/machines/docker/packet-rules.ts";
import { isInstalled, partsOf, toolchainPaths } from "../../toolchain/src/parts.ts";
import { progressOn } from "../../toolchain/src/progress.ts";
import { recover } from "../recovery/recover.ts";
import { describeStack, inPhase, parseStackText, readStackFile, readStackText, type StackFile } from "../stack-file.ts";
import { say, yellow } from "../terminal.ts";
import { reportUnhealthy } from "../unhealthy.ts";
import { ensureStack } from "../up.ts";
import { configOf, holdsSecret, overlayOf, projectFile, stackFile, withDigests } from "./files.ts";
import { type Delivery, findDeliveries, isStandIn } from "./images.ts";
import { reportOf } from "./report.ts";

export interface RehearseOptions {
  /** Folder of the project. */
  readonly root: string;
  readonly stack: string;
  /** @default the stack's own */
  readonly phase: string | undefined;
  /** Name of the cloud. */
  readonly cloud: string;
  /** Port and address block of a new cloud. */
  readonly choices: Pick<CloudChoices, "port" | "block">;
}

/**
 * Brings a stack up on a rehearsal cloud, or moves a running one to another phase.
 *
 * @returns the engine's exit code
 */
export async function rehearse(options: RehearseOptions): Promise<number> {
  return bringUp(await prepare(options));
}

/** A rehearsal that is ready for the engine. */
export interface Prepared {
  readonly options: RehearseOptions;
  readonly cloud: StartedCloud;
  /** Folder of the rehearsal's Pulumi project. */
  readonly folder: string;
  readonly file: StackFile;
  readonly deliveries: readonly Delivery[];
}

/** Starts the cloud, writes the rehearsal's project and puts the images into the registry; nothing of the platform changes. */
export async function prepare(options: RehearseOptions): Promise<Prepared> {
  const { root, stack } = options;
  const text = readStackText(root, stack);
  const cloud = await startCloudFor(options, checked(stack, text, options.phase));
  const folder = rehearsalFolder(root, options.cloud, stack);
  writeProject(options, folder, text, cloud.settings);
  // Before the settings are read: the secrets that they may lack are set with the engine, which needs the stack.
  ensureStack(folder, stack);
  const deliveries = await deliverImages(root, folder, readStackFile(folder, stack), cloud.client);
  const file = readStackFile(folder, stack);
  setTokens(folder, stack, cloud.settings);
  await recover(folder, stack, say);
  return { options, cloud, folder, file, deliveries };
}

/**
 * Updates the rehearsed stack, and says how to reach it.
 *
 * @param eventLog file for the engine's events. @default - they are not kept
 * @returns the engine's exit code
 */
export async function bringUp({ options, cloud, folder, file }: Prepared, eventLog?: string): Promise<number> {
  const { root, stack } = options;
  const place = ["--stack", stack, "--cwd", folder];
  const log = eventLog === undefined ? [] : ["--event-log", eventLog];
  const ways = ["--yes", "--skip-preview", "--suppress-outputs"];
  const code = await runInteractive("pulumi", ["up", ...place, ...ways, ...log], {
    // The engine knows --event-log only with it.
    environment: eventLog === undefined ? {} : { PULUMI_DEBUG_COMMANDS: "true" },
  });
  if (code !== 0) reportUnhealthy(folder, stack, say);
  const status = await cloud.client.status();
  const authority = join(cloudFolder(root, options.cloud), "edge-authority.pem");
  say(reportOf(file, status, { folder: relative(root, folder), authority: relative(root, authority) }, code === 0));
  return code;
}

/** The stack in the requested phase, checked before anything is created. */
function checked(stack: string, text: string, phase: string | undefined): StackFile {
  const contents = parseStackText(stack, text);
  const file = describeStack(stack, phase === undefined ? contents : inPhase(contents, phase));
  if (hasServers(file.topology)) return file;
  throw new UserError(
    `Phase ${file.settings.phase} of stack '${stack}' has no servers: make up STACK=${stack} brings it up on this machine. ` +
      "A rehearsal needs another phase, as in: make rehearse PHASE=mvp",
  );
}

async function startCloudFor(
  { root, cloud, choices }: RehearseOptions,
  { settings }: StackFile,
): Promise<StartedCloud> {
  const before = readSettings(cloudFolder(root, cloud));
  const plans = zonePlans(settings);
  const zones = [...plans].reduce<string[]>(
    (all, [zone, plan]) => withZone(all, zone, plan),
    [...(before?.zones ?? [])],
  );
  const started = await startCloud(root, cloud, { ...choices, ...(zones.length > 0 && { zones }) });
  if (started.settings.machines !== "docker") {
    throw new UserError(
      `The rehearsal cloud '${cloud}' runs without machines. Delete it (make cloud-down CLOUD=${cloud}), or use another: CLOUD=other`,
    );
  }
  for (const [zone, plan] of plans) {
    if (await started.client.choosePlan(zone, plan)) {
      say(`Zone ${zone} has the plan ${plan} now. Cloudflare's own: choose it in the dashboard before the update.`);
    }
  }
  return started;
}

/** Writes the rehearsal's own Pulumi project. */
function writeProject(
  { root, stack, phase, cloud: name }: RehearseOptions,
  folder: string,
  text: string,
  cloud: CloudSettings,
): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const key = join(folder, "key");
  if (!existsSync(key)) keyPair(key);
  const overlay = overlayOf({
    ...{ phase, cloud, source: internetSource },
    ...{ publicKey: readFileSync(`${key}.pub`, "utf8").trim(), identityFile: key },
    sshFolder: sshFolder(cloudFolder(root, name), cloud),
    authority: readFileSync(join(cloudFolder(root, name), "edge-authority.pem"), "utf8"),
  });
  const own = join(folder, `Pulumi.${stack}.yaml`);
  const before = existsSync(own) ? readFileSync(own, "utf8") : undefined;
  const written = stackFile(text, before, overlay);
  writeFileSync(own, written.text, { mode: 0o600 });
  writeFileSync(
    join(folder, "Pulumi.yaml"),
    projectFile(readFileSync(join(root, "Pulumi.yaml"), "utf8"), root, standIns(root)),
  );
  if (written.leftOut.length === 0) return;
  const names = written.leftOut.map((each) => each.replace(/^orion:/, ""));
  say(
    `${yellow("Left out:")} the secrets of Pulumi.${stack}.yaml, because it has another passphrase: ${names.join(", ")}. To set ` +
      `them for the rehearsal: npx pulumi config set --secret ${names[0] ?? ""} ... --stack ${stack} -C ${relative(root, folder)}`,
  );
}

function keyPair(path: string): void {
  const { code, stderr } = runSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "rehearsal", "-f", path]);
  if (code !== 0) throw new UserError(`No SSH key could be created: ${stderr.trim()}`);
}

/** Folders of plugins that replace official ones that this machine does not have. */
function standIns(root: string): Record<string, string> {
  const official = partsOf(toolchainPaths(root, process.env)).find(({ name }) => name === "cloudflare");
  return official && isInstalled(official) ? {} : { cloudflare: join(root, "rehearsal", "cloudflare-plugin") };
}

/**
 * Puts the stack's images into the cloud's registry, under the names that the servers pull, and notes the digests that the
 * official ones have there: servers pull by digest, as in production.
 */
async function deliverImages(
  root: string,
  folder: string,
  file: StackFile,
  client: CloudClient,
): Promise<readonly Delivery[]> {
  const deliveries = await findDeliveries(root, file);
  const missing = deliveries.flatMap(({ built }) => built ?? []);
  if ((await runInteractive("node", [join(root, "images", "build.ts"), ...missing])) !== 0) {
    throw new UserError("Not every image of the stack could be pulled or built on this machine; see above.");
  }
  const digests: Record<string, string> = {};
  for (const delivery of deliveries) {
    const { key, image, reference } = delivery;
    if (isStandIn(delivery)) say(`${reference} is not on this machine: ${yellow(image)} is used instead.`);
    const digest = await progressOn().during(`${reference} into the cloud's registry`, "done", () =>
      client.pushImage(image, reference),
    );
    if (isOfficialImage(key) || isMadeOnServers(key)) digests[key] = `${reference}@${digest}`;
  }
  const path = join(folder, `Pulumi.${file.stack}.yaml`);
  writeFileSync(path, withDigests(readFileSync(path, "utf8"), digests), { mode: 0o600 });
  return deliveries;
}

/** Stores the cloud's tokens as secrets of the stack, once: they never change. */
function setTokens(folder: string, stack: string, cloud: CloudSettings): void {
  const present = configOf(parseStackText(stack, readStackText(folder, stack)));
  for (const key of ["hcloud:token", "cloudflare:apiToken"].filter((each) => !holdsSecret(present[each]))) {
    const args = ["config", "set", "--secret", key, "--stack", stack, "--cwd", folder];
    const { code, stderr } = runSync("pulumi", args, { input: cloud.token });
    if (code !== 0) throw new UserError(`${key} could not be set:\n${stderr.trim()}`);
  }
}
