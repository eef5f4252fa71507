/** Runs programs on the servers of a rehearsal cloud, as their root, for the red-team table. */
import { must } from "../../common/process.ts";
import type { RehearsalCloud } from "../cloud.ts";

/** Runs a command as root of a server. @returns what it printed. @throws when it fails */
export type OnServer = (server: string, words: readonly string[], input?: string) => Promise<string>;

/** @param servers the ids at Hetzner, by names in the plan */
export const onServers =
  ({ settings }: Pick<RehearsalCloud, "settings">, servers: ReadonlyMap<string, number>): OnServer =>
  (server, words, input = "") => {
    const machine = `orion-cloud-${settings.instance}-server-${String(servers.get(server))}`;
    return must("docker", ["exec", "--interactive", machine, ...words], { input });
  };

/** The ids of a cloud's servers, by their names in the plan. */
export async function serverIds(cloud: Pick<RehearsalCloud, "list">): Promise<Map<string, number>> {
  const found = await cloud.list("/servers?per_page=50", "servers");
  return new Map(found.map(({ id, name }) => [String(name).replace("orion-prod-", ""), Number(id)]));
}

/** Runs a Python program as root of a server. @param argument what the program reads as JSON from its input */
export const pythonOn = async (on: OnServer, server: string, program: string, argument: unknown): Promise<unknown> =>
  JSON.parse(await on(server, ["python3", "-c", program], JSON.stringify(argument)));
