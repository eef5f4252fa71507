/** Entry point of the `orion` resource plugin, which the engine starts. */
import * as provider from "@pulumi/pulumi/provider/index.js";
import { run } from "../common/process.ts";
import { OrionProvider } from "./provider.ts";

await provider.main(new OrionProvider(run), process.argv.slice(2));
