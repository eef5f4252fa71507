/** The servers of nginx.conf: the app's, those for health checks, and the ones that refuse or redirect. Pure. */
import { drainingFile, edgeHealthPath } from "../../common/edge-contract.ts";
import type { NginxConfig } from "./nginx-config.ts";
import { browserHeaders, requestHeaders } from "./nginx-headers.ts";
import { tlsCertificates } from "./nginx-tls.ts";

/** Port of the container's own health check, without TLS and PROXY protocol. */
export const probePort = 8082;

const proxied = ({ balancers }: NginxConfig): string => (balancers ? " proxy_protocol" : "");
const listenTls = (port: number, config: NginxConfig): string => `listen ${port} ssl http2${proxied(config)}`;

/** Inside the container only. */
export const probeServer = `
  server {
    listen 127.0.0.1:${probePort};
    location = ${edgeHealthPath} {
      access_log off;
      return 200 "ok\\n";
    }
    location / {
      return 404;
    }
  }
`;

/** An edge is healthy when an app answers; the app's own dependencies are shared by all edges, so they are not checked. */
export const healthServer = ({ healthPort, healthPath, app, hostname }: NginxConfig): string =>
  healthPort === undefined
    ? ""
    : `
  server {
    listen ${healthPort};
    access_log off;
    set $app http://${app.host}:${app.port};
    location = ${edgeHealthPath} {
      if (-f ${drainingFile}) {
        return 503;
      }
      proxy_connect_timeout 2s;
      proxy_read_timeout 2s;${hostname === undefined ? "" : `\n      proxy_set_header Host ${hostname};`}
      proxy_pass $app${healthPath};
    }
    location / {
      return 404;
    }
  }
`;

/**
 * Refuses requests for any other name than the edge's own, also those without a name: 421, and no TLS handshake for another
 * name. Such requests come from scanners, and from other customers of Cloudflare.
 */
export function otherHosts(config: NginxConfig): string {
  const { hostname, port, tls } = config;
  if (hostname === undefined) return "";
  const server = (listen: string, more: string): string => `
  server {
    ${listen} default_server;
    server_name _;${more}
    return 421;
  }
`;
  return (
    server(`listen ${port}${proxied(config)}`, "") +
    (tls ? server(listenTls(tls.port, config), "\n    ssl_reject_handshake on;") : "")
  );
}

/** Port 80 redirects to HTTPS, and answers ACME challenges. */
export function redirectServer(config: NginxConfig): string {
  const { hostname, port, tls, others = [] } = config;
  if (!tls) return "";
  const listen = `listen ${port}${hostname === undefined ? " default_server" : ""}${proxied(config)}`;
  return `
  server {
    ${listen};
    server_name ${[hostname ?? "_", ...others.map((one) => one.hostname)].join(" ")};${tls.challenges === undefined ? "" : challengesLocation(tls.challenges)}
    location / {
      return 301 https://$host$request_uri;
    }
  }
`;
}

const challengesLocation = (folder: string): string => `
    location /.well-known/acme-challenge/ {
      root ${folder};
      default_type text/plain;
    }`;

/** The port at which visitors get answers. */
const listenAnswers = (config: NginxConfig): string =>
  config.tls ? listenTls(config.tls.port, config) : `listen ${config.port}${proxied(config)}`;

/**
 * The servers of the names that the app answers: one for each certificate.
 *
 * @param locations of the app, by {@link appLocations}
 */
export function appServers(config: NginxConfig, locations: string): string {
  const { hostname, tls, others = [] } = config;
  const served = others.filter(({ redirect }) => redirect === undefined);
  const shared = served.filter(({ certificate }) => certificate === undefined).map((one) => one.hostname);
  const own = served.flatMap(({ hostname: name, certificate }) => (certificate ? [{ name, certificate }] : []));
  return [
    appServer(config, [hostname ?? "_", ...shared], locations),
    ...own.map(({ name, certificate }) =>
      appServer({ ...config, ...(tls && { tls: { ...tls, ...certificate } }) }, [name], locations),
    ),
  ].join("");
}

/** The servers of the names whose visitors are sent to another one. 308: a POST stays a POST. */
export const otherServers = (config: NginxConfig, burst: number): string =>
  (config.others ?? [])
    .flatMap(({ hostname, redirect, certificate }) =>
      redirect === undefined ? [] : [{ hostname, redirect, certificate }],
    )
    .map(
      ({ hostname, redirect, certificate }) => `
  server {
    ${listenAnswers(config)};
    server_name ${hostname};${config.tls ? tlsCertificates({ ...config.tls, ...certificate }) : ""}
${refusals(config)}
    ${browserHeaders(config).join("\n    ")}
    location / {
      limit_req zone=cheap burst=${burst} nodelay;
      try_files /none @canonical;
    }
    location @canonical {
      return 308 ${redirect}$request_uri;
    }
  }
`,
    )
    .join("");

function appServer(config: NginxConfig, names: readonly string[], locations: string): string {
  const { tls, app, sticky, limits, responseSeconds } = config;
  return `
  server {
    ${listenAnswers(config)};
    server_name ${names.join(" ")};${tls ? tlsCertificates(tls) : ""}
${refusals(config)}
    ${browserHeaders(config).join("\n    ")}
    # Browsers' own filter has been removed from them; where it is left, it does harm.
    proxy_hide_header X-XSS-Protection;

    limit_conn connections ${limits.connections};

    # nginx resolves a name in a variable again and again, but a name in the directive itself only at the start.
    set $app http://${app.host}:${app.port};${sticky === undefined ? "" : `\n    set $sticky_app http://$sticky_host:${app.port};`}

    proxy_http_version 1.1;
    ${requestHeaders(config, "http").join("\n    ")}
    proxy_connect_timeout 3s;
    proxy_read_timeout ${responseSeconds}s;
    # Another instance is tried only when the request never reached the first: otherwise it may have taken effect.
    proxy_next_upstream error timeout;
    proxy_next_upstream_tries 3;
    # As long as the tries to connect take: an app that took the request and is slow is not asked again.
    proxy_next_upstream_timeout 10s;

${locations}  }
`;
}

/** Requests that are refused whatever their path is. */
function refusals(config: NginxConfig): string {
  const refuse = (when: string, status: number): string => `
    if (${when}) {
      return ${status};
    }`;
  const isGuarded = config.balancers !== undefined && config.trustedProxies.length > 0;
  return [
    // TLS may have named the server, and HTTP/1.0 no host.
    ...(config.hostname === undefined ? [] : [refuse('$http_host = ""', 421)]),
    ...(isGuarded ? [refuse("$stranger", 403)] : []),
    `${refuse("$has_dot_segments", 400)}\n`,
  ].join("");
}
