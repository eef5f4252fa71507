/** Asks a server about its packages, kernel and last patch (server-look.ts). */
import type { Engine } from "../engines.ts";
import { lookScript, readLook, type ServerLook } from "./server-look.ts";

/** Undefined when it does not answer. */
export function lookAt(engine: Engine): ServerLook | undefined {
  const { code, stdout } = engine.feedOnHost(lookScript, "sh", "-s");
  return code === 0 ? readLook(stdout) : undefined;
}

/** The same, for a caller that goes on meanwhile. */
export async function askLook(engine: Engine): Promise<ServerLook | undefined> {
  const { code, stdout } = await engine.askOnHost(["sh", "-s"], lookScript);
  return code === 0 ? readLook(stdout) : undefined;
}
