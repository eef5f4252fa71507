/** The app's paths that visitors get 404 for. Pure. */
import { internalPaths, type Settings } from "./schema.ts";

/** Without a slash at its end: an app has the same page at both. */
export const withoutSlash = (path: string): string => (path.length > 1 ? path.replace(/\/$/, "") : path);

/** Those for operators that `orion:edge.public` does not name, and those of `orion:edge.private`. */
export function privatePathsOf({ app, edge }: Pick<Settings, "app" | "edge">): string[] {
  const internal = internalPaths
    .filter((path) => !edge.public.includes(path))
    // An app may be asked for its readiness elsewhere: where it is asked whether it works, or at its first page.
    .map((path) => (path === "/ready" ? app.readyPath : path))
    // What is below a path is private as well.
    .map(withoutSlash)
    .filter((path) => path !== withoutSlash(app.healthPath) && path !== "/");
  return [...new Set([...internal, ...edge.private])];
}
