/** The common part of the definitions of everything that runs the platform's image. Pure. */
import type { Confinement } from "../service.ts";

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
