/**
 * The type of a server: the first of a list that Hetzner has, and from then on the one that it got. A server that is to get
 * another one leaves before it is switched off, and is waited for after: whoever has its turn after this one still has it
 * beside itself.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type Outcome, type Run } from "../common/process.ts";
import { sshOptions, sshArguments } from "../common/ssh.ts";
import { accessSchema, type CloudServer, type Hetzner, hetznerBy, Refusal } from "../common/hetzner.ts";
import { backScript, leaveScript, stopSeconds } from "./leave-script.ts";

export const serverTypeSchema = z.strictObject({
  /** The server's name at Hetzner. It need not be there yet. */
  server: z.string().min(1),
  location: z.string().min(1),
  /** In order of preference. */
  types: z.array(z.string()).min(1),
  /** The one of them that it is to have; chosen by {@link chooseType}. */
  type: z.string().optional(),
  /** The stack that its containers are labelled with. */
  stack: z.string().min(1),
  /** URL at which load balancers ask for its edge, as the server itself reaches it. @default - it has no edge */
  edgeHealth: z.url().optional(),
  /** How this machine's ssh finds its files. */
  ssh: z.strictObject({ folder: z.string(), identityFile: z.string().optional() }),
  /** @default - Hetzner is not asked: the first type is taken */
  access: accessSchema.optional(),
});
export type ServerTypeInputs = z.infer<typeof serverTypeSchema>;

/** What is not the server's: a change of it is nothing to act on. */
export const ofThisMachine = ["ssh", "access"] as const;

const shutdownSeconds = 90;
const backSeconds = 600;
const secondsBetween = 2;
/** How often a server that is back has to say so in a row: a load balancer has to have noticed as well. */
const backInARow = 8;
/** Hetzner has none of a type now, or does not give it to this server. */
const soldOut = new Set(["resource_unavailable", "placement_error"]);

export interface Means {
  readonly run: Run;
  readonly api?: (access: NonNullable<ServerTypeInputs["access"]>) => Hetzner;
  readonly pause?: (seconds: number) => Promise<void>;
}

/**
 * The type that a server is to have: the one that it has, as long as that is in the list; otherwise the first that Hetzner
 * says it has. When Hetzner cannot be asked, what was chosen before, or the first.
 *
 * @param before what was chosen the last time
 */
export async function chooseType(inputs: ServerTypeInputs, before: string | undefined, means: Means): Promise<string> {
  const { types, location, access } = inputs;
  const [first = ""] = types;
  if (types.length === 1) return first;
  const otherwise = before !== undefined && types.includes(before) ? before : first;
  if (!access) return otherwise;
  try {
    const api = apiOf(access, means);
    const has = (await api.server(inputs.server))?.type;
    if (has !== undefined && types.includes(has)) return has;
    for (const type of types) if (await api.isOffered(type, location)) return type;
    return first;
  } catch {
    // A preview needs no token that is good for anything; an update that has to ask says it itself.
    return otherwise;
  }
}

/** Whether the server has another type than it is to have, whatever was noted. */
export async function hasOtherType({ server, type, access }: ServerTypeInputs, means: Means): Promise<boolean> {
  if (!access) return false;
  const found = await apiOf(access, means)
    .server(server)
    .catch(() => undefined);
  return found !== undefined && found.type !== type;
}

/**
 * Gives the server its type, where it is there and has another. It may be done again at any point.
 *
 * @returns the type that it has then: another one of the list, where Hetzner has none of the one that was chosen
 * @throws {Error} when none can be had, with the server up again as it was; or when it does not come back
 */
