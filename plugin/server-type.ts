/**
 * `orion:index:ServerType`: chooses the type of a server, and changes it. A new server gets the first type of a list that Hetzner
 * offers, and keeps it while the list contains it. To change its type a server is drained, powered off, changed and awaited
 * until it is healthy; so the servers of one role change one after the other.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Outcome, Run } from "../common/process.ts";
import { onServer } from "../common/on-server.ts";
import { sshOptions } from "../common/ssh.ts";
import {
  accessSchema,
  canGet,
  type CloudServer,
  type Hetzner,
  hetznerBy,
  Refusal,
  type ServerTypes,
} from "../common/hetzner.ts";
import { powerOffScript, readyScript, stopSeconds } from "../common/power-off-script.ts";

export const serverTypeSchema = z.strictObject({
  /** The server's name at Hetzner. The server need not exist yet. */
  server: z.string().min(1),
  location: z.string().min(1),
  /** In order of preference. */
  types: z.array(z.string()).min(1),
  /** The type of the list that the server gets; chosen by {@link chooseType}. */
  type: z.string().optional(),
  /** The stack that its containers are labelled with. */
  stack: z.string().min(1),
  /** URL of load balancers' health check of its edge, for requests from the server itself. @default - it has no edge */
  edgeHealth: z.url().optional(),
  /** Files of this machine's ssh. */
  ssh: z.strictObject({ folder: z.string(), identityFile: z.string().optional() }),
  /** @default - without a call to Hetzner, the first type */
  access: accessSchema.optional(),
});
export type ServerTypeInputs = z.infer<typeof serverTypeSchema>;

const shutdownSeconds = 90;
const readySeconds = 600;
const secondsBetween = 2;
/** How often in a row a server must be healthy, so that load balancers have noticed it as well. */
const readyInARow = 8;
/** Codes with which Hetzner refuses a type that is sold out, or that this server cannot get. */
const soldOut = new Set(["resource_unavailable", "placement_error"]);

/** What it needs of Hetzner's API. */
type ServersApi = Pick<Hetzner, "server" | "serverTypes" | "act">;

/** Dependencies of the functions below; tests replace them. */
export interface Dependencies {
  readonly run: Run;
  readonly api?: (access: NonNullable<ServerTypeInputs["access"]>) => ServersApi;
  readonly pause?: (seconds: number) => Promise<void>;
}

/**
 * Chooses the type of a server: the type that the server has, while the list contains it; otherwise the first type that
 * Hetzner offers, and that an existing server can get. Without an answer from Hetzner it is the type of the last time, or the first of the list.
 *
 * @param before the type that was chosen the last time
 */
export async function chooseType(
  inputs: ServerTypeInputs,
  before: string | undefined,
  dependencies: Dependencies,
): Promise<string> {
  const { types, location, access } = inputs;
  const [first = ""] = types;
  if (types.length === 1) return first;
  const otherwise = before !== undefined && types.includes(before) ? before : first;
  if (!access) return otherwise;
  try {
    const api = apiOf(access, dependencies);
    const server = await api.server(inputs.server);
    if (server && types.includes(server.type)) return server.type;
    const known = await api.serverTypes();
    const able = server ? typesFor(server, types, known) : types;
    return able.find((type) => known.get(type)?.locations.has(location)) ?? able[0] ?? first;
  } catch {
    // A preview works with any token; an update with a bad token fails where it has to call Hetzner.
    return otherwise;
  }
}

/** Whether the server at Hetzner has another type than the chosen one, whatever the state has. */
export async function hasOtherType(
  { server, type, access }: ServerTypeInputs,
  dependencies: Dependencies,
): Promise<boolean> {
  if (!access) return false;
  const found = await apiOf(access, dependencies)
    .server(server)
    .catch(() => undefined);
  return found !== undefined && found.type !== type;
}

/**
 * Changes the type of an existing server that has another one. Idempotent, also after an interruption.
 *
 * @returns the type that the server has then: another type of the list where Hetzner has sold out the chosen one
 * @throws {Error} when no type of the list is available, with the server running as before; or when the server does not come back
 */
