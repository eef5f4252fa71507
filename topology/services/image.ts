/** What runs the platform's image, and the common part of its definitions. Pure. */
import { imageRoles } from "../../common/app-contract.ts";
import type { Confinement, ServiceKind } from "../service.ts";

/** The kinds of services that run it: those that always run, and the release. */
export const imageKinds = [...imageRoles, "release"] as const satisfies readonly ServiceKind[];

export type ImageKind = (typeof imageKinds)[number];

/**
 * The image's user has no privileges and needs none. It writes to /tmp, such as uploads on their way, and Beat's schedule to
 * /app/run; `orion:app.writable` names more.
 */
export const imageConfinement: Confinement = {
  networks: ["data"],
  capabilities: [],
  writable: ["/tmp", "/app/run"],
  memoryFolders: {},
  // Celery and Uvicorn have a few processes with a few dozen threads each.
  processes: 1024,
};
