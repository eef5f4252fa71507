/** Warns of another Docker Engine for a stack on this machine: its containers and volumes stay on the one before. Pure. */
import { danger, type Finding } from "./findings.ts";
import { type Graph, keyOf } from "./graph.ts";
import { hasServersIn } from "./stateful.ts";

const engineType = "pulumi:providers:docker";

/** The addresses of Docker Engines, by the `type name` of their providers. */
const enginesIn = ({ resources }: Graph): ReadonlyMap<string, string> =>
  new Map(
    resources.flatMap((resource): [string, string][] => {
      const { type, inputs } = resource;
      const host = inputs["host"];
      return type === engineType && typeof host === "string" && host !== "" ? [[keyOf(resource), host]] : [];
    }),
  );

/** Of servers it is the address that changes, not the engine. */
export function movedEngine(before: Graph, after: Graph): Finding[] {
  if (hasServersIn(before) || hasServersIn(after)) return [];
  const engines = enginesIn(after);
  return [...enginesIn(before)].flatMap(([key, was]): Finding[] => {
    const is = engines.get(key);
    if (is === undefined || is === was) return [];
    const happens = `would change from ${was} to ${is}: unless that is another address of the same engine, all containers and volumes of the stack, and their data, stay at ${was}, and this update makes none at ${is}`;
    const instead = `use ${was} as before (orion:dockerHost, DOCKER_HOST or the docker context)`;
    return [danger("dockerHost", happens, instead)];
  });
}
