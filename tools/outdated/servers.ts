/** How far the packages of a stack's servers are behind. */
import { hasServers } from "../../topology/topology.ts";
import { Engines } from "../engines.ts";
import { statusOf } from "../patch/ask-status.ts";
import { daysSince } from "../../common/dates.ts";
import { rebootReason, type ServerStatus } from "../patch/server-status.ts";
import { updateListsCommand } from "../patch/server-script.ts";
import type { StackFile } from "../stack-file.ts";
import { unanswered } from "./packages.ts";
import { reasonOf } from "./registry-api.ts";
import type { Item } from "./report.ts";

/** The servers of the stack, each asked after it has fetched its package lists. */
export function serverItems(root: string, file: StackFile, now: Date): Item[] {
  if (!hasServers(file.topology)) return [];
  const engines = new Engines(root, file);
  return file.topology.servers.map(({ name }) => {
    try {
      const engine = engines.of({ server: name });
      const { code } = engine.feedOnHost(`LC_ALL=C ${updateListsCommand}\n`, "sh", "-s");
      const status = statusOf(engine);
      return status ? serverItem(name, status, code === 0, now) : unanswered("server", name, "", "no answer over SSH");
    } catch (error) {
      return unanswered("server", name, "", reasonOf(error));
    }
  });
}

/** Pure. @param isFresh whether the package lists could be fetched */
export function serverItem(name: string, status: ServerStatus, isFresh: boolean, now: Date): Item {
  const since = status.patched ?? status.firstBootAt;
  const current = since === undefined ? "never patched" : `patched ${daysSince(since, now)} days ago`;
  const security = status.packages.filter(({ isSecurity }) => isSecurity).length;
  const reason = rebootReason(status);
  const notes = [
    ...(status.packages.length === 0 ? [] : [`${status.packages.length} packages, ${security} of them for security`]),
    ...(reason === undefined ? [] : [`a reboot: ${reason}`]),
    ...(status.isDockerReplaced ? ["the Docker Engine has to be restarted"] : []),
    ...(isFresh ? [] : ["its package lists could not be fetched"]),
  ];
  const isBehind = status.packages.length > 0 || reason !== undefined || status.isDockerReplaced;
  const state = isBehind ? "behind" : isFresh ? "current" : "unknown";
  return { kind: "server", name, current, state, ...(notes.length > 0 && { note: notes.join("; ") }) };
}
