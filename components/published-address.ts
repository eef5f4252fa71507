/** `host:port` at which every server reaches a service: its first published port. */
import type { BaseService } from "../topology/service.ts";

/** @throws {Error} when it publishes none */
export function publishedAddress({ name, published: [at] }: Pick<BaseService, "name" | "published">): string {
  if (!at) throw new Error(`The service ${name} publishes no port; its plan in topology/services/ must publish one.`);
  return `${at.address}:${at.port}`;
}
