/** Plans a stack: from its settings to the servers, services, addresses and ports that it has. Pure. */
import { ConfigError } from "../config/parse.ts";
import type { Settings } from "../config/schema.ts";
import { budgetProblems } from "./budget.ts";
import { catalogue } from "./catalogue.ts";
import { planLoadBalancers, planServers } from "./fleet.ts";
import { stackNameProblem } from "./naming.ts";
import type { Service } from "./service.ts";
import type { Topology } from "./topology.ts";

/**
 * The plan of a stack. The same settings always give the same plan.
 *
 * @throws {ConfigError} when it does not fit: memory of a server, connections of the database, servers of a placement group,
 *   names
 */
export function plan(stack: string, settings: Settings): Topology {
  // eslint-disable-next-line no-restricted-syntax -- the plan passes the phase's name on, for labels and titles
  const { phase, hosting } = settings;
  const servers = planServers(settings);
  const loadBalancers = planLoadBalancers(settings);
  const planning = { stack, settings, servers, loadBalancers };
  const services = Object.values(catalogue).flatMap((definition): readonly Service[] => definition.plan(planning));
  const topology = { stack, phase, hosting, servers, services, loadBalancers };
  const problems = [stackNameProblem(stack) ?? [], budgetProblems(topology, settings)].flat();
  if (problems.length > 0) throw new ConfigError(problems);
  return topology;
}
