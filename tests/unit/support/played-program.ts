/** A program that answers what a test has written down for its commands, and notes what it was asked. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { temporaryFolder } from "../../../testing/folder.ts";

export interface PlayedProgram {
  /** What a command prints; the others fail. @param command its first words: `stack export` */
  readonly answer: (command: string, stdout?: string) => void;
  /** Makes a command fail again. */
  readonly forget: (command: string) => void;
  /** The commands that it was given, with all their words. */
  readonly calls: () => string[];
  /** What the last `stack import` read. */
  readonly read: () => string;
}

/** Puts it before the program of this machine, for each test of a file. @param name `pulumi` or `docker`, whose option --host is no word of a command */
export function playedProgram(name: string): PlayedProgram {
  const folder = temporaryFolder("played");
  const at = (part: string) => join(folder, part);
  const script = `#!/bin/sh
printf '%s\\n' "$*" >> '${at("calls")}'
[ "$1" = --host ] && shift 2
[ "$1 $2" = "stack import" ] && cat > '${at("read")}'
cat "${folder}/answers/$1 $2" 2>/dev/null || cat "${folder}/answers/$1" 2>/dev/null || { echo refused >&2; exit 1; }
`;
  beforeEach(() => {
    rmSync(at("answers"), { recursive: true, force: true });
    for (const one of ["answers", "bin"]) mkdirSync(at(one), { recursive: true });
    writeFileSync(join(at("bin"), name), script, { mode: 0o755 });
    writeFileSync(at("calls"), "");
    process.env["PATH"] = [at("bin"), process.env["PATH"]].join(delimiter);
  });
  afterEach(() => {
    const others = (process.env["PATH"] ?? "").split(delimiter).filter((one) => one !== at("bin"));
    process.env["PATH"] = others.join(delimiter);
  });
  return {
    answer: (command, stdout = "") => {
      writeFileSync(join(at("answers"), command), stdout);
    },
    forget: (command) => {
      rmSync(join(at("answers"), command));
    },
    calls: () => readFileSync(at("calls"), "utf8").split("\n").slice(0, -1),
    read: () => readFileSync(at("read"), "utf8"),
  };
}