export async function giveType(
  inputs: ServerTypeInputs,
  before: ServerTypeInputs | undefined,
  means: Means,
): Promise<string> {
  const { server: name, types, access } = inputs;
  const type = inputs.type ?? types[0] ?? "";
  if (!access) return type;
  const api = apiOf(access, means);
  const server = await api.server(name);
  if (!server) return type;
  // An update before this one may have come as far as here.
  if (server.type === type) {
    if (before?.type !== undefined && before.type !== type) await waitUntilBack(server, inputs, api, means);
    return type;
  }
  await leave(server, inputs, api, means);
  const got = await changeType(server, [type, ...types.filter((other) => other !== type)], api);
  await waitUntilBack(server, inputs, api, means);
  if (got !== undefined) return got;
  throw new Error(
    `${name} is up again as the ${server.type} that it was: Hetzner has none of ${types.join(", ")} in ${inputs.location} ` +
      "now. Name another type, or run up again later.",
  );
}

const apiOf = (access: NonNullable<ServerTypeInputs["access"]>, { api = hetznerBy }: Means): Hetzner => api(access);
const pauseOf = ({ pause = (seconds) => sleep(seconds * 1000) }: Means) => pause;

/** Runs a script on the server. */
function on(
  server: CloudServer,
  { ssh }: ServerTypeInputs,
  { run }: Means,
  script: string,
  seconds: number,
): Promise<Outcome> {
  const options = sshOptions({ ...ssh, serverId: String(server.id) });
  const args = sshArguments(`ssh://root@${server.address ?? ""}`, options, ["sh", "-s"]);
  return run("ssh", args, { input: script, timeoutSeconds: seconds });
}

/** Has it end what it does, and switches it off. */
async function leave(server: CloudServer, inputs: ServerTypeInputs, api: Hetzner, means: Means): Promise<void> {
  if (server.status === "off") return;
  const { code, output } = await on(server, inputs, means, leaveScript(inputs.stack), stopSeconds + 60);
  if (code !== 0) {
    const why = code === undefined ? "it took too long" : output.trim();
    throw new Error(
      `${inputs.server} was not switched off, since it could not end its work: ${why}\nThen run up again.`,
    );
  }
  await api.act(server.id, "shutdown");
  for (let waited = 0; waited < shutdownSeconds; waited += secondsBetween) {
    if ((await api.server(inputs.server))?.status === "off") return;
    await pauseOf(means)(secondsBetween);
  }
  await api.act(server.id, "poweroff");
}

/** @returns the type that it got; undefined when none of them is to be had */
async function changeType(
  { id, type: old }: CloudServer,
  types: readonly string[],
  api: Hetzner,
): Promise<string | undefined> {
  for (const type of types.filter((one) => one !== old)) {
    try {
      // A larger disk could not be made smaller again.
      await api.act(id, "change_type", { server_type: type, upgrade_disk: false });
      return type;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (!soldOut.has(error.code)) {
        await api.act(id, "poweron").catch(() => undefined);
        throw new Error(
          `the server keeps its type ${old}, and was switched on again: ${error.message} (${error.code})`,
          { cause: error },
        );
      }
    }
  }
  return undefined;
}

async function waitUntilBack(server: CloudServer, inputs: ServerTypeInputs, api: Hetzner, means: Means): Promise<void> {
  const script = backScript(inputs.stack, inputs.edgeHealth);
  const end = Date.now() + backSeconds * 1000;
  let good = 0;
  let seen = "no answer";
  while (good < backInARow) {
    // Hetzner starts it by itself, but not always before it says that it is done.
    if (good === 0 && (await api.server(inputs.server))?.status === "off") {
      await api.act(server.id, "poweron").catch(() => undefined);
    }
    const { code, output } = await on(server, inputs, means, script, 30);
    good = code === 0 ? good + 1 : 0;
    if (code !== 0) seen = output.trim().split("\n").at(-1) || seen;
    if (good === 0 && Date.now() > end) throw new Error(lateOf(inputs, seen));
    await pauseOf(means)(secondsBetween);
  }
}

const lateOf = ({ server }: ServerTypeInputs, seen: string): string =>
  `${server} was switched off for another type and is not back after ${backSeconds} s: ${seen}. No other server was ` +
  "touched. Look at it (make doctor), then run up again, or name the old type again.";
