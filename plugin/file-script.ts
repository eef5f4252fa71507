/** Files as lines of a shell script: on standard input no content stands in a process list. Pure. */
import { sshWords } from "../components/host/ssh-options.ts";

/** A line that writes a text to a file, whatever bytes it has. */
export const writeLine = (path: string, text: string): string =>
  `echo '${Buffer.from(text).toString("base64")}' | base64 -d > ${sshWords([path])}`;
