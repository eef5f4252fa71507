/** An engine that answers what a test has written down for its commands, and notes what it was asked. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { temporaryFolder } from "../../../testing/folder.ts";

export interface PlayedEngine {
  /** What a command prints; the others fail. @param command its first words: `stack export` */
  readonly answer: (command: string, stdout: string) => void;
  /** The commands that it was given, with all their words. */
  readonly calls: () => string[];
  /** What the last command read. */
  readonly read: () => string;
}

/** Puts it before the engine of this machine, for the tests of a file. */
export function playedEngine(): PlayedEngine {
  const folder = temporaryFolder("engine");
  const at = (name: string) => join(folder, name);
  const usual = process.env["PATH"];
  const script = `#!/bin/sh
printf '%s\\n' "$*" >> '${at("calls")}'
cat > '${at("read")}'
cat "${folder}/answers/$1 $2" 2>/dev/null || cat "${folder}/answers/$1" 2>/dev/null || { echo refused >&2; exit 1; }
`;
  beforeEach(() => {
    mkdirSync(at("bin"), { recursive: true });
    writeFileSync(join(at("bin"), "pulumi"), script, { mode: 0o755 });
    writeFileSync(at("calls"), "");
    process.env["PATH"] = [at("bin"), usual].join(delimiter);
  });
  afterEach(() => {
    process.env["PATH"] = usual;
  });
  return {
    answer: (command, stdout) => {
      mkdirSync(at("answers"), { recursive: true });
      writeFileSync(join(at("answers"), command), stdout);
    },
    calls: () => readFileSync(at("calls"), "utf8").split("\n").slice(0, -1),
    read: () => readFileSync(at("read"), "utf8"),
  };
}
