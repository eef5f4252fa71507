/** Builds nginx.conf: the tuning of the platform's guide, TLS, and proxying to the app. Pure. */
import { drainingFile, edgeHealthPath } from "../../common/edge-contract.ts";

export interface NginxConfig {
  /** Port inside the container. */
  readonly port: number;
  /** Host name that resolves to all app instances in the container network, and their port. */
  readonly app: { readonly host: string; readonly port: number };
  /** Largest request body, in MB. */
  readonly bodyLimitMb: number;
  /** @default - plain HTTP */
  readonly tls?: NginxTls;
  /** The only host name that is served. @default - any */
  readonly hostname?: string;
  /** Address ranges of proxies whose header with the client's address is trusted. */
  readonly trustedProxies: readonly string[];
  /** Load balancers in front, which send their client's address in the PROXY protocol. @default - none: visitors connect directly */
  readonly balancers?: NginxBalancers;
  /** Directory of uploads when they are local files. @default - the app serves them */
  readonly uploads?: string;
}

export interface NginxTls {
  /** Port inside the container. */
  readonly port: number;
  /** Files in PEM: names in the configuration's folder, or paths. */
  readonly certificate: string;
  readonly key: string;
  /** Folder of ACME's HTTP-01 challenges. @default - none */
  readonly challenges?: string;
}

export interface NginxBalancers {
  readonly addresses: readonly string[];
  /** Port inside the container for their health checks (`edgeHealthPath`). */
  readonly healthPort: number;
}

/** Port of the container's own health check, without TLS and PROXY protocol. */
export const probePort = 8082;

/** The text of nginx.conf. */
export function nginxConfig(config: NginxConfig): string {
  const { port, app, bodyLimitMb, uploads, tls, trustedProxies, balancers } = config;
  const isGuarded = balancers !== undefined && trustedProxies.length > 0;
  return `worker_processes auto;
# A proxied connection needs two. The guide's 65535 is more than many a Docker Engine lets a container have.
worker_rlimit_nofile 16384;
# After a reload, old workers serve their open requests and WebSockets for at most this long. When a new version of the app is
# the reason for the reload, the old app closes them, and workers end sooner.
worker_shutdown_timeout 1h;
error_log /dev/stderr warn;
pid /tmp/nginx.pid;

events {
  worker_connections 4096;
  use epoll;
  multi_accept on;
}

http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  server_tokens off;

  log_format main '$remote_addr "$request" $status $body_bytes_sent $request_time '
                  'upstream=$upstream_addr:$upstream_status:$upstream_response_time "$http_user_agent"';
  access_log /dev/stdout main;

  client_body_buffer_size 10k;
  client_header_buffer_size 1k;
  client_max_body_size ${bodyLimitMb}m;
  # 8k instead of the guide's 1k: a session cookie and a JWT together do not fit into that.
  large_client_header_buffers 4 8k;
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

  limit_req_zone $binary_remote_addr zone=perclient:10m rate=100r/s;
  limit_req_status 429;

  proxy_cache_path /tmp/nginx-cache keys_zone=static:10m max_size=200m inactive=1d use_temp_path=off;

  map $http_upgrade $connection_upgrade {
    default upgrade;
    ""      "";
  }

  server {
    listen 127.0.0.1:${probePort};
    ${healthLocation}
    location / {
      return 404;
    }
  }
${realAddress(trustedProxies, balancers)}${isGuarded ? strangers(trustedProxies) : ""}${balancers ? healthServer(balancers, app) : ""}${tls ? redirectServer(port, tls, balancers) : ""}
  server {
    ${tls ? tlsListen(tls, balancers) : `listen ${port}${proxied(balancers)};`}
    server_name ${config.hostname ?? "_"};${isGuarded ? refuseStrangers : ""}

    ${securityHeaders.join("\n    ")}

    # nginx resolves a name in a variable again and again, but a name in the directive itself only at the start.
    set $app http://${app.host}:${app.port};

    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Real-IP $remote_addr;
    # Replaces the client's own header: $remote_addr is the address that real_ip_header has found.
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_upgrade;
    proxy_connect_timeout 3s;
    # Another instance is tried only when the request never reached the first: otherwise it may have taken effect.
    proxy_next_upstream error timeout;
    proxy_next_upstream_tries 3;

    ${healthLocation}

    # The files are in the app's image; after the first request for each, the edge serves them from its cache.
    location /static/ {
      proxy_pass $app;
      proxy_cache static;
      proxy_cache_valid 200 10m;
      proxy_cache_use_stale error timeout updating;
      expires 30d;
      add_header Cache-Control "public, immutable";
      ${securityHeaders.join("\n      ")}
    }
${uploads === undefined ? "" : uploadsLocation(uploads)}
    location /ws {
      proxy_pass $app;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
    }

    location / {
      limit_req zone=perclient burst=200 nodelay;
      proxy_pass $app;
    }
  }
}
`;
}

