/** The program that the engine runs: load, plan, compose, export. */
import { loadConfig } from "./config/load.ts";
import { builtImages } from "./images/references.ts";
import { Platform } from "./components/platform.ts";
import { plan } from "./topology/plan.ts";

const config = loadConfig();
const topology = plan(config.stack, config.settings);
const platform = new Platform("orion", { ...config, topology, builtImages: builtImages(import.meta.dirname) });
export const { endpoints, databaseUrl } = platform;
