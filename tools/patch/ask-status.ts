/** Asks a server for its status: packages, kernel and last patch (server-status.ts). */
import type { Engine } from "../engines.ts";
import { readStatus, statusScript, type ServerStatus } from "./server-status.ts";

/** Undefined when it does not answer. */
export function statusOf(engine: Engine): ServerStatus | undefined {
  const { code, stdout } = engine.feedOnHost(statusScript, "sh", "-s");
  return code === 0 ? readStatus(stdout) : undefined;
}

/** The same, for a caller that goes on meanwhile. */
export async function askStatus(engine: Engine): Promise<ServerStatus | undefined> {
  const { code, stdout } = await engine.askOnHost(["sh", "-s"], statusScript);
  return code === 0 ? readStatus(stdout) : undefined;
}
