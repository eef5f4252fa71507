/** `make pictures`: draws the pictures that README and docs show, from the stack files of this project; with --check, compares. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chosenStack } from "../chosen-stack.ts";
import { say } from "../terminal.ts";
import { pictureOf, pictureOfChange } from "./diagram.ts";
import { dotOf } from "./dot.ts";
import { toSvg } from "./render.ts";

const pictureFolder = "docs/pictures";

/** The pictures by file name, as SVGs that follow the reader's light or dark setting. */
async function pictures(project: string): Promise<ReadonlyMap<string, string>> {
  const stack = (name: string, phase: string) => chosenStack({ root: project, project, stack: name }, phase);
  const phases = [
    stack("dev", "development"),
    ...["mvp", "scale", "enterprise", "ha"].map((phase) => stack("prod", phase)),
  ].map((one) => [`${one.settings.phase}.svg`, pictureOf(one)] as const);
  const move = pictureOfChange(stack("prod", "mvp"), stack("prod", "scale"));
  const drawn = new Map<string, string>();
  for (const [name, picture] of [...phases, ["mvp-to-scale.svg", move] as const]) {
    drawn.set(name, await toSvg(dotOf(picture)));
  }
  return drawn;
}

/** Writes the pictures, or with `check` names those that differ from the plans. @returns the exit code */
async function main(check: boolean): Promise<number> {
  const drawn = await pictures(process.cwd());
  if (check) {
    const old = [...drawn].filter(([name, svg]) => textOf(join(pictureFolder, name)) !== svg);
    for (const [name] of old)
      say(`${pictureFolder}/${name} shows another plan than the stack files; draw it: make pictures`);
    return old.length > 0 ? 1 : 0;
  }
  for (const [name, svg] of drawn) {
    writeFileSync(join(pictureFolder, name), svg);
    say(`${pictureFolder}/${name}`);
  }
  return 0;
}

const textOf = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");

process.exitCode = await main(process.argv.includes("--check"));
