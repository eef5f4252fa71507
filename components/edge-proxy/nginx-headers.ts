/** Headers that nginx passes to the app, and those that it adds for browsers. Pure. */
import type { NginxConfig } from "./nginx-config.ts";

/**
 * Headers with which proxies tell about a client. The edge is the only one that the app may believe, so a visitor's own are
 * removed. nginx cannot remove `X-Forwarded-*` as a whole; these are the names that frameworks and proxies read.
 */
const removed = [
  ...["Forwarded", "True-Client-IP", "CF-Connecting-IPv6", "CF-Pseudo-IPv4", "X-Client-IP", "X-Cluster-Client-IP"],
  ...["X-Forwarded", "X-Forwarded-By", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Path"],
  ...["X-Forwarded-Protocol", "X-Forwarded-Scheme", "X-Forwarded-Server", "X-Forwarded-Ssl", "X-Forwarded-Uri"],
  ...["X-Forwarded-Method", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups", "X-Forwarded-Access-Token"],
  ...["X-Forwarded-Preferred-Username", "X-Forwarded-Client-Cert", "X-Forwarded-Tls-Client-Cert"],
  ...["X-Original-Forwarded-For", "X-Original-Host", "X-Original-URL", "X-Rewrite-URL", "X-Host", "X-Real-Port"],
  ...["Front-End-Https", "X-Url-Scheme", "Remote-User", "X-Remote-User", "Proxy", "HTTP2-Settings"],
];

/** Headers that Cloudflare adds; without Cloudflare they come from strangers. */
const ofCloudflare = ["CF-Connecting-IP", "CF-IPCountry", "CF-Ray", "CF-Visitor"];

/**
 * The directives for the headers that the app receives. They must be complete in each place: nginx inherits them only where
 * there are no others.
 *
 * @param to whether the app may answer with a WebSocket
 */
export function requestHeaders({ hostname, trustedProxies }: NginxConfig, to: "http" | "websocket"): readonly string[] {
  const set: Readonly<Record<string, string>> = {
    // `$host` is the name that chose this server, also where the request line has another one than the header.
    Host: hostname === undefined ? "$http_host" : "$host",
    // The address that `real_ip_header` has found, from a peer that may say so.
    "X-Real-IP": "$remote_addr",
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Proto": "$scheme",
    "X-Forwarded-Host": hostname === undefined ? "$http_host" : "$host",
    ...(trustedProxies.length > 0 && { "CF-Connecting-IP": "$remote_addr" }),
    Upgrade: to === "websocket" ? "$websocket" : '""',
    Connection: to === "websocket" ? "$websocket_connection" : '""',
  };
  const gone = [...removed, ...(trustedProxies.length > 0 ? [] : ofCloudflare)];
  return [
    ...Object.entries(set).map(([name, value]) => `proxy_set_header ${name} ${value};`),
    ...gone.map((name) => `proxy_set_header ${name} "";`),
  ];
}

type Headers = Pick<NginxConfig, "headers" | "tls">;

/** The headers that are added; browsers take Strict-Transport-Security over TLS only. */
const addedHeaders = ({ headers, tls }: Headers): [name: string, value: string][] =>
  Object.entries(headers).filter(
    ([name, value]) => value !== "" && (tls !== undefined || name.toLowerCase() !== "strict-transport-security"),
  );

const variableOf = (name: string): string => `$edge_${name.toLowerCase().replaceAll("-", "_")}`;
const sentByApp = (name: string): string => `$upstream_http_${name.toLowerCase().replaceAll("-", "_")}`;

const policies = ["Content-Security-Policy", "Content-Security-Policy-Report-Only"] as const;
const isPolicy = (name: string): boolean => policies.some((policy) => policy.toLowerCase() === name.toLowerCase());

/** What the edge adds for each header: nothing where the app sends its own; nginx leaves out a header with an empty value. */
export const browserHeaderMaps = (config: Headers): string =>
  addedHeaders(config)
    .map(([name, value]) => {
      // An app with a policy of its own, enforced or not, is not measured by the edge's.
      const sent = isPolicy(name) ? `"${policies.map(sentByApp).join("")}"` : sentByApp(name);
      return `  map ${sent} ${variableOf(name)} {
    default "";
    "" "${value}";
  }
`;
    })
    .join("");

/** The directives that add them. nginx inherits these only where a location adds no header of its own. */
export const browserHeaders = (config: Headers): readonly string[] =>
  addedHeaders(config).map(([name]) => `add_header ${name} ${variableOf(name)} always;`);
