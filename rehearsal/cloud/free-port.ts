/** Finds free ports of loopback addresses. */
import { createServer } from "node:net";
import { UserError } from "../../common/user-error.ts";

/** Whether nothing listens there; false also where the address does not exist. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((settle) => {
    const server = createServer();
    server.once("error", () => {
      settle(false);
    });
    server.listen({ host, port }, () => {
      server.close(() => {
        settle(true);
      });
    });
  });
}

/**
 * A port that is free, and so is the next one. It is below the range of outgoing connections, which could take it a moment later.
 *
 * @throws {UserError} when a hundred tries find none
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if ((await isFree("127.0.0.1", port)) && (await isFree("127.0.0.1", port + 1))) return port;
  }
  throw new UserError("No free port was found between 20000 and 32000; name one with --port.");
}
