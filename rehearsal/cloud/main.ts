/** Entry of the background process that runs one rehearsal cloud; its output goes to the cloud's log. */
import { rmSync } from "node:fs";
import { progressOn } from "../../toolchain/src/progress.ts";
import { sources } from "./commands.ts";
import { Emulator } from "./emulator.ts";
import { cloudFolder, readSettings } from "./settings.ts";

const [instance = "main", root = sources] = process.argv.slice(2);
const folder = cloudFolder(root, instance);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const settings = readSettings(folder);
if (!settings) throw new Error(`there is no cloud '${instance}'`);
const emulator = await Emulator.start({
  root: sources,
  folder,
  settings,
  progress: progressOn(process.stdout),
  log: say,
  onDown: () =>
    void end(async () => {
      await emulator.destroy();
      rmSync(folder, { recursive: true, force: true });
    }),
});
say(`Rehearsal cloud '${instance}' is up.`);

let isEnding = false;
async function end(how: () => Promise<void>): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  try {
    await how();
    process.exit(0);
  } catch (error) {
    say(`PROBLEM ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exit(1);
  }
}
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void end(() => emulator.stop()));
