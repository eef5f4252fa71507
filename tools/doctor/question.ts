/** The arguments of doctor's checks: the service, its plan, and a function that runs commands in containers. */
import type { Service } from "../../topology/service.ts";
import type { WorkersAnswer } from "./checks/worker.ts";
import type { Topology } from "../../topology/topology.ts";

/** Runs a command in a service's container. */
export type Exec = (service: Service, ...command: string[]) => Promise<{ ok: boolean; output: string }>;

export interface Question {
  readonly service: Service;
  readonly topology: Topology;
  readonly exec: Exec;
  /** Whether the stack's own PostgreSQL stands beside an external one, which its clients use. @default false */
  readonly isDatabaseLeft?: boolean;
  /** What Celery's workers say, who are asked together: a question of its own for each would start Celery as often. */
  readonly workers: () => Promise<WorkersAnswer>;
}
