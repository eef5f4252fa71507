/**
 * Graphs of whole stacks, each composed once in a run of the tests: to compose one takes up to half a second, and a dozen files
 * ask for that of phase mvp. What a test gets cannot be changed.
 */
import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Mode } from "../../../policy/compose.ts";
import type { Graph, Recorded, StackFacts, Uses } from "../../../policy/graph.ts";
import type { Stack } from "../../../policy/program.ts";

export const images = {
  ...{ app: "orion/sample-app:test", docs: "orion/docs:test" },
  database: { reference: "orion/postgres:test", dockerfile: "FROM postgres:15-bookworm\n" },
  pooler: { reference: "orion/pgbouncer:test", dockerfile: "FROM haproxy:3.0-trixie\n" },
};

/** `known`: as `knownOf` returns it, for comparison with a state; otherwise as `programOf` does. */
type Kind = Mode | "known";

const inThisProcess = new Map<string, Promise<Graph>>();
let last: Promise<unknown> = Promise.resolve();

/** The graph of a stack; one is composed after the other, because the SDK has one set of mocks. */
export function sharedGraph(stack: Stack, kind: Kind = "up"): Promise<Graph> {
  const key = createHash("sha256")
    .update(JSON.stringify([kind, stack]))
    .digest("hex");
  const graph = inThisProcess.get(key) ?? last.then(() => ofAnyFile(key, stack, kind));
  inThisProcess.set(key, graph);
  last = graph.catch(() => undefined);
  return graph;
}

async function composed(stack: Stack, kind: Kind): Promise<Graph> {
  // Loaded by the file that composes: the SDK takes a second of those that read what another one has composed.
  const { knownOf, programOf } = await import("../../../policy/program.ts");
  return kind === "known" ? knownOf(stack, imagesOf(stack)) : programOf(stack, kind, imagesOf(stack));
}

/** As images/built.ts computes it, the reference of an image follows from the one that it is built on. */
function imagesOf({ settings }: Stack): typeof images {
  const { postgres } = settings.images;
  if (postgres === undefined) return images;
  const reference = `orion/postgres:${createHash("sha256").update(postgres).digest("hex").slice(0, 12)}`;
  return { ...images, database: { ...images.database, reference } };
}

async function ofAnyFile(key: string, stack: Stack, kind: Kind): Promise<Graph> {
  const folder = process.env["ORION_TEST_GRAPHS"];
  // Only a run of the unit tests has the folder; one without it must not find graphs that an earlier run has left.
  if (folder === undefined) return fromText(toText(await composed(stack, kind)));
  const path = join(folder, key);
  try {
    return fromText(readFileSync(path, "utf8"));
  } catch {
    // Nobody has asked for it yet.
  }
  const text = toText(await composed(stack, kind));
  // Another process may read it at the same time, or write it.
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
  return fromText(text);
}

export const toText = ({ uses, ...rest }: Graph): string => JSON.stringify({ ...rest, uses: [...uses] });

export function fromText(text: string): Graph {
  const { resources, uses, ...rest } = frozen(JSON.parse(text) as Written);
  return { resources, uses: new Map(uses), ...rest };
}

interface Written extends StackFacts {
  readonly resources: readonly Recorded[];
  readonly uses: readonly (readonly [string, Uses])[];
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}
