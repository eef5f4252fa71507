/** `make fidelity`: writes docs/fidelity.md from routes, declared differences and the records of the clients' tests. */
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { objectOperations } from "../../rehearsal/cloudflare/objects/r2-operations.ts";
import { say } from "../terminal.ts";
import { operationsOf, shapeOf } from "./operations.ts";
import { fidelityPage } from "./page.ts";
import { servedCalls } from "./served.ts";

const recordSchema = z.object({ name: z.string(), version: z.string(), calls: z.array(z.string()) });
const operationsSchema = z.record(z.string(), z.union([z.array(z.string()), z.number()]));
const apisSchema = z.object({ hetzner: operationsSchema, cloudflare: operationsSchema });
const sinceSchema = z.record(z.string(), z.string());

const page = "docs/fidelity.md";
const places = {
  operations: "tools/fidelity/operations.json",
  since: "tools/fidelity/since.json",
  records: "tests/contract/rehearsal/clients/records/*.json",
} as const;

const json = (root: string, path: string): unknown => JSON.parse(readFileSync(join(root, path), "utf8"));

/**
 * The page, and the versions that served each call first: a call that has none is new in this one.
 *
 * @param root folder of the project
 */
export async function fidelity(
  root: string,
): Promise<{ readonly text: string; readonly since: Record<string, string> }> {
  const served = await servedCalls();
  const { version } = z.object({ version: z.string() }).parse(json(root, "rehearsal/package.json"));
  const before = existsSync(join(root, places.since)) ? sinceSchema.parse(json(root, places.since)) : {};
  const calls = [
    ...(["hetzner", "cloudflare"] as const).flatMap((api) => served[api].map(({ call }) => shapeOf(`${api} ${call}`))),
    ...objectOperations.map((name) => `r2 ${name}`),
  ];
  const since = Object.fromEntries(calls.sort().map((call) => [call, before[call] ?? version]));
  const records = globSync(places.records, { cwd: root })
    .sort()
    .map((path) => recordSchema.parse(json(root, path)));
  const operations = apisSchema.parse(json(root, places.operations));
  return { text: fidelityPage({ operations, served, objects: objectOperations, records, since }), since };
}

/** @param documents folder with hcloud-openapi.json and cloudflare-openapi.json; undefined: the operations stay as they are */
export async function writeFidelity(root: string, documents: string | undefined): Promise<number> {
  if (documents !== undefined) {
    const served = await servedCalls();
    const read = (file: string, api: "hetzner" | "cloudflare") =>
      operationsOf(
        JSON.parse(readFileSync(join(documents, file), "utf8")),
        new Set(served[api].map(({ call }) => shapeOf(call))),
      );
    const found = {
      hetzner: read("hcloud-openapi.json", "hetzner"),
      cloudflare: read("cloudflare-openapi.json", "cloudflare"),
    };
    writeFileSync(join(root, places.operations), `${JSON.stringify(found, null, 2)}\n`);
  }
  const { text, since } = await fidelity(root);
  writeFileSync(join(root, places.since), `${JSON.stringify(since, null, 2)}\n`);
  writeFileSync(join(root, page), text);
  say(page);
  return 0;
}
