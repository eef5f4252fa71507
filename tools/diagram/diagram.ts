/** `make diagram`: draws the plan of a stack; `make diff PICTURE=`: the change of a move. SVG or PNG, by the file's ending. */
import { extname, resolve } from "node:path";
import { UserError } from "../../common/user-error.ts";
import { chosenStack, type StackChoice } from "../chosen-stack.ts";
import { inventoryOf } from "../plan/inventory.ts";
import type { StackFile } from "../stack-file.ts";
import { say } from "../terminal.ts";
import { writeContents } from "../text-file.ts";
import { dotOf, type Drawing, type Picture } from "./dot.ts";
import { type Theme, toPng, toSvg } from "./render.ts";

export interface DiagramOptions extends StackChoice {
  /** A phase, or the path of a stack file. @default the stack as its file describes it */
  readonly choice: string | undefined;
  /** The picture to write: `.svg`, `.png`, or `.dot` for Graphviz' language. */
  readonly file: string;
  /** @default - an SVG follows the reader's setting; a PNG is light */
  readonly theme: string | undefined;
}

/** Draws the plan of a stack into a file. @returns the exit code */
export async function diagram({ choice, file, theme, project, ...stack }: DiagramOptions): Promise<number> {
  const described = chosenStack({ project, ...stack }, choice);
  await writePicture(pictureOf(described), resolve(project, file), themeOf(theme));
  say(`The plan of stack ${described.stack} (phase ${described.settings.phase}) is drawn in ${file}.`);
  return 0;
}

/** The plan of one stack. */
export function pictureOf(stack: StackFile): Picture {
  const after = drawingOf(stack);
  return { title: `${stack.stack} · phase ${stack.settings.phase}${priceIn(after)}`, after };
}

/** The change between two stacks. */
export function pictureOfChange(from: StackFile, to: StackFile): Picture {
  const [before, after] = [drawingOf(from), drawingOf(to)];
  const side = ({ settings: { phase } }: StackFile, drawing: Drawing) => `phase ${phase}${priceIn(drawing)}`;
  return { title: `${to.stack} · from ${side(from, before)} to ${side(to, after)}`, before, after };
}

const drawingOf = (stack: StackFile): Drawing => ({
  inventory: inventoryOf(stack),
  remote: { cloudflare: stack.settings.cloudflare.enabled, r2: stack.settings.storage.backend === "r2" },
});

const priceIn = ({ inventory: { hosting, cost } }: Drawing): string =>
  hosting === "local" ? "" : ` (€ ${cost.monthly.toFixed(2)} a month)`;

/** Writes a picture in the format of the file's ending. @throws {UserError} for another ending */
export async function writePicture(picture: Picture, file: string, theme?: Theme): Promise<void> {
  writeContents(file, await renderedAs(extname(file), dotOf(picture), theme, file), "The picture");
}

async function renderedAs(
  ending: string,
  dot: string,
  theme: Theme | undefined,
  file: string,
): Promise<string | Buffer> {
  switch (ending) {
    case ".dot":
      return dot;
    case ".svg":
      return toSvg(dot, theme);
    case ".png":
      return toPng(await toSvg(dot, theme ?? "light"));
    default:
      throw new UserError(`The picture's file: got '${file}', allowed: a name that ends in .svg, .png or .dot`);
  }
}

/** @throws {UserError} for a theme that there is not */
function themeOf(text: string | undefined): Theme | undefined {
  if (text === undefined || text === "light" || text === "dark") return text;
  throw new UserError(`THEME: got '${text}', allowed: light, dark`);
}
