/** Replaces host, user and password of an external service's URL, so that the image check can use its form. Pure. */
import { type ExternalUrl, readExternalUrl } from "../config/external-url.ts";

/** Parameters whose values say how a client connects; of all others the check gives only the name. */
const kept: ReadonlySet<string> = new Set([
  ...["sslmode", "sslrootcert", "sslnegotiation", "ssl_min_protocol_version", "channel_binding", "gssencmode"],
  ...["connect_timeout", "target_session_attrs", "application_name", "ssl", "pgbouncer"],
  ...["ssl_cert_reqs", "ssl_ca_certs", "ssl_check_hostname"],
]);

/** Where a client looks for the server in place of the URL's host. */
const addresses: ReadonlySet<string> = new Set(["host", "hostaddr"]);

const here = "127.0.0.1";

/**
 * The URL with another host, user and password, at whose port nothing answers in a container without a network.
 *
 * @returns undefined for what is no URL
 */
export function harmlessUrl(text: string): string | undefined {
  const url = readExternalUrl(text);
  const [, driver = ""] = /^\w+(\+\w+)?:/.exec(text.trim()) ?? [];
  if (url === undefined) return undefined;
  const parameters = Object.entries(url.parameters).map(([name, value]) => {
    const harmless = kept.has(name) || /^\d{1,5}$|^(true|false)$/.test(value) ? value : "check";
    return `${encodeURIComponent(name)}=${encodeURIComponent(addresses.has(name) ? here : harmless).replaceAll("%2F", "/")}`;
  });
  const query = parameters.length === 0 ? "" : `?${parameters.join("&")}`;
  return `${url.scheme}${driver}://check:check@${here}:${url.port}/${encodeURIComponent(url.database)}${query}`;
}

/** The variables whose values are URLs of a database, with any driver in their schemes. @param database a URL of it */
export function urlsOf(database: string, environment: Readonly<Record<string, string>>): string[] {
  // Which schemes there are is SQLAlchemy's to say.
  const read = (text: string) => readExternalUrl(text.replace(/^(?!rediss?\b)[a-z]+(?=\+|:)/, "postgresql"));
  const wanted = read(database);
  const isOf = (one: ExternalUrl | undefined) =>
    one?.scheme === "postgresql" && one.host === wanted?.host && one.database === wanted.database;
  return Object.keys(environment).filter((name) => isOf(read(environment[name] ?? "")));
}
