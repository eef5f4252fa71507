/** Notes the containers that keep data, to show that a move has neither replaced nor restarted them. */
import { definitionOf } from "../../topology/catalogue.ts";
import { lastingServices } from "../../topology/topology.ts";
import { Engines } from "../engines.ts";
import type { StackFile } from "../stack-file.ts";

/** Container and start time of each service that keeps data, by the service's name. */
export type Kept = ReadonlyMap<string, { readonly server: string; readonly identity: string }>;

/** @param folder of the stack's Pulumi project */
export function keptNow(folder: string, file: StackFile): Kept {
  const engines = new Engines(folder, file);
  const services = lastingServices(file.topology).filter(({ kind }) => definitionOf(kind).keeps === "data");
  return new Map(
    services.map((service) => {
      const container = engines.find(service);
      const format = "{{.Id}} {{.State.StartedAt}}";
      const inspected =
        container === undefined ? "" : engines.of(service).capture("inspect", "--format", format, container).stdout;
      const [id = "", since = ""] = inspected.trim().split(" ");
      const identity = id === "" ? "no container" : `${id.slice(0, 12)}, since ${since.slice(0, 19)}`;
      return [service.name, { server: service.server, identity }];
    }),
  );
}

/** Those that were there before, with what they are now. Pure. */
export const compared = (before: Kept, after: Kept) =>
  [...before].map(([service, { server, identity }]) => ({
    ...{ service, server, before: identity, after: after.get(service)?.identity ?? "gone" },
  }));
