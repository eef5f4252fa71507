/** Command line that makes images available locally: node images/build.ts [--check] [--registry HOST/PATH] [--use NAME=REFERENCE]… [NAME…] */
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type OfficialImage, officialImages } from "../config/images.ts";
import { type EnsuredImage, ensureImages, type ImageName, imageNames, localNames } from "./ensure.ts";

const usage = `usage: node images/build.ts [--check] [--registry HOST/PATH] [--use NAME=REFERENCE]... [NAME...]

Makes images available in the local Docker Engine. Images that are present stay. Official images are pulled, or built
from Debian packages when no registry can be reached. The platform's own images are built from this repository.

  --check       change nothing; exit code 1 when an image is missing
  --registry    pull the official images from this registry and path
  --use         run another image in place of an official one
  NAME          of ${imageNames.join(", ")}; when none is given, all that a development stack
                can run`;

function parse(argv: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      check: { type: "boolean", default: false },
      registry: { type: "string" },
      use: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const names = positionals.map((name) => known(name, imageNames));
  const official = Object.keys(officialImages) as OfficialImage[];
  const overrides: Partial<Record<OfficialImage, string>> = {};
  for (const pair of values.use) {
    const [, name = "", reference = ""] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (!reference) throw new Error(`'--use ${pair}' is not valid: expected NAME=REFERENCE`);
    overrides[known(name, official)] = reference;
  }
  return { names, help: values.help, check: values.check, choices: { registry: values.registry, overrides } };
}

function known<T extends string>(name: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === name);
  if (found === undefined) throw new Error(`unknown image '${name}': expected one of ${allowed.join(", ")}`);
  return found;
}

function table(images: readonly EnsuredImage[]): string {
  const rows = images.map(({ reference, source, seconds }) => [reference, source, `${seconds.toFixed(1)} s`]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join("  ")).join("\n");
}

async function main(): Promise<number> {
  const { names, help, check, choices } = parse(process.argv.slice(2));
  if (help) {
    console.log(usage);
    return 0;
  }
  const images = await ensureImages({
    root: join(import.meta.dirname, ".."),
    cache: join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "orion"),
    names: names.length > 0 ? (names satisfies ImageName[]) : localNames,
    choices,
    check,
    report: (line) => {
      console.error(line);
    },
  });
  const notes = new Set(images.flatMap(({ note }) => (note === undefined ? [] : [note])));
  for (const note of notes)
    console.error(`equivalents were built because the official images could not be pulled: ${note}`);
  console.log(table(images));
  return images.some(({ source }) => source === "missing") ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`images: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
