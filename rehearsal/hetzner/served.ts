/** Which methods are served at which paths, and the error for a call that is not. */
import { HetznerError, notEmulated } from "./errors.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export class Served {
  readonly #calls: { readonly pattern: RegExp; readonly method: Method }[] = [];

  /** @param route with `:id` for its parameters */
  add(method: Method, route: string): void {
    this.#calls.push({ method, pattern: new RegExp(`^${route.replace(/:\w+/g, "[^/]+")}$`) });
  }

  /** @param path below the API's */
  refusalOf(method: string, path: string): HetznerError {
    if (/^\/datacenters(\/|$)/.test(path)) {
      const details = { announcement: "https://docs.hetzner.cloud/changelog#2026-06-02-datacenters-deprecated" };
      return new HetznerError(410, "deprecated_api_endpoint", "data centers are no longer listed", details);
    }
    const methods = this.#calls.flatMap((one) => (one.pattern.test(path) ? [one.method] : []));
    if (methods.length === 0 || isReal(method, path)) return notEmulated(`${method} ${path}`);
    return new HetznerError(405, "method_not_allowed", `${path} allows ${methods.join(", ")}`);
  }
}

/** Whether the real API can have the call: it has more commands, and its images can be changed. */
const isReal = (method: string, path: string): boolean =>
  (method === "POST" && /\/actions\/[^/]+$/.test(path)) || /^(PUT|DELETE) \/images\/[^/]+$/.test(`${method} ${path}`);
