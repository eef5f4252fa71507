/** Fills each server's type into both graphs of a move: the `orion` plugin chooses types, so a graph lacks them. Pure. */
import { isRecord } from "../common/record.ts";
import { factsOfType } from "../config/server-types.ts";
import type { Graph, Recorded } from "./graph.ts";
import { types } from "./stateful.ts";

/** The most preferred of a server's types. */
export function firstType(inputs: unknown): string | undefined {
  const listed: unknown = isRecord(inputs) ? inputs["types"] : undefined;
  const first: unknown = Array.isArray(listed) ? listed[0] : undefined;
  return typeof first === "string" ? first : undefined;
}

/**
 * Both sides of a move with each server's type filled in: a server keeps its type while its list contains it, and gets only a type
 * of its own architecture, as the plugin chooses. Which types Hetzner has sold out is not known, nor which disk a server was created
 * with. Idempotent.
 */
export function withServerTypes<Sides extends { readonly before: Graph; readonly after: Graph }>(sides: Sides): Sides {
  const had = typesIn(sides.before, new Map());
  const gets = typesIn(sides.after, had);
  return { ...sides, before: withTypes(sides.before, had), after: withTypes(sides.after, gets) };
}

/** Whether a server of one type can get the other as far as the architecture decides; true when one of them is not known. */
function isSameArchitecture(type: string | undefined, other: string): boolean {
  const [one, another] = [type ?? "", other].map(factsOfType);
  return one === undefined || another === undefined || one.architecture === another.architecture;
}

type ByServer = ReadonlyMap<string, string>;

function typesIn({ resources }: Graph, had: ByServer): ByServer {
  const of = (wanted: string) =>
    resources.filter(({ type }) => type === wanted).map((one) => [serverOf(one), one] as const);
  const chosen = new Map(of(types.serverType));
  return new Map(
    of(types.server).flatMap(([server, { inputs }]): [string, string][] => {
      const { type, types: listed }: Recorded["inputs"] = chosen.get(server)?.inputs ?? {};
      const allowed: unknown[] = Array.isArray(listed) ? listed : [];
      const has = had.get(server);
      // The server's own input may be older than the plugin's last change of the type.
      const own = has === undefined ? inputs["serverType"] : undefined;
      const known = [has, type, own].find((one) => allowed.includes(one));
      const able = allowed.find((one) => typeof one === "string" && isSameArchitecture(has, one));
      const found = known ?? able ?? firstType({ types: allowed }) ?? inputs["serverType"];
      return typeof found === "string" ? [[server, found]] : [];
    }),
  );
}

/** `app-1` of `app-1-server` and of `app-1-type`. */
const serverOf = ({ name }: Recorded): string => name.replace(/-(server|type)$/, "");

/** The graph with these types as inputs that are not ignored, and without the plugin's choice. */
function withTypes(graph: Graph, byServer: ByServer): Graph {
  const resources = graph.resources.map((resource): Recorded => {
    const { type, inputs, options } = resource;
    const serverType = byServer.get(serverOf(resource));
    if (type === types.serverType) {
      const own = Object.entries(inputs).filter(([input]) => input !== "type");
      return { ...resource, inputs: Object.fromEntries(own) };
    }
    if (type !== types.server || serverType === undefined) return resource;
    const ignoreChanges = options.ignoreChanges?.filter((input) => input !== "serverType");
    return {
      ...resource,
      inputs: { ...inputs, serverType },
      options: { ...options, ...(ignoreChanges && { ignoreChanges }) },
    };
  });
  return { ...graph, resources };
}
