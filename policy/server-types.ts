/** Which type each server has and gets, which the engine does not know: the `orion` plugin chooses and changes it. Pure. */
import { type Graph, isRecord, type Recorded } from "./graph.ts";
import { types } from "./stateful.ts";

/** The most preferred of a server's types. */
export function firstType(inputs: unknown): string | undefined {
  const listed: unknown = isRecord(inputs) ? inputs["types"] : undefined;
  const first: unknown = Array.isArray(listed) ? listed[0] : undefined;
  return typeof first === "string" ? first : undefined;
}

/**
 * The two sides of a move with the type that each server has, and the one that it gets: the same, as long as it is in its
 * list. What Hetzner will not have is not known. It may be done to what it was done to before.
 */
export function withServerTypes<Sides extends { readonly before: Graph; readonly after: Graph }>(sides: Sides): Sides {
  const had = typesIn(sides.before, new Map());
  const gets = typesIn(sides.after, had);
  return { ...sides, before: said(sides.before, had), after: said(sides.after, gets) };
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
      // What its provider noted is older than what the plugin did since.
      const known = [had.get(server), type, inputs["serverType"]].find((one) => allowed.includes(one));
      const found = known ?? firstType({ types: allowed }) ?? inputs["serverType"];
      return typeof found === "string" ? [[server, found]] : [];
    }),
  );
}

/** `app-1` of `app-1-server` and of `app-1-type`. */
const serverOf = ({ name }: Recorded): string => name.replace(/-(server|type)$/, "");

/** The graph with those types as inputs that count, and without what the plugin is told of this machine. */
function said(graph: Graph, byServer: ByServer): Graph {
  const resources = graph.resources.map((resource): Recorded => {
    const { type, inputs, options } = resource;
    const serverType = byServer.get(serverOf(resource));
    if (type === types.serverType) {
      const own = Object.entries(inputs).filter(([input]) => !["type", "access", "ssh"].includes(input));
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
