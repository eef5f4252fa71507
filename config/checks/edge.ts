/** Checks the edge's paths against each other. Pure. */
import { edgeHealthPath } from "../../common/edge-contract.ts";
import { line } from "../line.ts";
import { privatePathsOf } from "../private-paths.ts";
import type { Settings } from "../schema.ts";

/** Paths that the edge itself serves in a way of its own. */
const own = ["/static", "/uploads", edgeHealthPath, "/.well-known/acme-challenge"];

const isAtOrBelow = (path: string, other: string): boolean => path === other || path.startsWith(`${other}/`);

/** @returns the problems, one line each */
export function checkEdgePaths({ app, edge }: Settings): string[] {
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
    ...edge.websockets
      .filter((path) => closed.some((one) => isAtOrBelow(path, one)))
      .map((path) =>
        line("edge.websockets", path, "a path that visitors may reach (orion:edge.private, orion:edge.public)"),
      ),
    ...checkSticky({ app, edge }),
  ];
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
