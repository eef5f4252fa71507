/**
 * The parts of a gateway's configuration that follow Redis Sentinel. Pure.
 *
 * The gateway asks each Sentinel every second which master it names, and keeps the answers in variables of its process. It uses a server
 * as the master when the server says `role:master` and a majority of the Sentinels names it: a former master that comes back still
 * has this role, but the Sentinels name another one. Both are part of the server's health check: a server that fails either is
 * down, and its connections end at once. New connections are accepted only while exactly one server is up.
 */
import { written } from "../cache/redis-group.ts";
import type { Address } from "../published-address.ts";

/** A Sentinel, as the gateway reaches it. */
export interface GatewaySentinel {
  /** Its service's name, which is in its certificate. */
  readonly name: string;
  readonly address: Address;
}

/** The passwords with which the gateway logs in. */
export interface GatewayPasswords {
  /** Of the Sentinels' user `gateway`. */
  readonly sentinel: string;
  /** Of the user `monitor` of the servers, by the group's name. */
  readonly monitor: Readonly<Record<string, string>>;
}

/** A server that may become the master of its group. */
export interface Candidate {
  readonly name: string;
  readonly address: Address;
}

/** On the container's loopback: says whether most of the Sentinels name a server. */
const mastersPort = 8405;

/**
 * Milliseconds between two checks of a Sentinel that answers, and the most that a connection to it may take. On a busy machine a shorter
 * time would lose votes; for the same reason a Sentinel loses its vote only after two failures.
 */
const everyMs = 1000;

/**
 * How long connections wait after a start. Until the first checks are done every server counts as up, and until the Sentinels' first answers
 * no server is named.
 */
const startDelay = "1s";

const variable = (sentinel: string, group: string): string => `proc.${sentinel.replaceAll("-", "_")}_${group}`;

/** `$10\r\n10.20.1.11\r\n$4\r\n6381\r\n` without its first line, as Redis' protocol writes an address; with HAProxy's escapes. */
const answered = ({ host, port }: Address): string => `\\n${host}\\r\\n\\$${String(port).length}\\r\\n${port}\\r\\n`;

/** Asks a Sentinel for the master of each group. */
export const sentinelSection = (
  { name, address }: GatewaySentinel,
  groups: readonly string[],
  password: string,
  tls: (certificateName: string) => string,
): string =>
  section(`backend ${name}`, [
    "option tcp-check",
    "tcp-check connect default",
    `tcp-check send "AUTH gateway ${password}\\r\\n"`,
    "tcp-check expect string +OK",
    ...groups.flatMap((group) => [
      `tcp-check send "SENTINEL get-master-addr-by-name ${group}\\r\\n"`,
      "tcp-check expect rstring ^[*]2\\r\\n[$][0-9]+\\r\\n[0-9.]+\\r\\n[$][0-9]+\\r\\n[0-9]+\\r\\n",
      `tcp-check set-var(${variable(name, group)}) res.payload(0,0)`,
    ]),
    `server ${name} ${at(address)} ${tls(name)} inter ${everyMs}ms fastinter 300ms downinter 500ms fall 2 rise 1`,
  ]);

/** Answers 200 to `GET /<server>` while most of the Sentinels name the server. */
export const mastersSection = (
  groups: readonly { readonly name: string; readonly candidates: readonly Candidate[] }[],
  sentinels: readonly GatewaySentinel[],
): string =>
  section("frontend masters", [
    "mode http",
    "no log",
    `bind 127.0.0.1:${mastersPort}`,
    "timeout http-request 10s",
    `tcp-request inspect-delay ${startDelay}`,
    ...groups
      .slice(0, 1)
      .flatMap(({ name }) => [
        ...sentinels.map((one) => `acl knows-${one.name} var(${variable(one.name, name)}) -m found`),
        `tcp-request content accept if ${pairs(sentinels.map((one) => `knows-${one.name}`))}`,
      ]),
    "tcp-request content accept if WAIT_END",
    ...groups.flatMap(({ name, candidates }) =>
      candidates.flatMap((one) => [
        ...sentinels.map((sentinel) => {
          const answer = `var(${variable(sentinel.name, name)}) -m sub "${answered(one.address)}"`;
          return `acl ${sentinel.name}:${one.name} ${answer}`;
        }),
        `http-request return status 200 if ${pairs(
          sentinels.map((sentinel) => `${sentinel.name}:${one.name} { srv_is_up(${sentinel.name}/${sentinel.name}) }`),
          `{ path /${one.name} } `,
        )}`,
      ]),
    ),
    "http-request return status 503",
  ]);

/** Two of three are the majority: any pair of the conditions, each with what else has to be true. */
const pairs = (conditions: readonly string[], also = ""): string =>
  conditions.flatMap((one, index) => conditions.slice(index + 1).map((other) => `${also}${one} ${other}`)).join(" || ");

/** The lines of a group's port, but for its servers. */
export const followLines = (port: string, monitorPassword: string): readonly string[] => [
  `tcp-request inspect-delay ${startDelay}`,
  `tcp-request content accept if { nbsrv(${port}) eq 1 }`,
  `tcp-request content reject if { nbsrv(${port}) eq 0 }`,
  "tcp-request content reject if WAIT_END",
  // A client whose master is lost is refused at once. If it had to wait until another one is up, it would take the new master for the former one.
  "retries 0",
  "option tcp-check",
  "tcp-check connect default",
  `tcp-check send "AUTH monitor ${monitorPassword}\\r\\n"`,
  "tcp-check expect string +OK",
  // HAProxy waits for an answer that does not come; QUIT closes the connection and so ends the wait.
  'tcp-check send "INFO replication\\r\\nQUIT\\r\\n"',
  "tcp-check expect string role:master",
  `tcp-check connect addr 127.0.0.1 port ${mastersPort}`,
  'tcp-check send-lf "GET /%[srv_name] HTTP/1.0\\r\\n\\r\\n"',
  'tcp-check expect string " 200 "',
  // Two failed checks take a former master down before three successful ones bring a new one up.
  "default-server inter 1s fastinter 300ms downinter 300ms fall 2 rise 3",
];

const at = (address: Address): string => written(address).replace(" ", ":");

const section = (head: string, lines: readonly string[]): string =>
  [head, ...lines.map((line) => `  ${line}`), ""].join("\n");
