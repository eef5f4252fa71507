/** Reads the URLs of external services: what a client needs of them, without their passwords. Pure. */

export interface ExternalUrl {
  readonly scheme: string;
  readonly host: string;
  /** @default - the scheme's own */
  readonly port: number;
  readonly user: string;
  /** A secret. */
  readonly password: string;
  /** The name of PostgreSQL's database, or the number of Redis'. */
  readonly database: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** By scheme. */
export const defaultPorts: Readonly<Record<string, number>> = {
  postgresql: 5432,
  postgres: 5432,
  redis: 6379,
  rediss: 6379,
};

/** The parts of a URL; undefined for a text that is no URL. A driver in the scheme (`postgresql+asyncpg`) is left out. */
export function readExternalUrl(text: string): ExternalUrl | undefined {
  const [, named = "", rest = ""] = /^([a-z]+)(?:\+[a-z0-9_]+)?:\/\/(.*)$/s.exec(text.trim()) ?? [];
  const port = defaultPorts[named];
  // Node.js gives no host to a URL with a scheme that it does not know, unless it has two slashes.
  if (port === undefined || !URL.canParse(`http://${rest}`)) return undefined;
  const url = new URL(`http://${rest}`);
  return {
    ...{ scheme: named === "postgres" ? "postgresql" : named, host: url.hostname },
    port: explicitPort(rest) ?? port,
    ...{ user: decoded(url.username), password: decoded(url.password), database: decoded(url.pathname.slice(1)) },
    parameters: Object.fromEntries(url.searchParams),
  };
}

/** The URL as containers get it: a provider's `postgres://` is `postgresql://`, the only one that SQLAlchemy knows. */
export const normalDatabaseUrl = (text: string): string => text.trim().replace(/^postgres(?=:|\+)/, "postgresql");

/** The port as it is written: a URL of HTTP leaves 80 out. */
function explicitPort(rest: string): number | undefined {
  const [, port] = /^(?:[^/?#]*@)?(?:\[[^\]]*\]|[^/?#:@]*):(\d+)(?:[/?#]|$)/.exec(rest) ?? [];
  return port === undefined ? undefined : Number(port);
}

/** Without percent encoding; a text with a percent sign that encodes nothing stays as it is. */
export const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** The texts of a URL that no output may show. */
export const secretsOf = (text: string): string[] => {
  const url = readExternalUrl(text);
  const [, written] = /:\/\/[^/?#@]*?:([^@/]*)@/.exec(text) ?? [];
  return [text, ...(url ? [url.password, encodeURIComponent(url.password)] : []), ...(written ? [written] : [])].filter(
    (one) => one !== "",
  );
};

/** `postgresql://` URL for a client on the command line, whose password comes in another way. */
export function withoutPassword({ host, port, user, database, parameters }: ExternalUrl): string {
  const query = new URLSearchParams(parameters).toString();
  const login = user === "" ? "" : `${encodeURIComponent(user)}@`;
  return `postgresql://${login}${host}:${port}/${encodeURIComponent(database)}${query === "" ? "" : `?${query.replaceAll("+", "%20")}`}`;
}
