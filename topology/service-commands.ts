/** The stack outputs `endpoints` and `access`: each service's URL, and commands for everyday troubleshooting. Pure. */
import { definitionOf } from "./catalogue.ts";
import type { Service } from "./service.ts";
import { hasServers, type Topology } from "./topology.ts";

/** The URL of each service that publishes a port, by the service's name. */
export function endpointsOf(topology: Topology): Record<string, string> {
  return Object.fromEntries(
    topology.services.flatMap(({ name, kind, published }) => {
      const { scheme, tlsPort } = definitionOf(kind);
      const [first] = published;
      const secure = first !== undefined && first.containerPort === tlsPort ? "s" : "";
      return first && scheme ? [[name, `${scheme}${secure}://${first.address}:${first.port}`]] : [];
    }),
  );
}

/** A command that reaches a component. */
export interface AccessCommand {
  /** `logs`, `shell`, `psql`. */
  readonly purpose: string;
  /** The command line on the machine that the component runs on. */
  readonly command: string;
}

/** A shell in a container: bash where the image has it. */
const shellProgram = "sh -c 'command -v bash >/dev/null && exec bash || exec sh'";

/** Every command for a service, on the machine that it runs on. */
export function commandsFor(topology: Topology, service: Service): readonly AccessCommand[] {
  const definition = definitionOf(service.kind);
  const own = Object.entries(definition.commands(service));
  // Its timer and scripts are on the server; between two runs it has no container.
  if (definition.runs === "by timer") return own.map(([purpose, command]) => ({ purpose, command }));
  const container = containerOf(topology, service);
  return [
    ...[...own, ["shell", shellProgram] as const].map(([purpose, program]) => ({
      ...{ purpose, command: `docker exec -it ${container} ${program}` },
    })),
    { purpose: "logs", command: `docker logs --tail 200 --follow ${container}` },
    { purpose: "restart", command: `docker restart ${container}` },
  ];
}

/**
 * On a server the engine gives containers of apps and workers their names, since an old and a new one may run side by side:
 * the newest container with the service's label is the current one.
 */
const containerOf = (topology: Topology, { name, container }: Service): string =>
  hasServers(topology) ? `$(docker ps -aqf label=service=${name} | head -1)` : container;
