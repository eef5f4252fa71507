/** Builds nginx.conf: the tuning of the platform's guide, limits per client, and the servers. Pure. */
import { browserHeaderMaps } from "./nginx-headers.ts";
import { keptConnections, streamsToInstances } from "./nginx-kept.ts";
import { appLocations } from "./nginx-locations.ts";
import { appServers, healthServer, otherHosts, otherServers, probeServer, redirectServer } from "./nginx-servers.ts";
import { tlsSettings } from "./nginx-tls.ts";

export { probePort } from "./nginx-servers.ts";

export interface NginxConfig {
  /** Port inside the container. */
  readonly port: number;
  readonly app: {
    /** Host name that resolves to all app instances in the container network. */
    readonly host: string;
    /** Their port. */
    readonly port: number;
    /** Host name of each instance there, for connections that stay open. @default - a connection for each request */
    readonly instances?: readonly string[];
    /** Host name that resolves to the instances of every version, for requests that outlive theirs. @default - these fail */
    readonly anyVersion?: string;
  };
  /** The path at which an app says that it works. */
  readonly healthPath: string;
  /** Largest request body, in MB. */
  readonly bodyLimitMb: number;
  /** How long the app may take for an answer, and between two parts of it, in seconds. */
  readonly responseSeconds: number;
  readonly limits: NginxLimits;
  /** Headers for browsers that the edge adds where the app does not set them itself, by name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Paths, and what is below them, at which a connection may become a WebSocket. */
  readonly websockets: readonly string[];
  /** Paths, and what is below them, at which a client's address reaches the same one of `app.instances` each time. @default - none */
  readonly sticky?: readonly string[];
  /** Paths, and what is below them, that visitors cannot reach. */
  readonly privatePaths: readonly string[];
  /** @default - plain HTTP */
  readonly tls?: NginxTls;
  /** The host name that is served; a request for one that neither this nor `others` has is refused. @default - any name is served */
  readonly hostname?: string;
  /** Other host names. @default - none */
  readonly others?: readonly OtherName[];
  /** Port inside the container for health checks that include the app (`edgeHealthPath`). @default - none */
  readonly healthPort?: number;
  /** Address ranges of proxies whose header with the client's address is trusted. */
  readonly trustedProxies: readonly string[];
  /** Addresses of load balancers in front, which send their client's address in the PROXY protocol. @default - none: visitors connect directly */
  readonly balancers?: readonly string[];
  /** Directory of uploads when they are local files. @default - the app serves them */
  readonly uploads?: string;
}

/** A host name beside the platform's own. */
export interface OtherName {
  readonly hostname: string;
  /** URL, without a slash at the end, that visitors are sent to, with the path that they asked for. @default - the app answers */
  readonly redirect?: string;
  /** Its own certificate and key: names in the configuration's folder. @default - the platform's certificate has the name as well */
  readonly certificate?: Pick<NginxTls, "certificate" | "key">;
}

/** Limits for each client's address. */
export interface NginxLimits {
  /** Requests that the app answers; twice as many may come at once. */
  readonly requestsPerSecond: number;
  /** Requests at a time, WebSockets not included. */
  readonly connections: number;
  /** WebSockets at a time. */
  readonly websockets: number;
}

export interface NginxTls {
  /** Port inside the container. */
  readonly port: number;
  /** Files in PEM: names in the configuration's folder, or paths. */
  readonly certificate: string;
  readonly key: string;
  /** File with the CA, in PEM, that must have signed the client's certificate. @default - clients need no certificate */
  readonly clientAuthority?: string;
  /** Folder of ACME's HTTP-01 challenges. @default - none */
  readonly challenges?: string;
}

/**
 * Static files, uploads and health checks cost the edge little, and a page has dozens of them. A client may ask for this many
 * in a second, and for twice as many at once.
 */
const cheapRequestsPerSecond = 300;
const cheapBurst = 2 * cheapRequestsPerSecond;

/**
 * The first buffer of an answer has to hold all of its headers: a redirect with a long URL, a login that sets several cookies.
 * Cloudflare takes as much. The memory of a buffer is used only as far as an answer fills it.
 */
const answerBuffers = `proxy_buffer_size 64k;
  proxy_buffers 16 8k;
  proxy_busy_buffers_size 64k;`;

