/** Cloudflare's edge: terminates TLS for proxied host names, applies rules and cache, and proxies requests to origins. */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";
import { CertificateAuthority } from "../authority.ts";
import type { Request } from "../expression.ts";
import { clientCertificateOf } from "../origin-pulls.ts";
import { settingOf } from "../settings.ts";
import type { Zone } from "../state.ts";
import type { World } from "../world.ts";
import { Cache, isEligible, cacheKeyOf, cacheSeconds } from "./cache.ts";
import { objectsDomain } from "../objects/r2-hosts.ts";
import { EdgeCertificates } from "./certificates.ts";
import { toOriginError, type OriginRequest, openRequest, OriginError, sendRequest } from "./forward.ts";
import { Monitors } from "./monitors.ts";
import { hasNoOrigin, type Origin, originsOf } from "./origins.ts";
import { Rules, type EdgeResponse } from "./rules.ts";

export interface EdgeOptions {
  readonly world: World;
  /** Loopback address that it listens on, and from which it connects to origins. @example 127.77.255.1 */
  readonly address: string;
  /** @default 443 and 80 */
  readonly ports?: { readonly https: number; readonly http: number };
  /** R2's S3 interface; undefined: none. */
  readonly objects?: { serve(request: IncomingMessage, response: ServerResponse): Promise<void> };
  /** Further certificate authorities trusted for origins, in PEM. @default - none */
  readonly authorities?: () => string;
}

/** Milliseconds within which an origin must accept a connection; Cloudflare waits 19 s. */
const connectTimeout = 5_000;

export class Edge {
  readonly #world: World;
  readonly #options: EdgeOptions;
  readonly #certificates: EdgeCertificates;
  readonly #rules: Rules;
  readonly #monitors: Monitors;
  readonly #cache = new Cache();
  readonly #servers: Server[];
  /** Connections upgraded to WebSockets. */
  readonly #upgraded = new Set<Duplex>();
  #turn = 0;

