/** Schemas of the inputs with which a resource of the plugin names its machine: a Docker Engine, or a server. */
import { z } from "zod";

/** Options of the system's ssh. */
const sshOptions = z.array(z.string());

/** A Docker Engine. */
export const engineSchema = {
  /** `unix://`, `tcp://` or `ssh://user@host[:port]`. */
  dockerHost: z.string().min(1),
  sshOptions: sshOptions.optional(),
};

/** A server that is reached over SSH. */
export const serverSchema = {
  /** `ssh://user@host[:port]` */
  host: z.string().startsWith("ssh://"),
  sshOptions,
};
