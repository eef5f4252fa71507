/** The program that the engine runs: load, plan, compose, export. */
import { Platform } from "./components/platform.ts";
import { loadConfig } from "./config/load.ts";
import { makeSshFolder } from "./config/ssh-folder.ts";
import { builtImages } from "./images/built.ts";
import { plan } from "./topology/plan.ts";
import { failUnlessWhole } from "./whole-program.ts";

// The SDK maps each position of each stack trace to TypeScript, half a second of a preview; Node.js runs it as it is.
Reflect.deleteProperty(Error, "prepareStackTrace");
failUnlessWhole();
const config = loadConfig();
const topology = plan(config.stack, config.settings);
if (topology.servers.length > 0) makeSshFolder(config.settings.admin.sshFolder);
const built = builtImages(import.meta.dirname, config.settings);
const platform = new Platform("orion", { ...config, topology, builtImages: built });
const { endpoints, databaseUrl, ssh, access, flowerPassword } = platform;
// The engine would warn, at every update, of an output that is named and not there.
export default { endpoints, databaseUrl, ssh, access, ...(flowerPassword && { flowerPassword }) };