  constructor(options: EdgeOptions) {
    this.#options = options;
    this.#world = options.world;
    this.#certificates = new EdgeCertificates(options.world);
    this.#rules = new Rules(options.world);
    this.#monitors = new Monitors(options.world, options.address);
    const secure = createTlsServer({
      ALPNProtocols: ["http/1.1"],
      SNICallback: (name, settle) => {
        const context = this.#certificates.context(name.toLowerCase());
        if (context === undefined) settle(new Error(`${name} does not belong to a zone`));
        else
          context.then(
            (found) => {
              settle(null, found);
            },
            (error: unknown) => {
              settle(error instanceof Error ? error : new Error(String(error)));
            },
          );
      },
    });
    this.#servers = [secure, createServer()];
    for (const [index, server] of this.#servers.entries()) {
      const isSecure = index === 0;
      server.on(
        "request",
        (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response, isSecure),
      );
      server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
        this.#upgraded.add(socket);
        socket.once("close", () => this.#upgraded.delete(socket));
        void this.#upgrade(request, socket, head, isSecure);
      });
    }
  }

  /** CA certificate, in PEM, that clients must trust. */
  authority(): Promise<string> {
    return this.#certificates.authority();
  }

  /** @throws {Error} when a port is in use */
  async start(): Promise<void> {
    const { https, http } = this.#options.ports ?? { https: 443, http: 80 };
    const [secure, plain] = this.#servers;
    if (secure !== undefined) await listen(secure, https, this.#options.address);
    if (plain !== undefined) await listen(plain, http, this.#options.address);
    this.#monitors.start();
  }

  async stop(): Promise<void> {
    this.#monitors.stop();
    // A server does not track upgraded connections, but its close waits for them.
    for (const socket of this.#upgraded) socket.destroy();
    await Promise.all(
      this.#servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => {
              resolve();
            });
            server.closeAllConnections();
          }),
      ),
    );
  }

  async #serve(request: IncomingMessage, response: ServerResponse, isSecure: boolean): Promise<void> {
    const ray = `${randomBytes(8).toString("hex")}-FRA`;
    const answer = (verdict: EdgeResponse): void => {
      request.resume();
      response.writeHead(verdict.status, {
        "content-type": verdict.contentType,
        "cf-ray": ray,
        server: "cloudflare",
        ...verdict.headers,
      });
      response.end(verdict.body);
    };
    const visit = visitOf(request, isSecure);
    try {
      if (visit.host.endsWith(`.${objectsDomain}`) && this.#options.objects !== undefined) {
        // Nothing says what R2 answers there; its clients use TLS.
        if (isSecure) await this.#options.objects.serve(request, response);
        else answer(plain(501, `${visit.host} without TLS is not emulated: use https://`));
        return;
      }
      const zone = this.#world.zoneOf(visit.host);
      if (zone === undefined) {
        answer(plain(409, `error code: 1001: ${visit.host} does not belong to a zone of this cloud`));
        return;
      }
      const verdict = this.#redirect(zone, visit) ?? this.#rules.judge(zone, visit);
      if (verdict === undefined) await this.#proxy(zone, visit, request, response, ray);
      else answer(verdict);
    } catch (error) {
      const { status, message } = toOriginError(error);
      if (response.headersSent) response.destroy();
      else answer(plain(status, `error code: ${status}: ${message}`));
    }
  }

  #redirect(zone: Zone, { ssl, host, path, query }: Request): EdgeResponse | undefined {
    if (ssl || settingOf(this.#world, zone, "always_use_https") !== "on") return undefined;
    return { ...plain(301, ""), headers: { location: `https://${host}${path}${query === "" ? "" : `?${query}`}` } };
  }

  async #proxy(
    zone: Zone,
    visit: Request,
    request: IncomingMessage,
    response: ServerResponse,
    ray: string,
  ): Promise<void> {
    const settings = this.#rules.cacheSettings(zone, visit);
    const eligible = isEligible(visit, settings);
    const key = cacheKeyOf(visit, settings);
    const kept = eligible ? this.#cache.get(key, this.#world.date().getTime()) : undefined;
    const marks = { "cf-ray": ray, server: "cloudflare" };
    if (kept !== undefined) {
      request.resume();
      const age = Math.floor((this.#world.date().getTime() - kept.stored) / 1000);
      response.writeHead(kept.status, { ...kept.headers, ...marks, age: String(age), "cf-cache-status": "HIT" });
      response.end(visit.method === "HEAD" ? undefined : kept.body);
      return;
    }
    const answer = await this.#fetchFromOrigins(zone, visit, request, ray);
    const status = answer.statusCode ?? 502;
    const headers = endToEnd(answer.headers);
    const seconds = eligible && visit.method === "GET" ? cacheSeconds(status, headers, settings) : 0;
    response.writeHead(status, {
      ...headers,
      ...marks,
      "cf-cache-status": eligible ? (seconds > 0 ? "MISS" : "BYPASS") : "DYNAMIC",
    });
    const chunks: Buffer[] = [];
    if (seconds > 0) answer.on("data", (chunk: Buffer) => chunks.push(chunk));
    answer.once("end", () => {
      const stored = this.#world.date().getTime();
      if (seconds > 0)
        this.#cache.put(key, {
          status,
          headers,
          body: Buffer.concat(chunks),
          stored,
          expires: stored + seconds * 1000,
        });
    });
    answer.once("error", () => response.destroy());
    answer.pipe(response);
  }

  /** Tries the origins in order; a request with a body is sent to the first one only, since its body cannot be repeated. */
  async #fetchFromOrigins(zone: Zone, visit: Request, request: IncomingMessage, ray: string): Promise<IncomingMessage> {
    const origins = this.#origins(zone, visit.host);
    const hasBody =
      request.headers["content-length"] !== undefined || request.headers["transfer-encoding"] !== undefined;
    const candidates = hasBody ? origins.slice(0, 1) : origins;
    let failure = new OriginError(530, "no origin");
    for (const origin of candidates) {
      try {
        return await sendRequest(
          await this.#originRequest(zone, visit, request, origin, ray),
          hasBody ? request : Buffer.alloc(0),
        );
      } catch (error) {
        failure = toOriginError(error);
      }
    }
    throw failure;
  }

  #origins(zone: Zone, hostname: string): readonly Origin[] {
    this.#turn += 1;
    const found = originsOf(this.#world, zone, hostname, this.#monitors, this.#turn);
    if (hasNoOrigin(found)) throw new OriginError(found.status, found.reason);
    return found;
  }

  async #originRequest(
    zone: Zone,
    visit: Request,
    request: IncomingMessage,
    origin: Origin,
    ray: string,
  ): Promise<OriginRequest> {
    const mode = settingOf(this.#world, zone, "ssl");
    const scheme = visit.ssl && mode !== "off" && mode !== "flexible" ? "https" : "http";
    const forwarded = request.headers["x-forwarded-for"];
    return {
      origin,
      method: visit.method,
      url: request.url ?? "/",
      hostname: visit.host,
      scheme,
      trusted: mode === "strict" ? await this.#trustedAuthorities() : undefined,
      time: this.#world.date(),
      client: await clientCertificateOf(this.#world, zone, visit.host),
      localAddress: this.#options.address,
      connectTimeout,
      headers: {
        ...endToEnd(request.headers),
        "cf-connecting-ip": visit.ip,
        "x-forwarded-for": forwarded === undefined ? visit.ip : `${String(forwarded)}, ${visit.ip}`,
        "x-forwarded-proto": visit.ssl ? "https" : "http",
        "cf-visitor": JSON.stringify({ scheme: visit.ssl ? "https" : "http" }),
        "cf-ray": ray,
        "cf-ipcountry": visit.country,
        "cdn-loop": "cloudflare; loops=1",
        // A response that may be cached must suit every visitor, so it must not be compressed.
        ...(isEligible(visit, this.#rules.cacheSettings(zone, visit)) && { "accept-encoding": "identity" }),
      },
    };
  }

  async #trustedAuthorities(): Promise<readonly string[]> {
    const names = ["origin-rsa", "origin-ecc", "public"] as const;
    const own = names.map(async (name) => (await CertificateAuthority.open(this.#world.store, name)).certificate);
    const further = this.#options.authorities?.() ?? "";
    return [...(await Promise.all(own)), ...(further === "" ? [] : [further])];
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, isSecure: boolean): Promise<void> {
    socket.on("error", () => socket.destroy());
    const visit = visitOf(request, isSecure);
    const refuse = (status: number, reason: string): void => {
      socket.end(
        `HTTP/1.1 ${status} Refused\r\ncontent-length: ${Buffer.byteLength(reason)}\r\nconnection: close\r\n\r\n${reason}`,
      );
    };
    try {
      const zone = this.#world.zoneOf(visit.host);
      if (zone === undefined) throw new OriginError(409, `${visit.host} does not belong to a zone of this cloud`);
      const verdict = this.#rules.judge(zone, visit);
      if (verdict !== undefined) {
        refuse(verdict.status, verdict.body);
        return;
      }
      const [origin] = this.#origins(zone, visit.host);
      if (origin === undefined) throw new OriginError(530, "no origin");
      const leg = await this.#originRequest(zone, visit, request, origin, `${randomBytes(8).toString("hex")}-FRA`);
      connectWebSocket(
        openRequest({ ...leg, headers: { ...leg.headers, connection: "Upgrade", upgrade: request.headers.upgrade } }),
        socket,
        head,
        refuse,
      );
    } catch (error) {
      const { status, message } = toOriginError(error);
      refuse(status, message);
    }
  }
}

const plain = (status: number, body: string): EdgeResponse => ({
  status,
  contentType: "text/plain; charset=UTF-8",
  body: `${body}\n`,
  headers: {},
});

const listen = (server: Server, port: number, address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      resolve();
    });
  });

/** Headers that apply to a single connection and are not forwarded. */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function endToEnd(headers: IncomingMessage["headers"]): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || hopByHop.has(name) ? [] : [[name, value]],
    ),
  );
}

