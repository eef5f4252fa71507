import { type Service } from "../../topology/types.ts";

/** Runs a command in a service's container. */
export type Exec = (service: Service, ...command: string[]) => { ok: boolean; output: string };
