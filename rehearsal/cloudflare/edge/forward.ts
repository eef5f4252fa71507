/** Sends requests from the edge to an origin, and translates connection errors to Cloudflare's error codes. */
import {
  type Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
} from "node:http";
import { request as httpsRequest } from "node:https";
import { checkServerIdentity, TLSSocket } from "node:tls";
import { StatusError } from "../../status-error.ts";
import type { Origin } from "./origins.ts";

export interface OriginRequest {
  readonly origin: Origin;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The host name that the visitor asked for. */
  readonly hostname: string;
  /** Protocol for the connection to the origin. */
  readonly scheme: "http" | "https";
  /** CA certificates in PEM that the origin's certificate is verified with; undefined: it is not verified. */
  readonly trusted: readonly string[] | undefined;
  /** The cloud's time, at which the origin's certificate has to be valid. @default that of this machine */
  readonly time?: Date;
  /** Client certificate presented to the origin. */
  readonly client: { readonly key: string; readonly cert: string } | undefined;
  readonly localAddress: string;
  /** Milliseconds within which the connection must be established. */
  readonly connectTimeout: number;
  /** Keeps connections without TLS open for further requests. @default - each request has its own */
  readonly agent?: Agent;
}

/** A failed request to an origin, with the status that Cloudflare returns for it. */
export class OriginError extends StatusError {
  override readonly name = "OriginError";
}

/**
 * The last TLS session with each origin, by everything that a handshake decides. Cloudflare keeps connections to origins open;
 * this edge opens one for each request, and resumes the session, so that certificates are not verified each time.
 */
const sessions = new Map<string, { readonly session: Buffer; readonly certificateEnds: string }>();

const sessionKey = ({ origin, hostname, trusted, client }: OriginRequest): string =>
  [origin.address, origin.port, origin.host ?? hostname, trusted?.join(""), client?.cert].join(" ");

/** Whether a certificate has ended by the cloud's clock, which may be ahead of that of the TLS library. */
const hasEnded = (validTo: string, { trusted, time }: OriginRequest): boolean =>
  trusted !== undefined && Date.parse(validTo) <= (time ?? new Date()).getTime();

/** Opens a request to an origin; the caller sends the body. */
export function openRequest(leg: OriginRequest): ClientRequest {
  const { origin, scheme, hostname, trusted, client, localAddress } = leg;
  const host = origin.host ?? hostname;
  const options = {
    host: origin.address,
    port: origin.port ?? (scheme === "https" ? 443 : 80),
    localAddress,
    method: leg.method,
    path: leg.url,
    headers: { ...leg.headers, host },
  };
  const key = sessionKey(leg);
  const known = sessions.get(key);
  const session = known && !hasEnded(known.certificateEnds, leg) ? known.session : undefined;
  const call =
    scheme === "http"
      ? httpRequest({ ...options, agent: leg.agent ?? false })
      : httpsRequest({
          ...options,
          agent: false,
          servername: host,
          rejectUnauthorized: trusted !== undefined,
          ...(trusted !== undefined && { ca: [...trusted] }),
          ...client,
          checkServerIdentity: (name, certificate) =>
            checkServerIdentity(name, certificate) ??
            (hasEnded(certificate.valid_to, leg)
              ? new OriginError(526, `the origin's certificate was valid until ${certificate.valid_to}`)
              : undefined),
          ...(session && { session }),
        });
  const timer = setTimeout(() => call.destroy(new OriginError(522, "the origin does not answer")), leg.connectTimeout);
  call.once("socket", (socket) => {
    if (call.reusedSocket) {
      clearTimeout(timer);
      return;
    }
    if (socket instanceof TLSSocket)
      socket.on("session", (next: Buffer) => {
        const { valid_to: certificateEnds } = socket.getPeerCertificate();
        sessions.set(key, { session: next, certificateEnds });
      });
    socket.once(scheme === "https" ? "secureConnect" : "connect", () => {
      clearTimeout(timer);
    });
  });
  call.once("close", () => {
    clearTimeout(timer);
  });
  return call;
}

const tlsFailures = /^(ERR_TLS|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|ERR_SSL|EPROTO)/;

/** Translates an error into Cloudflare's status codes. */
export function toOriginError(error: unknown): OriginError {
  if (error instanceof OriginError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message : String(error);
  if (code === "ECONNREFUSED") return new OriginError(521, "the origin refuses connections");
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return new OriginError(530, `the origin's name cannot be resolved: ${message}`);
  if (code === "ETIMEDOUT" || code === "EHOSTUNREACH" || code === "ENETUNREACH")
    return new OriginError(522, "the origin does not answer");
  if (code.startsWith("EPROTO") || code.startsWith("ERR_SSL"))
    return new OriginError(525, `the TLS handshake with the origin failed: ${message}`);
  if (tlsFailures.test(code)) return new OriginError(526, `the origin's certificate is not valid: ${message}`);
  return new OriginError(520, `the origin's answer is unusable: ${message}`);
}

/** Sends a request with a streamed or buffered body; resolves with the response. */
export function sendRequest(leg: OriginRequest, body: IncomingMessage | Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = openRequest(leg);
    call.once("response", resolve);
    call.once("error", (error) => {
      reject(toOriginError(error));
    });
    if (Buffer.isBuffer(body)) call.end(body);
    else body.pipe(call);
  });
}