function visitOf(request: IncomingMessage, ssl: boolean): Request {
  const [path = "/", ...query] = (request.url ?? "/").split("?");
  return {
    method: request.method ?? "GET",
    host: (request.headers.host ?? "").toLowerCase().replace(/:\d+$/, ""),
    path,
    query: query.join("?"),
    headers: Object.fromEntries(
      Object.entries(request.headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
    ),
    ip: (request.socket.remoteAddress ?? "").replace(/^::ffff:/, ""),
    country: "XX",
    ssl,
  };
}

/** Connects a visitor's socket with the origin's once the origin has accepted the upgrade. */
function connectWebSocket(
  call: ReturnType<typeof openRequest>,
  socket: Duplex,
  head: Buffer,
  refuse: (status: number, reason: string) => void,
): void {
  call.once("upgrade", (answer, upstream, first) => {
    const lines = answer.rawHeaders.reduce((all, text, index) => all + text + (index % 2 === 0 ? ": " : "\r\n"), "");
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
    if (first.length > 0) socket.write(first);
    if (head.length > 0) upstream.write(head);
    // What the origin has sent goes to the visitor before the connection ends, also after a reset.
    const endOfOrigin = () => socket.end(() => socket.destroy());
    upstream.on("error", endOfOrigin);
    socket.on("close", () => upstream.destroy());
    upstream.on("close", endOfOrigin);
    upstream.pipe(socket).pipe(upstream);
  });
  call.once("response", (answer) => {
    refuse(answer.statusCode ?? 502, "the origin did not accept the upgrade");
    answer.resume();
  });
  call.once("error", (error) => {
    const { status, message } = toOriginError(error);
    refuse(status, message);
  });
  call.end();
}
