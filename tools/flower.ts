/** `make flower`: where the task monitor is, once it answers. */
import { servicesOf } from "../topology/types.ts";
import { type StackFile } from "./stack-file.ts";
import { bold, say } from "./terminal.ts";
import { UserError } from "./user-error.ts";

export async function openFlower({ stack, topology, variables }: StackFile): Promise<number> {
  const published = servicesOf(topology, "flower")[0]?.published[0];
  if (!published)
    throw new UserError(`Stack '${stack}' does not run flower; add it to orion:services and run make up.`);
  const url = `http://${published.address}:${published.port}/`;
  try {
    await fetch(url, { signal: AbortSignal.timeout(5000) });
  } catch {
    throw new UserError(`Flower does not answer at ${url}; make doctor ${variables} says why.`);
  }
  say(`Flower: ${bold(url)}`);
  return 0;
}
