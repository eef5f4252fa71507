/** Where every server reaches a service. Pure. */
import type { BaseService } from "../topology/service.ts";

type Publisher = Pick<BaseService, "name" | "published">;

/** Host and port on the private network. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A service's first published port. @throws {Error} when it publishes none */
export function addressOf({ name, published: [at] }: Publisher): Address {
  if (!at) throw new Error(`The service ${name} publishes no port; its plan in topology/services/ must publish one.`);
  return { host: at.address, port: at.port };
}

/** The same as `host:port`. @throws {Error} when it publishes none */
export function publishedAddress(service: Publisher): string {
  const { host, port } = addressOf(service);
  return `${host}:${port}`;
}
