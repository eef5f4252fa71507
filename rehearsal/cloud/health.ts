/** Which parts of a cloud are well, for the page and the command line. Pure. */
import type { Status } from "./status.ts";

export type Health = "bad" | "busy" | "good";

/** Of a server's status, or of the health of a target. */
export function healthOf(state: string): Health {
  if (["running", "healthy"].includes(state)) return "good";
  return ["off", "unhealthy"].includes(state) ? "bad" : "busy";
}

const order: readonly Health[] = ["bad", "busy", "good"];
export const worstOf = (all: readonly Health[]): Health => order.find((one) => all.includes(one)) ?? "good";

/** Sorts so that what is not well comes first; otherwise the order stays. */
export const worstFirst = <T>(all: readonly T[], healthIn: (one: T) => Health): T[] =>
  all.toSorted((a, b) => order.indexOf(healthIn(a)) - order.indexOf(healthIn(b)));

export interface Problem {
  readonly what: string;
  readonly state: string;
  readonly health: Health;
}

type Balancer = Status["balancers"][number];
type Target = Balancer["targets"][number];

/** A target that no service checks has nothing that could be unhealthy. */
export const healthOfTarget = ({ health }: Target): Health => worstOf(health.map(({ status }) => healthOf(status)));
export const healthOfBalancer = ({ targets }: Balancer): Health => worstOf(targets.map(healthOfTarget));

/** Everything that is not well, the worst first; a fault that is on counts where it is. */
export function problemsOf({ servers, balancers, faults }: Status): Problem[] {
  const problems = [
    ...servers.map(({ name, status }) => ({ what: `server ${name}`, state: status, health: healthOf(status) })),
    ...balancers.flatMap((balancer) =>
      balancer.targets.map((target) => ({
        what: `target ${target.name} of ${balancer.name}`,
        state: target.health.find(({ status }) => healthOf(status) !== "good")?.status ?? "healthy",
        health: healthOfTarget(target),
      })),
    ),
    ...faults.flatMap(({ on, kind }) =>
      on.map(({ type, name }) => ({
        what: `${type === "volume" ? "Volume" : type.replaceAll("_", " ")} ${name}`,
        state: `fault ${kind}`,
        health: "bad" as const,
      })),
    ),
  ];
  return worstFirst(
    problems.filter(({ health }) => health !== "good"),
    ({ health }) => health,
  );
}

/** Kinds of the faults that are on a server or Volume. @param type as actions name it: `server`, `volume` */
export const faultsOn = ({ faults }: Pick<Status, "faults">, type: string, name: string): string[] =>
  faults.flatMap(({ on, kind }) => (on.some((one) => one.type === type && one.name === name) ? [kind] : []));
