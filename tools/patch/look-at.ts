import type { Engine } from "../engines.ts";
import { lookScript, readLook, type ServerLook } from "./server-look.ts";

/** What a server says of itself; undefined when it does not answer. */
export function lookAt(engine: Engine): ServerLook | undefined {
  const { code, stdout } = engine.feedOnHost(lookScript, "sh", "-s");
  return code === 0 ? readLook(stdout) : undefined;
}