/** The text of nginx.conf. */
export function nginxConfig(config: NginxConfig): string {
  const { limits } = config;
  return `# Debian has parts of nginx in packages of their own, which it lists here; the official image has them built in.
include /etc/nginx/modules-enabled/*.conf;
worker_processes auto;
# A proxied connection needs two, and one that is kept two more. The guide's 65535 is more than many a Docker Engine lets a container have.
worker_rlimit_nofile 16384;
# After a reload, old workers serve their open requests and WebSockets for at most this long. When a new version of the app is
# the reason for the reload, the old app closes them, and workers end sooner.
worker_shutdown_timeout 1h;
error_log /dev/stderr warn;
pid /tmp/nginx.pid;

events {
  worker_connections 8192;
  use epoll;
  multi_accept on;
}
${streamsToInstances(config)}
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  server_tokens off;

  log_format main '$remote_addr "$request" $status $body_bytes_sent $request_time '
                  'upstream=$upstream_addr:$upstream_status:$upstream_response_time "$http_user_agent"';
  access_log /dev/stdout main;

  # The only folder that nginx may write to.
  client_body_temp_path /tmp/nginx-body;
  proxy_temp_path /tmp/nginx-proxy;
  fastcgi_temp_path /tmp/nginx-fastcgi;
  uwsgi_temp_path /tmp/nginx-uwsgi;
  scgi_temp_path /tmp/nginx-scgi;

  client_body_buffer_size 10k;
  client_header_buffer_size 1k;
  client_max_body_size ${config.bodyLimitMb}m;
  # 16k instead of the guide's 1k, as Cloudflare: a URL or the cookies of a visitor may be that long.
  large_client_header_buffers 4 16k;
  # Between two parts of a body: a slow phone sends one more often. The limit of connections bounds what a client can hold open.
  client_body_timeout 12s;
  client_header_timeout 12s;
  keepalive_timeout 15s;
  send_timeout 10s;
  sendfile on;
  tcp_nopush on;

  gzip on;
  gzip_vary on;
  gzip_proxied any;
  gzip_comp_level 6;
  gzip_types text/plain text/css text/xml application/json application/javascript;

  # Docker's own name server: an instance that comes or goes is known within seconds, without a reload.
  resolver 127.0.0.11 valid=2s ipv6=off;

  limit_req_zone $binary_remote_addr zone=perclient:10m rate=${limits.requestsPerSecond}r/s;
  limit_req_zone $binary_remote_addr zone=cheap:10m rate=${cheapRequestsPerSecond}r/s;
  limit_req_status 429;
  limit_conn_zone $binary_remote_addr zone=connections:10m;
  limit_conn_zone $binary_remote_addr zone=websockets:10m;
  limit_conn_status 429;

  ${answerBuffers}
  proxy_cache_path /tmp/nginx-cache keys_zone=static:10m max_size=200m inactive=1d use_temp_path=off;
  proxy_headers_hash_max_size 1024;
  proxy_headers_hash_bucket_size 128;

  # No other protocol than WebSockets is spoken past the edge.
  map $http_upgrade $websocket {
    default "";
    "~*^websocket$" websocket;
  }
  map $websocket $websocket_connection {
    default upgrade;
    "" "";
  }
  # The app gets a path as it was sent: one that nginx and the app resolve differently could pass the private paths.
  map $request_uri $has_dot_segments {
    default 0;
    "~*^[^?]*(/|%2f)(\\.|%2e)(\\.|%2e)?(/|%2f|\\?|$)" 1;
  }
${browserHeaderMaps(config)}${stickyClients(config)}${keptConnections(config)}${config.tls ? tlsSettings : ""}${realAddress(config)}${probeServer}${healthServer(config)}${otherHosts(config)}${redirectServer(config)}${appServers(
    config,
    appLocations(config, { burst: 2 * limits.requestsPerSecond, cheapBurst }),
  )}${otherServers(config, cheapBurst)}}
`;
}

/** The instance of each client, by its address. */
function stickyClients({ sticky, app: { instances: hosts = [] } }: NginxConfig): string {
  if (!sticky) return "";
  const shares = hosts.map((host, index) => {
    const share = index < hosts.length - 1 ? `${Math.floor(10_000 / hosts.length) / 100}%` : "*";
    return `    ${share} ${host};\n`;
  });
  return `
  split_clients $remote_addr $sticky_host {
${shares.join("")}  }
`;
}

/** Takes the client's address from the proxies in front. A load balancer has no firewall: strangers are refused behind it. */
function realAddress({ trustedProxies, balancers }: NginxConfig): string {
  if (trustedProxies.length === 0 && balancers === undefined) return "";
  const from = balancers ?? trustedProxies;
  const strangers =
    balancers && trustedProxies.length > 0
      ? `
  geo $proxy_protocol_addr $stranger {
    default 1;
${trustedProxies.map((range) => `    ${range} 0;\n`).join("")}  }
`
      : "";
  return `
${from.map((range) => `  set_real_ip_from ${range};\n`).join("")}  real_ip_header ${trustedProxies.length === 0 ? "proxy_protocol" : "CF-Connecting-IP"};
${strangers}`;
}
