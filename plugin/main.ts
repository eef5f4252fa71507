/** Entry of the `orion` resource plugin: what the program needs from an engine provider and no published one has. */
import * as provider from "@pulumi/pulumi/provider/index.js";
import { run } from "../common/process.ts";
import { OrionProvider } from "./provider.ts";

await provider.main(new OrionProvider(run), process.argv.slice(2));
