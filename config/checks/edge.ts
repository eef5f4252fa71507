/** Checks the edge's paths against each other. Pure. */
import { edgeHealthPath } from "../../common/edge-contract.ts";
import { line } from "../line.ts";
import { privatePathsOf, withoutSlash } from "../private-paths.ts";
import type { Settings } from "../schema.ts";

/** Paths that the edge itself serves in a way of its own. */
const own = ["/static", "/uploads", edgeHealthPath, "/.well-known/acme-challenge"];

const isAtOrBelow = (path: string, other: string): boolean => path === other || path.startsWith(`${other}/`);

/** @returns the problems, one line each */
export function checkEdgePaths({ hosting, app, edge, cloudflare }: Settings): string[] {
  const closed = privatePathsOf({ app, edge });
  const isClosed = closed.includes(edgeHealthPath) && !edge.private.includes(edgeHealthPath);
  return [
    ...(isClosed
      ? [line("app.readyPath", app.readyPath, `a path other than ${edgeHealthPath}, which the edge serves itself`)]
      : []),
    ...(["private", "websockets", "sticky"] as const).flatMap((key) =>
      edge[key].flatMap((path) => {
        const reserved = own.find((one) => isAtOrBelow(path, one));
        return [
          ...(reserved === undefined
            ? []
            : [line(`edge.${key}`, path, `a path outside of ${reserved}, which the edge serves itself`)]),
          ...(edge[key].filter((one) => one === path).length > 1 ? [line(`edge.${key}`, path, "each path once")] : []),
        ];
      }),
    ),
    // nginx takes the longest location: a path of these below a closed one would be open.
    ...(["websockets", "sticky"] as const).flatMap((key) =>
      edge[key].flatMap((path) => {
        const over = closed.find((one) => isAtOrBelow(path, one));
        return over === undefined ? [] : [line(`edge.${key}`, path, whatOpens(over, { app, edge }))];
      }),
    ),
    ...checkSticky({ app, edge }),
    ...checkHeaders(edge),
    ...(hosting !== "local" && cloudflare.enabled && edge.responseSeconds > cloudflareSeconds
      ? [
          line(
            "edge.responseSeconds",
            edge.responseSeconds,
            `${cloudflareSeconds} or less while orion:cloudflare.enabled is true: Cloudflare waits no longer, and visitors get its error 524`,
          ),
        ]
      : []),
  ];
}

/** How long Cloudflare waits for an answer, on each plan of `orion:cloudflare.plan`. */
const cloudflareSeconds = 120;

/** What a path must be that is closed, named by the setting which closes it. */
function whatOpens(closed: string, { app, edge }: Pick<Settings, "app" | "edge">): string {
  const may = "a path that visitors may reach";
  if (edge.private.includes(closed)) return `${may}; orion:edge.private has ${closed}`;
  return closed === withoutSlash(app.readyPath)
    ? `${may}; ${app.readyPath} is orion:app.readyPath, which they may not`
    : `${may}; ${closed} is for operators, unless orion:edge.public names it`;
}

/** HTTP compares the names of headers without case: a browser would get both, and follow neither. */
function checkHeaders({ headers }: Settings["edge"]): string[] {
  const names = Object.keys(headers);
  return names.flatMap((name) => {
    const twin = names.find((other) => other !== name && other.toLowerCase() === name.toLowerCase());
    const isFirst = twin === undefined || names.indexOf(name) < names.indexOf(twin);
    return isFirst ? [] : [line(`edge.headers.${name}`, headers[name], `this header once: it is ${twin} as well`)];
  });
}

/** A session is in the memory of one process: no other process of its container has it, and none on another server. */
function checkSticky({ app, edge: { sticky } }: Pick<Settings, "app" | "edge">): string[] {
  if (sticky.length === 0) return [];
  const servers = app.servers?.count ?? 1;
  return [
    ...(app.uvicornWorkers > 1
      ? [
          line(
            "edge.sticky",
            sticky,
            `[] while orion:app.uvicornWorkers is ${app.uvicornWorkers}: set that to 1, and orion:app.instances to as many as are needed`,
          ),
        ]
      : []),
    ...(servers > 1
      ? [
          line(
            "edge.sticky",
            sticky,
            `[] while orion:app.servers.count is ${servers}: visitors come to all of them in turn; let clients use WebSockets alone (Socket.IO: transports: ["websocket"])`,
          ),
        ]
      : []),
  ];
}
