/** Injects faults into API calls: delays them, never answers them, or answers them with an error. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { failure } from "../cloudflare/envelope.ts";
import type { Faults, CallFaults } from "../faults.ts";
import { HetznerError } from "../hetzner/errors.ts";

const prefixes = { hetzner: "/hetzner/v1", cloudflare: "/client/v4" } as const;
type Api = keyof typeof prefixes;

/** Applies matching faults to the calls of both APIs, before any handler runs. */
export function injectCallFaults(app: FastifyInstance, faults: Faults): void {
  app.addHook("onRequest", async (request, reply) => {
    for (const [api, prefix] of Object.entries(prefixes) as [Api, string][]) {
      if (!request.url.startsWith(`${prefix}/`)) continue;
      const [path = ""] = request.url.slice(prefix.length).split("?");
      await interfere(faults.onCall(api, request.method, path), api, request, reply);
    }
  });
}

async function interfere(
  { seconds, hangs, reply: wanted }: CallFaults,
  api: Api,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  if (seconds > 0) await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  if (hangs) {
    // Wait until the client closes the connection.
    const { socket } = request.raw;
    if (!socket.destroyed) await new Promise((resolve) => socket.once("close", resolve));
    reply.hijack();
    return;
  }
  if (!wanted) return;
  const { status, code, message } = wanted;
  const body =
    api === "hetzner"
      ? new HetznerError(status, code ?? codeOf(status), message).envelope
      : failure({ code: Number(code ?? 10000), message });
  await reply.code(status).send(body);
}

/** Hetzner's error code for a status, when the fault names none. */
const codeOf = (status: number): string =>
  ({
    409: "conflict",
    412: "resource_unavailable",
    423: "locked",
    429: "rate_limit_exceeded",
    502: "bad_gateway",
    504: "timeout",
  })[status] ?? "server_error";
