/**
 * Keeps other sites in a browser away from the cloud's own API: it is on loopback, where every page that a browser shows can
 * send requests to. Pure.
 */
import type { IncomingHttpHeaders } from "node:http";

/** Names of this machine; the port is free, for a tunnel from another machine. */
const ownHost = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i;

/**
 * Why a request is refused; undefined: it is not.
 *
 * Another name in `Host` is another site whose name points at this machine (DNS rebinding). Browsers send `Origin` and
 * `Sec-Fetch-Site`, other programs send neither.
 */
export function foreignSite(method: string, headers: IncomingHttpHeaders): string | undefined {
  const { host = "", origin } = headers;
  if (!ownHost.test(host)) return `asked as '${host}', expected 127.0.0.1 or localhost`;
  if (origin !== undefined && origin !== `http://${host}`) return `asked by a page of ${origin}`;
  const site = headers["sec-fetch-site"];
  const isFollowedLink = method === "GET" && headers["sec-fetch-mode"] === "navigate";
  if (isFollowedLink || site === undefined || site === "same-origin" || site === "none") return undefined;
  return "asked by a page of another site";
}
