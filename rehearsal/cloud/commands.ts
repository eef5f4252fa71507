/** Command lines for the cloud's messages: `make …` in this project, its own command in the package. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** The folder of these sources: of the project, or of the installed package. Files of the cloud lie below its `rehearsal/`. */
export const sources = join(import.meta.dirname, "..", "..");

const { name, version } = z
  .object({ name: z.string(), version: z.string() })
  .parse(JSON.parse(readFileSync(join(sources, "package.json"), "utf8")));

export { version };

export const isPackage = name === "orion-rehearsal";

export type Verb = "up" | "down" | "status" | "fault" | "scenario" | "time";

/** A command line for a person. @param flags the command's, which make has as variables: `{ port: "8480" }` */
export function commandFor(verb: Verb, flags: Readonly<Record<string, string>> = {}): string {
  const words = Object.entries(flags).map(([flag, value]) =>
    isPackage ? `--${flag} ${value}` : `${flag === "name" ? "CLOUD" : flag.toUpperCase()}=${value}`,
  );
  return [isPackage ? `npx orion-rehearsal ${verb}` : `make cloud-${verb}`, ...words].join(" ");
}

/** What makes a Docker Engine run on this machine. */
export const dockerAdvice = isPackage ? "systemctl start docker" : "make docker";
