/**
 * Judges what any external service has in common, PostgreSQL and Redis: whether it was reached, at which address, and how fast it
 * answers. Pure.
 */
import { publicAuthorities } from "../common/server-contract.ts";
import type { ExternalUrl } from "../config/external-url.ts";
import { danger, type Finding, refused } from "./findings.ts";

/** What is known of a service that was asked over the network. */
export interface Reached {
  readonly url: ExternalUrl;
  /** Where the client ran: `server`: beside the app; `machine`: on this machine, before the stack has servers. */
  readonly from: "server" | "machine";
  /** Milliseconds of the first connection, and of those after it. */
  readonly firstMs: number;
  readonly nextMs: readonly number[];
  /** Milliseconds of each round trip in one connection; empty when it could not be measured. */
  readonly roundMs: readonly number[];
  /** Whether the connection is encrypted. */
  readonly encrypted: boolean;
  /** Whether the server would encrypt a connection that asks for it. */
  readonly offersTls: boolean;
}

/** A service that could not be asked. */
export interface NotReached {
  readonly url: ExternalUrl | undefined;
  readonly from: "server" | "machine";
  /** Why, in the client's own words. */
  readonly problem: string;
  /** Whether no client has asked it: there is no Docker Engine, or no image with a client. */
  readonly unasked: boolean;
}

/** A page sends some twenty queries one after the other: at 5 ms each they take a tenth of a second. */
const slowRoundMs = 5;
/** A server that was paused starts within seconds; one that runs takes the same time for each connection. */
const pause = { leastMs: 500, times: 5 };

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

export const isFacts = <Facts extends object>(facts: Facts | NotReached): facts is Facts => !("problem" in facts);

/** The parameters with which libpq verifies a server whose certificate a public authority has signed. */
export const systemAuthorities = `sslmode=verify-full&sslrootcert=${publicAuthorities}`;

/** What is said of a service that could not be asked. @param what the first part of the findings' names */
export function ofNotReached(what: string, key: string, { url, from, problem, unasked }: NotReached): Finding[] {
  const name = `${what}.connection`;
  if (!url) {
    const form =
      what === "database" ? "postgresql://user:password@host:port/name" : "rediss://user:password@host:port/0";
    return [
      refused(name, `orion:${key} is no URL of such a service`, `set it: pulumi config set --secret ${key} ${form}`),
    ];
  }
  const own = ofAddress(what, key, url);
  if (own.length > 0) return own;
  const happens = `${url.host}:${url.port} cannot be used: ${problem}`;
  if (unasked) return [danger(name, `${url.host}:${url.port} was not asked: ${problem}`)];
  const firewall = "let its firewall admit the public addresses of the stack's servers";
  const advice = advices.find(([pattern]) => pattern.test(problem))?.[1];
  if (advice !== undefined) return [refused(name, happens, advice(key))];
  // Before the stack has servers, a firewall that admits nobody else is as it should be.
  if (from === "machine")
    return [danger(name, `${happens} (from this machine; the stack has no server yet)`, firewall)];
  return [refused(name, happens, `${firewall}, and check host and port of orion:${key}`)];
}

/** What to do, by what the client said. */
const advices: readonly (readonly [RegExp, (key: string) => string])[] = [
  [
    /password authentication failed|no password supplied|WRONGPASS|NOAUTH|invalid password/i,
    (key) => `check user and password of orion:${key}; characters such as @ : / # are written %40 %3A %2F %23 in a URL`,
  ],
  [/NOPERM/, (key) => `give the user of orion:${key} the commands of the category connection, such as PING and SELECT`],
  [/database ".*" does not exist/, (key) => `create the database at the provider, or name another one in orion:${key}`],
  [
    /invalid URI query parameter/,
    (key) =>
      `leave the parameter out of orion:${key}: libpq, which takes the backups, does not know it; orion:app.environment is the place for what one driver needs`,
  ],
  [
    /root certificate file .* does not exist/,
    (key) =>
      `the file of sslrootcert in orion:${key} must be in the app's image; ${publicAuthorities} has the public authorities`,
  ],
  [
    /certificate verify failed|does not match host name|unable to get (local )?issuer|self.signed/i,
    (key) =>
      `use the host name that its certificate has, and name its authority's certificate in orion:${key} (sslrootcert, for Redis ssl_ca_certs), as a file of the app's image`,
  ],
  [/does not support SSL/, () => `switch TLS on at the provider`],
  [
    /no pg_hba\.conf entry .*no encryption|SSL.*required|require.*(SSL|TLS)/i,
    (key) => `add ${systemAuthorities} to orion:${key}`,
  ],
  [/DB index is out of range/, (key) => `use a service with more than one database, or number 0 in orion:${key}`],
  [
    /could not translate host name|Name or service not known|Temporary failure in name resolution/,
    (key) => `check the host name in orion:${key}`,
  ],
  [
    /too many (clients|connections)|remaining connection slots/,
    () => `end connections of other clients, or choose a larger plan`,
  ],
];

/** In a container, the loopback address is the container itself. */
export const ofAddress = (what: string, key: string, { host }: ExternalUrl): Finding[] =>
  /^(localhost|127\..*|\[::1\])$/.test(host)
    ? [
        refused(
          `${what}.connection`,
          `orion:${key} names ${host}, which is the container itself for every client`,
          "name an address that containers reach",
        ),
      ]
    : [];

/** Latency, and a server that its provider had paused. */
export function ofTimes(what: string, program: string, { from, firstMs, nextMs, roundMs }: Reached): Finding[] {
  const round = median(roundMs);
  const where = from === "server" ? "the app's server" : "this machine, which is not where the app will run";
  const usual = Math.max(...nextMs, 1);
  return [
    ...(round > slowRoundMs
      ? [
          danger(
            `${what}.latency`,
            `a round trip from ${where} takes ${shown(round)} (median of ${roundMs.length}; more than ${slowRoundMs} ms is felt): every query of a page waits as long`,
            `choose ${program} in a region near the servers, such as Frankfurt for nbg1 and fsn1`,
          ),
        ]
      : []),
    ...(firstMs >= pause.leastMs && firstMs >= usual * pause.times
      ? [
          danger(
            `${what}.pause`,
            `the first connection took ${shown(firstMs)}, those after it ${shown(median(nextMs))}: it was paused, and the first visitors after each pause wait or get an error`,
            "switch scale-to-zero off at the provider",
          ),
        ]
      : []),
  ];
}

/** Milliseconds for people: `1.8 s`, `8.0 ms`, `21 ms`. */
export const shown = (ms: number): string =>
  ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
