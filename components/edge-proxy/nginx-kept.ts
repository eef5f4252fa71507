/**
 * Connections to the app that stay open, in nginx.conf. Pure.
 *
 * A connection for each request costs more than the rest of the edge: a handshake, and a process of the app that accepts it. nginx
 * keeps connections to a list of addresses only, which it looks up once; but an instance has another address when Docker has started
 * it again. So the list has a socket of nginx's own for each instance, from which nginx connects to the instance by its name, looked
 * up then. (From nginx 1.27.3 on, the addresses of a list can follow a name. Requests fail while they change, and the version that
 * Debian has cannot do it.)
 *
 * An app may close a connection at the moment at which a request is sent on it, and then it is unknown whether the request has
 * taken effect. So only requests that may be sent twice go this way, and when it fails, they are sent on a connection of their own.
 *
 * After a deploy, a process of nginx with the old configuration may still wait for the end of a slow upload, and knows the names of
 * instances that are gone by then. A request of which no byte was sent goes to any version.
 */
import { createHash } from "node:crypto";
import { appKeepsIdleSeconds } from "../../common/app-contract.ts";
import type { NginxConfig } from "./nginx-config.ts";

/** Idle connections that each process of nginx keeps, and how long. */
const keptIdle = { connections: 16, seconds: appKeepsIdleSeconds - 15 } as const;

export const keepsConnections = ({ app }: NginxConfig): boolean => (app.instances ?? []).length > 0;

/**
 * The socket of each instance. In /dev/shm, which is empty after each start of the container: nginx does not start when a file
 * is left over from the last time. Another configuration has other sockets, or processes with the old one would take a connection of a
 * new one, and stay for it.
 */
function socketsOf(config: NginxConfig): readonly { readonly socket: string; readonly instance: string }[] {
  const digest = createHash("sha256")
    .update(JSON.stringify(Object.entries(config).sort()))
    .digest("hex")
    .slice(0, 8);
  return (config.app.instances ?? []).map((instance, index) => ({
    socket: `unix:/dev/shm/app-${digest}-${index + 1}`,
    instance,
  }));
}

/** The way from each socket to its instance, beside the block `http`. */
export const streamsToInstances = (config: NginxConfig): string =>
  keepsConnections(config)
    ? `
stream {
  resolver 127.0.0.11 valid=2s ipv6=off;
  proxy_connect_timeout 3s;
  # The block http closes a connection before, whether it is idle or waits for an answer.
  proxy_timeout ${config.responseSeconds + keptIdle.seconds}s;
${socketsOf(config)
  .map((one) => streamServer(one, config))
  .join("")}}
`
    : "";

const streamServer = (
  { socket, instance }: { readonly socket: string; readonly instance: string },
  { app }: NginxConfig,
): string => `
  server {
    listen ${socket};
    # In a variable, so that the name is looked up for each connection.
    set $instance ${instance};
    proxy_pass $instance:${app.port};
  }
`;

/** The list of sockets, and which requests go there. */
export const keptConnections = (config: NginxConfig): string =>
  keepsConnections(config)
    ? `
  upstream kept_app {
${socketsOf(config)
  .map(({ socket }) => `    server ${socket};\n`)
  .join("")}    keepalive ${keptIdle.connections};
    keepalive_timeout ${keptIdle.seconds}s;
  }
  map $request_method $kept_app {
    default http://${config.app.host}:${config.app.port};
    GET http://kept_app;
    HEAD http://kept_app;
  }
  map $request_method $when_kept_fails {
    default $when_own_fails;
    GET @directly;
    HEAD @directly;
  }
  # Bytes sent, at each try; nothing at all, if the name is unknown.
  map $upstream_bytes_sent $when_own_fails {
    default @unanswered;
    ${late(config, "@unanswered")}
  }
  map $upstream_bytes_sent $when_own_is_late {
    default @overdue;
    ${late(config, "@overdue")}
  }
`
    : "";

/** Where a request goes of which no byte was sent. */
const late = ({ app }: NginxConfig, otherwise: string): string =>
  ["", "~^[0, :-]+$"].map((sent) => `"${sent}" ${app.anyVersion === undefined ? otherwise : "@late"};`).join("\n    ");

/** A location whose requests go to the app by connections that stay open, if they may be sent twice. */
export const keptLocation = (path: string, limit: string, { app }: NginxConfig): string => `    location ${path} {
      ${limit}
      proxy_pass $kept_app;
      error_page 502 = $when_kept_fails;
      error_page 504 = $when_own_is_late;
      recursive_error_pages on;
    }
    location @directly {
      # Two tries have failed on kept connections.
      proxy_next_upstream_tries 1;
      proxy_pass $app;${app.anyVersion === undefined ? "" : "\n      error_page 502 504 = @late;"}
      recursive_error_pages on;
    }
    location @unanswered {
      return 502;
    }
    location @overdue {
      return 504;
    }
${
  app.anyVersion === undefined
    ? ""
    : `    location @late {
      set $any_version http://${app.anyVersion}:${app.port};
      proxy_pass $any_version;
    }
`
}`;
