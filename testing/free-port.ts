/** Finds a free port of the loopback address for a test or a bench. */
import { isFree } from "../tools/ports.ts";

/**
 * A port that nothing listens on. It is below the range of outgoing connections, which could take it a moment later.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree("127.0.0.1", port)) return port;
  }
}
