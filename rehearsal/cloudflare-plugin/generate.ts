/** Regenerates properties.json. Run it after an update of the SDK. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describeResources } from "./describe.ts";

const folder = import.meta.dirname;
const described = describeResources(resolve(folder, "..", ".."));
writeFileSync(join(folder, "properties.json"), `${JSON.stringify(described, undefined, 1)}\n`);
