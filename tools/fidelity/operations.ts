/** What the real APIs have, reduced from their OpenAPI documents, which belong to others and are not kept here. Pure. */
import { isRecord } from "../../common/record.ts";

/** Operations of an API by their group, each as `<METHOD> <path>`; of a group that is not emulated, only how many it has. */
export type Operations = Readonly<Record<string, readonly string[] | number>>;

const methods = ["get", "post", "put", "patch", "delete"];

/** Parameters have other names in a document than in our routes. */
export const shapeOf = (call: string): string => call.replace(/\{[^}]+\}|:\w+/g, "{}");

/**
 * @param document an OpenAPI document
 * @param served the calls that are served, as `shapeOf` gives them
 */
export function operationsOf(document: unknown, served: ReadonlySet<string>): Operations {
  const groups = new Map<string, string[]>();
  const paths = isRecord(document) && isRecord(document["paths"]) ? document["paths"] : {};
  for (const [path, item] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(isRecord(item) ? item : {})) {
      if (!methods.includes(method) || !isRecord(operation)) continue;
      const [tag] = Array.isArray(operation["tags"]) ? (operation["tags"] as unknown[]) : [];
      const group = typeof tag === "string" ? tag.replace(/_/g, " ") : "others";
      groups.set(group, [...(groups.get(group) ?? []), `${method.toUpperCase()} ${path}`]);
    }
  }
  return Object.fromEntries(
    [...groups]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([group, calls]) => [group, calls.some((call) => served.has(shapeOf(call))) ? calls : calls.length]),
  );
}
