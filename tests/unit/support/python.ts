/** Python for tests of programs that run on servers. */
import { runSync } from "../../../common/process.ts";

/**
 * The path of this machine's Python itself: `python3` may be a script that looks it up at each start, which takes longer than the
 * programs here do.
 */
export const pythonPath = (): string => runSync("python3", ["-c", "import sys; print(sys.executable)"]).stdout.trim();
