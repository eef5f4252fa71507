/** One visitor's request to a rehearsed platform, through the cloud's edge. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { cloudAddresses, cloudFolder, type CloudSettings } from "../cloud/settings.ts";

export interface Place {
  /** Folder of the project. */
  readonly root: string;
  readonly cloud: Pick<CloudSettings, "instance" | "block">;
  /** Host name of the platform. */
  readonly domain: string;
}

/**
 * Requests a page, or posts a body as JSON.
 *
 * @returns the status; undefined without an answer within three seconds
 */
export function visit({ root, cloud, domain }: Place, path: string, body?: unknown): Promise<number | undefined> {
  const ca = readFileSync(join(cloudFolder(root, cloud.instance), "edge-authority.pem"));
  const headers = { host: domain, ...(body !== undefined && { "content-type": "application/json" }) };
  const options = { host: cloudAddresses(cloud.block).edge, servername: domain, ca, path, headers, agent: false };
  return new Promise((resolve) => {
    const method = body === undefined ? "GET" : "POST";
    const call = request({ ...options, method, timeout: 3000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on("timeout", () => call.destroy());
    call.on("error", () => {
      resolve(undefined);
    });
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Places an order. @returns the status of the answer, 201 when it is acknowledged */
export const placeOrder = (place: Place): Promise<number | undefined> =>
  visit(place, "/orders", { reference: randomUUID(), item: "lamp", quantity: 1, email: "someone@example.com" });