export async function changeServerType(
  inputs: ServerTypeInputs,
  before: ServerTypeInputs | undefined,
  dependencies: Dependencies,
): Promise<string> {
  const { server: name, types, access } = inputs;
  const type = inputs.type ?? types[0] ?? "";
  if (!access) return type;
  const api = apiOf(access, dependencies);
  const server = await api.server(name);
  if (!server) return type;
  // An earlier update may have changed the type and then been interrupted.
  if (server.type === type) {
    if (before?.type !== undefined && before.type !== type) await waitUntilReady(server, inputs, api, dependencies);
    return type;
  }
  const able = typesFor(server, [type, ...types.filter((other) => other !== type)], await api.serverTypes());
  if (able.length === 0) {
    // An update that was interrupted may have powered it off.
    if (server.status === "off") await api.act(server.id, "poweron");
    throw new Error(
      `${name} keeps its type ${server.type}: its disk has ${server.diskGb} GB and cannot shrink, and none of ${types.join(", ")} ` +
        `has as much for ${server.architecture}. Leave ${server.type} in the list, or add a larger type.`,
    );
  }
  await powerOff(server, inputs, api, dependencies);
  const got = await changeType(server, able, api);
  await waitUntilReady(server, inputs, api, dependencies);
  if (got !== undefined) return got;
  throw new Error(
    `${name} runs again with its old type ${server.type}: Hetzner has none of ${types.join(", ")} available in ` +
      `${inputs.location}. Add another type, or run up again later.`,
  );
}

/** Those of the types that an existing server can get; Hetzner refuses the others when the server is powered off already. */
const typesFor = (server: CloudServer, types: readonly string[], known: ServerTypes): string[] =>
  types.filter((type) => canGet(server, known.get(type)));

const apiOf = (access: NonNullable<ServerTypeInputs["access"]>, { api = hetznerBy }: Dependencies): ServersApi =>
  api(access);
const pauseOf = ({ pause = (seconds) => sleep(seconds * 1000) }: Dependencies) => pause;

/** Runs a script on the server. */
function on(
  server: CloudServer,
  { ssh }: ServerTypeInputs,
  { run }: Dependencies,
  script: string,
  seconds: number,
): Promise<Outcome> {
  const options = sshOptions({ ...ssh, serverId: String(server.id) });
  const at = { host: `ssh://root@${server.address ?? ""}`, sshOptions: options };
  return onServer(run, at, script, { timeoutSeconds: seconds });
}

/** Drains the server and powers it off. */
async function powerOff(
  server: CloudServer,
  inputs: ServerTypeInputs,
  api: ServersApi,
  dependencies: Dependencies,
): Promise<void> {
  if (server.status === "off") return;
  const { code, output } = await on(server, inputs, dependencies, powerOffScript(inputs.stack), stopSeconds + 60);
  if (code !== 0) {
    const why = code === undefined ? "it took too long" : output.trim();
    throw new Error(
      `${inputs.server} was not powered off, because it could not be drained: ${why}\nCorrect the cause and run up again.`,
    );
  }
  await api.act(server.id, "shutdown");
  for (let waited = 0; waited < shutdownSeconds; waited += secondsBetween) {
    if ((await api.server(inputs.server))?.status === "off") return;
    await pauseOf(dependencies)(secondsBetween);
  }
  await api.act(server.id, "poweroff");
}

/** @returns the type that the server got; undefined when all of them are sold out */
async function changeType(
  { id, type: old }: CloudServer,
  types: readonly string[],
  api: ServersApi,
): Promise<string | undefined> {
  for (const type of types.filter((one) => one !== old)) {
    try {
      // A disk that has grown cannot shrink again.
      await api.act(id, "change_type", { server_type: type, upgrade_disk: false });
      return type;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (!soldOut.has(error.code)) {
        await api.act(id, "poweron").catch(() => undefined);
        throw new Error(`The server keeps its type ${old} and was powered on again: ${error.message} (${error.code})`, {
          cause: error,
        });
      }
    }
  }
  return undefined;
}

async function waitUntilReady(
  server: CloudServer,
  inputs: ServerTypeInputs,
  api: ServersApi,
  dependencies: Dependencies,
): Promise<void> {
  const script = readyScript(inputs.stack, inputs.edgeHealth);
  const end = Date.now() + readySeconds * 1000;
  let good = 0;
  let seen = "no answer";
  while (good < readyInARow) {
    // Hetzner powers the server on after a change of the type, but not always before it reports the change as done.
    if (good === 0 && (await api.server(inputs.server))?.status === "off") {
      await api.act(server.id, "poweron").catch(() => undefined);
    }
    const { code, output } = await on(server, inputs, dependencies, script, 30);
    good = code === 0 ? good + 1 : 0;
    if (code !== 0) seen = output.trim().split("\n").at(-1) || seen;
    if (good === 0 && Date.now() > end) throw new Error(lateOf(inputs, seen));
    await pauseOf(dependencies)(secondsBetween);
  }
}

const lateOf = ({ server }: ServerTypeInputs, seen: string): string =>
  `${server} was powered off for another type and is not healthy after ${readySeconds} s: ${seen}. No other server was ` +
  "changed. Check it (make doctor), then run up again, or configure the old type again.";
