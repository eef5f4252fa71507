/** Known differences of emulated calls, declared beside their routes; `make fidelity` lists them. */
import type { FastifyContextConfig, FastifyInstance } from "fastify";

declare module "fastify" {
  interface FastifyContextConfig {
    /** How the call differs from the real API's. */
    differs?: string;
    /** It is known by its path, and answers that it is not emulated. */
    isRefused?: boolean;
  }
}

export class Differences {
  readonly #declared = new Map<string, string>();
  readonly #registered = new Set<string>();

  /** A declaration for a call that is never registered ends the start. */
  constructor(app: FastifyInstance) {
    app.addHook("onReady", (done) => {
      const unknown = [...this.#declared.keys()].find((call) => !this.#registered.has(call));
      done(unknown === undefined ? undefined : new Error(`no route is registered for the difference of ${unknown}`));
    });
  }

  /** @param calls each a method and a path, as it is registered afterwards */
  declare(calls: readonly string[], what: string): void {
    for (const call of calls) this.#declared.set(call, what);
  }

  /** The configuration of a route that is registered. */
  of(method: string, path: string): FastifyContextConfig {
    const call = `${method} ${path}`;
    this.#registered.add(call);
    const differs = this.#declared.get(call);
    return differs === undefined ? {} : { differs };
  }
}