/** Answers when nginx itself is healthy, whatever the app's state is. */
const healthLocation = `location = ${edgeHealthPath} {
      access_log off;
      return 200 "ok\\n";
    }`;

/** nginx inherits these only where a location adds no header of its own. */
const securityHeaders = [
  'add_header X-Frame-Options "SAMEORIGIN" always;',
  'add_header X-Content-Type-Options "nosniff" always;',
  'add_header X-XSS-Protection "1; mode=block" always;',
];

/** Takes the client's address from the proxies in front. */
function realAddress(proxies: readonly string[], balancers: NginxBalancers | undefined): string {
  if (proxies.length === 0 && balancers === undefined) return "";
  const from = balancers?.addresses ?? proxies;
  return `
${from.map((range) => `  set_real_ip_from ${range};\n`).join("")}  real_ip_header ${proxies.length === 0 ? "proxy_protocol" : "CF-Connecting-IP"};
`;
}

/** A load balancer has no firewall in front: clients that do not come through the trusted proxies are refused here. */
const strangers = (proxies: readonly string[]): string => `
  geo $proxy_protocol_addr $stranger {
    default 1;
${proxies.map((range) => `    ${range} 0;\n`).join("")}  }
`;

const refuseStrangers = `

    if ($stranger) {
      return 403;
    }`;

/** An edge is healthy when an app answers; the app's own dependencies are shared by all edges, so they are not checked. */
const healthServer = ({ healthPort }: NginxBalancers, app: NginxConfig["app"]): string => `
  server {
    listen ${healthPort};
    access_log off;
    set $app http://${app.host}:${app.port};
    location = ${edgeHealthPath} {
      if (-f ${drainingFile}) {
        return 503;
      }
      proxy_connect_timeout 2s;
      proxy_read_timeout 2s;
      proxy_pass $app/health;
    }
    location / {
      return 404;
    }
  }
`;

const proxied = (balancers: NginxBalancers | undefined): string => (balancers ? " proxy_protocol" : "");

/** Port 80 redirects to HTTPS, and answers health checks and ACME challenges. */
const redirectServer = (port: number, { challenges }: NginxTls, balancers: NginxBalancers | undefined): string => `
  server {
    listen ${port} default_server${proxied(balancers)};
    server_name _;
    ${healthLocation}${challenges === undefined ? "" : challengesLocation(challenges)}
    location / {
      return 301 https://$host$request_uri;
    }
  }
`;

const challengesLocation = (folder: string): string => `
    location /.well-known/acme-challenge/ {
      root ${folder};
      default_type text/plain;
    }`;

const tlsListen = (
  { port, certificate, key }: NginxTls,
  balancers: NginxBalancers | undefined,
): string => `listen ${port} ssl http2${proxied(balancers)};
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;
    ssl_session_timeout 1d;
    ssl_session_tickets off;`;

/**
 * Serves existing files from the disk; other requests of that path, and every POST, go to the app. The policy keeps an
 * uploaded page from running scripts in the platform's origin.
 */
function uploadsLocation(directory: string): string {
  return `
    location /uploads/ {
      root ${directory.replace(/\/uploads$/, "")};
      error_page 418 = @app;
      if ($request_method !~ ^(GET|HEAD)$) {
        return 418;
      }
      try_files $uri @app;
      expires 7d;
      add_header Content-Security-Policy "sandbox; default-src 'none'" always;
      ${securityHeaders.join("\n      ")}
    }

    location @app {
      proxy_pass $app;
    }
`;
}
