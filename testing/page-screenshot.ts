/**
 * `make page-screenshot`: the picture of the status page in docs/rehearsal.md, of a rehearsal cloud without machines that is
 * filled for it and deleted again. Needs a Chromium.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Emulator } from "../rehearsal/cloud/emulator.ts";
import { makeSettings } from "../rehearsal/cloud/settings.ts";
import { progressOn } from "../toolchain/src/progress.ts";
import { Browser } from "./browser.ts";
import { temporaryFolder } from "./folder.ts";
import { freePort } from "../common/ports.ts";
import { disturb, fillPlatform } from "./sample-cloud.ts";

const root = join(import.meta.dirname, "..");
const file = "docs/pictures/status-page.png";

const folder = join(temporaryFolder("screenshot"), "main");
const settings = makeSettings(folder, "main", { machines: "none", port: await freePort() });
const nothing = (): void => undefined;
const emulator = await Emulator.start({
  ...{ root, folder, settings, progress: progressOn(), log: nothing, onDown: nothing },
});
const browser = await Browser.start();
try {
  const cloud = { base: `http://127.0.0.1:${settings.port}`, token: settings.token };
  await fillPlatform(cloud);
  await disturb(cloud);
  await browser.show({ width: 1180, height: 900, theme: "light" });
  await browser.open(`${cloud.base}/?token=${cloud.token}`);
  await browser.wait("document.getElementById('live').textContent === 'live'");
  writeFileSync(join(root, file), await browser.picture(true, 0.75));
  process.stdout.write(`${file}\n`);
} finally {
  await browser.close();
  await emulator.stop();
}
