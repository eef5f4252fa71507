/** The `location` blocks of the app's server in nginx.conf. Pure. */
import { edgeHealthPath } from "../../common/edge-contract.ts";
import type { NginxConfig } from "./nginx-config.ts";
import { browserHeaders, requestHeaders } from "./nginx-headers.ts";
import { keepsConnections, keptLocation } from "./nginx-kept.ts";

/** How many requests of a client may come at once, above its rate. */
export interface Bursts {
  readonly burst: number;
  readonly cheapBurst: number;
}

/** A WebSocket may be silent this long. */
const websocketIdle = "1h";

/** The locations; the first level of indentation is the caller's. */
export function appLocations(config: NginxConfig, { burst, cheapBurst }: Bursts): string {
  const { websockets, sticky = [], privatePaths, uploads, limits } = config;
  const dynamic = `limit_req zone=perclient burst=${burst} nodelay;`;
  const cheap = `limit_req zone=cheap burst=${cheapBurst} nodelay;`;
  return [
    healthLocations(cheap),
    ...privatePaths.map(privateLocation),
    staticLocation(config, cheap),
    ...(uploads === undefined ? [] : [uploadsLocation(config, uploads, { cheap, dynamic })]),
    ...[...new Set([...websockets, ...sticky])].map((path) => {
      const to = isAtOrBelow(path, sticky) ? "$sticky_app" : "$app";
      return isAtOrBelow(path, websockets)
        ? websocketLocation(config, path, `${dynamic}\n      limit_conn websockets ${limits.websockets};`, to)
        : plainLocation(path, dynamic, to);
    }),
    keepsConnections(config) ? keptLocation("/", dynamic, config) : plainLocation("/", dynamic, "$app"),
  ].join("\n");
}

/**
 * Answers when nginx itself is healthy, whatever the app's state is. `return` alone would come before the limit; the file does
 * not exist, so that the answer comes after it.
 */
const healthLocations = (limit: string): string => `    location = ${edgeHealthPath} {
      access_log off;
      ${limit}
      try_files /none @healthy;
    }
    location @healthy {
      access_log off;
      default_type text/plain;
      return 200 "ok\\n";
    }
`;

const privateLocation = (path: string): string => `    location = ${path} {
      return 404;
    }
    location ${path}/ {
      return 404;
    }
`;

/** The files are in the app's image; after the first request for each, the edge serves them from its cache. */
const staticLocation = (config: NginxConfig, limit: string): string => `    location /static/ {
      ${limit}
      proxy_pass $app;
      proxy_cache static;
      proxy_cache_valid 200 10m;
      proxy_cache_use_stale error timeout updating;
      expires 30d;
      add_header Cache-Control "public, immutable";
      ${browserHeaders(config).join("\n      ")}
    }
`;

const isAtOrBelow = (path: string, others: readonly string[]): boolean =>
  others.some((other) => path === other || path.startsWith(`${other}/`));

const plainLocation = (path: string, limit: string, to: string): string => `    location ${path} {
      ${limit}
      proxy_pass ${to};
    }
`;

const websocketLocation = (
  config: NginxConfig,
  path: string,
  limit: string,
  to: string,
): string => `    location ${path} {
      ${limit}
      proxy_pass ${to};
      ${requestHeaders(config, "websocket").join("\n      ")}
      proxy_read_timeout ${websocketIdle};
      proxy_send_timeout ${websocketIdle};
      # When the app ends the connection, what a client still sends is read: a reset would take the app's last words from it.
      lingering_close always;
    }
`;

/**
 * Serves existing files from the disk; other requests of that path, and every POST, go to the app. The policy keeps an
 * uploaded page from running scripts in the platform's origin.
 */
const uploadsLocation = (
  config: NginxConfig,
  directory: string,
  { cheap, dynamic }: { readonly cheap: string; readonly dynamic: string },
): string => `    location /uploads/ {
      ${cheap}
      root ${directory.replace(/\/uploads$/, "")};
      error_page 418 = @app;
      if ($request_method !~ ^(GET|HEAD)$) {
        return 418;
      }
      try_files $uri @app;
      expires 7d;
      add_header Content-Security-Policy "sandbox; default-src 'none'" always;
      ${browserHeaders({ ...config, headers: withoutPolicies(config.headers) }).join("\n      ")}
    }

    location @app {
      ${dynamic}
      proxy_pass $app;
    }
`;

/** Uploads have a policy of their own. */
const withoutPolicies = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !/^content-security-policy/i.test(name)));
