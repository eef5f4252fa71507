/** A free port of the loopback address, for what a test or a bench starts. */
import { isFree } from "../tools/ports.ts";

/**
 * A port of the loopback address that nothing listens on. It lies below those that the system gives to outgoing
 * connections: one of these may be taken the moment after.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree("127.0.0.1", port)) return port;
  }
}
