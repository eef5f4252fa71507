/** Builds the configuration of a gateway: what it listens on, and which servers it passes connections on to. Pure. */
import { type GatewayPort, gatewayPorts } from "../../topology/services/gateway.ts";
import {
  type Candidate,
  followLines,
  type GatewayPasswords,
  type GatewaySentinel,
  mastersSection,
  sentinelSection,
} from "./sentinel-lines.ts";

/** A server behind the gateway. */
export interface GatewayServer {
  /** Its service's name. */
  readonly name: string;
  /** Host and port; the host is an address, or the name of a container of the same server. */
  readonly address: string;
  /** The name in its certificate, for a server to which the gateway speaks TLS. @default - the gateway passes on what the client sends */
  readonly certificateName?: string;
  /** Where its health service is. @default - at its own address */
  readonly checkAddress?: string;
}

/**
 * How the gateway finds out whether a server may be used. `connection`: it accepts one. `redis`: Redis answers a ping; the answer is a
 * refusal, since the gateway does not log in, but a process that hangs sends none.
 */
export type ServerCheck = "connection" | "redis" | HttpCheck;

/** A request that the server's health service answers with 200 while the server may be used. */
export interface HttpCheck {
  readonly port: number;
  readonly path: string;
}

/** A port of the gateway. */
export interface GatewayListener {
  readonly port: GatewayPort;
  readonly check: ServerCheck;
  readonly servers: readonly GatewayServer[];
  /** The Sentinels that say which of the servers is the master; they know the group by the port's name. @default - every server may be used */
  readonly sentinels?: readonly GatewaySentinel[];
  /** A server that is used while none of the others is up; whether it accepts connections is all that is checked. @default - none */
  readonly fallback?: GatewayServer;
}

/** The authority's certificate, beside the configuration. */
export const authorityName = "ca.crt";

/** On the container's loopback: its own health, for Docker. */
export const healthPort = 8404;
/** On the container's loopback: the worker process' state, for `make doctor`. */
export const statisticsPort = 9999;
/** On the container's loopback: commands for the master process. */
export const masterPort = 9998;

/**
 * How long a connection may be idle: a subscription, or a worker that waits for a task, is quiet for hours. Keepalive packets notice
 * within half a minute that the other side is gone. For connections that a process of an older configuration keeps they are the
 * only check.
 */
const idle = "7d";

/** How long a process of a replaced configuration serves its connections. A connection pool keeps them as long as its process lives. */
const longestAfterReload = "7d";

/** Clients at once; a connection needs two descriptors and, while data flows, 32 KB. */
const mostConnections = 8192;

const head = `global
  log stdout format raw local0 notice
  default-path config
  maxconn ${mostConnections}
  nbthread 2
  stats socket ipv4@127.0.0.1:${statisticsPort} level operator
  hard-stop-after ${longestAfterReload}
  # A process of an older configuration ends after so many reloads at the latest: each takes memory.
  mworker-max-reloads 8
  ssl-default-server-options ssl-min-ver TLSv1.2

defaults
  mode tcp
  log global
  maxconn ${mostConnections}
  balance leastconn
  option redispatch
  retries 3
  timeout connect 5s
  timeout check 2s
  timeout client ${idle}
  timeout server ${idle}
  option clitcpka
  clitcpka-idle 15s
  clitcpka-intvl 5s
  clitcpka-cnt 3
  option srvtcpka
  srvtcpka-idle 15s
  srvtcpka-intvl 5s
  srvtcpka-cnt 3
  # A server that fails three checks in a row is down: no new connection, and the present ones end at once.
  default-server check inter 2s fastinter 500ms downinter 1s fall 3 rise 2 on-marked-down shutdown-sessions

# Docker's own name service, which knows the containers of this server.
resolvers docker
  nameserver docker 127.0.0.11:53
  hold valid 1s
  hold nx 3s
  hold obsolete 3s

frontend health
  mode http
  bind 127.0.0.1:${healthPort}
  timeout http-request 10s
  monitor-uri /health
`;

function checkLines(check: ServerCheck): readonly string[] {
  if (check === "redis")
    return ["option tcp-check", "tcp-check send PING\\r\\n", "tcp-check expect rstring ^(-NOAUTH|[+]PONG)"];
  // The check `connection` sends nothing: PostgreSQL does not log such a connection.
  return check === "connection" ? [] : [`option httpchk GET ${check.path}`, `default-server port ${check.port}`];
}

/**
 * The text of haproxy.cfg.
 *
 * @param passwords for the questions to Sentinels and their servers; needed where a listener follows them
 * @throws {Error} when they are missing there
 */
export function haproxyConfig(listeners: readonly GatewayListener[], passwords?: GatewayPasswords): string {
  const followers = listeners.flatMap(({ port, sentinels, servers }) =>
    sentinels ? [{ port, sentinels, servers }] : [],
  );
  const [first] = followers;
  if (!first)
    return [head, ...listeners.map((listener) => listenerText(listener, checkLines(listener.check)))].join("\n");
  if (!passwords) throw new Error("A gateway that follows Sentinels needs passwords to log in at them.");
  const groups = followers.map(({ port, servers }) => ({ name: port, candidates: servers.map(candidate) }));
  return [
    head,
    ...first.sentinels.map((one) =>
      sentinelSection(
        one,
        groups.map(({ name }) => name),
        passwords.sentinel,
        tlsWords,
      ),
    ),
    mastersSection(groups, first.sentinels),
    ...listeners.map((listener) => listenerText(listener, linesOf(listener, passwords))),
  ].join("\n");
}

const linesOf = ({ port, check, sentinels }: GatewayListener, { monitor }: GatewayPasswords): readonly string[] =>
  sentinels ? followLines(port, monitor[port] ?? "") : checkLines(check);

/** A server as a possible master. */
function candidate({ name, address }: GatewayServer): Candidate {
  const [host = "", port = ""] = address.split(":");
  return { name, address: { host, port: Number(port) } };
}

const section = (title: string, lines: readonly string[]): string =>
  [title, ...lines.map((line) => `  ${line}`), ""].join("\n");

function listenerText({ port, servers, fallback }: GatewayListener, lines: readonly string[]): string {
  const bind = `bind :${gatewayPorts[port]}`;
  const usual = [...lines, ...servers.map(serverLine)];
  if (!fallback) return section(`listen ${port}`, [bind, ...usual]);
  return [
    section(`frontend ${port}`, [
      bind,
      `use_backend ${port} if { nbsrv(${port}) gt 0 }`,
      `default_backend ${port}-fallback`,
    ]),
    section(`backend ${port}`, usual),
    section(`backend ${port}-fallback`, [serverLine(fallback)]),
  ].join("\n");
}

/**
 * TCP_USER_TIMEOUT: a connection ends when data was sent and not acknowledged for so many seconds. The kernel would send it again for 15
 * minutes, and no keepalive packets meanwhile. HAProxy 3.0 reads this setting from a server's own line only.
 */
const unacknowledgedSeconds = 15;

const serverLine = ({ name, address, certificateName, checkAddress }: GatewayServer): string =>
  [
    `server ${name} ${address} tcp-ut ${unacknowledgedSeconds}s`,
    ...(/^[\d.]+:/.test(address) ? [] : ["resolvers docker init-addr none"]),
    ...(checkAddress === undefined ? [] : [`addr ${checkAddress}`]),
    ...(certificateName === undefined ? [] : [tlsWords(certificateName)]),
  ].join(" ");

const tlsWords = (certificateName: string): string =>
  `ssl verify required ca-file ${authorityName} verifyhost ${certificateName}`;
