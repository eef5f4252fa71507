/** Prints the stacks of a folder as JSON: `node tools/preview/compose.ts FOLDER`. A preview runs it in both versions of the program. */
import { resolve } from "node:path";
import { composeStacks } from "./composed.ts";

const [folder = "."] = process.argv.slice(2);
process.stdout.write(`${JSON.stringify(await composeStacks(process.cwd(), resolve(folder)))}\n`);
