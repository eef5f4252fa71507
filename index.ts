/** The program that the engine runs: it loads the configuration, plans the stack, guards its data, composes it, and exports its outputs. */
import { Platform } from "./components/platform.ts";
import { loadConfig, orRunError } from "./config/load.ts";
import { refuseUnusableKeys } from "./config/own-keys.ts";
import { makeSshFolder } from "./config/ssh-folder.ts";
import { guardUpdate } from "./guard/update.ts";
import { refuseOtherPlans } from "./guard/zone-plans.ts";
import { builtImages } from "./images/built.ts";
import { plan } from "./topology/plan.ts";
import { hasServers } from "./topology/topology.ts";
import { endWithEngine, failUnlessWhole } from "./whole-program.ts";

// The SDK maps every stack trace to TypeScript, which takes half a second of a preview; Node.js runs TypeScript directly.
Reflect.deleteProperty(Error, "prepareStackTrace");
endWithEngine();
failUnlessWhole();
const config = loadConfig();
const topology = orRunError(() => plan(config.stack, config.settings));
if (hasServers(topology)) {
  makeSshFolder(config.settings.admin.sshFolder);
  refuseUnusableKeys(config.settings.admin);
}
const built = builtImages(import.meta.dirname, config.settings);
const { existingKeys, outputs } = await guardUpdate({ ...config, topology, builtImages: built });
await refuseOtherPlans(config.settings);
const platform = new Platform("orion", { ...config, topology, builtImages: built, existingKeys });
const { endpoints, databaseUrl, ssh, hostKeys, access, flowerPassword, taskApiToken, backupKey, archiveKey } = platform;
// An output that is named and undefined would make the engine warn at every update.
export default {
  ...{ endpoints, databaseUrl, ssh, access },
  ...(hasServers(topology) && { hostKeys }),
  ...(flowerPassword && { flowerPassword }),
  ...(taskApiToken && { taskApiToken }),
  ...(backupKey && { backupKey }),
  ...(archiveKey && { archiveKey }),
  ...outputs,
};
