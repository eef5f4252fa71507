/** Finds free loopback ports, and the process that holds a port. */
import { createServer } from "node:net";
import { runSync } from "./process.ts";
import { UserError } from "./user-error.ts";

/** Whether nothing listens there; false also where the address does not exist. */
export const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((settle) => {
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
  throw new UserError("No two neighbouring ports between 20000 and 32000 are free; name one.");
}

/** `postgres (process 1234)`, from the system's own socket list; undefined when it does not say. */
export function processOn(port: number): string | undefined {
  try {
    const { stdout } = runSync("ss", ["-ltnpH", `sport = :${port}`]);
    const found = /users:\(\("([^"]+)",pid=(\d+)/.exec(stdout);
    return found ? `${found[1] ?? "?"} (process ${found[2] ?? "?"})` : undefined;
  } catch {
    return undefined;
  }
}
