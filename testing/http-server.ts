/** A small HTTP server of a test file: it answers on a port of loopback until the file's last test has ended. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { atEnd } from "./cleanup.ts";

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => unknown;

export interface HttpServer {
  /** `127.0.0.1:8123` */
  readonly host: string;
  /** `http://127.0.0.1:8123` */
  readonly url: string;
  /** Ends it before the last test has ended. */
  readonly stop: () => Promise<void>;
}

/** @param answer is called once a request's body is there, and ends the response */
export async function serveHttp(answer: Answer): Promise<HttpServer> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () => {
      answer(request, response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = () => stopped(server);
  atEnd(stop);
  return { host, url: `http://${host}`, stop };
}

async function stopped(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
