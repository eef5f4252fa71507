/**
 * The commands of README, CONTRIBUTING and docs, and who runs them. A comment before a block of commands says it; a page does not show
 * the comment:
 *
 *     <!-- run: alone -->                                       tests/contract/documented-commands.test.ts runs it as it stands
 *     <!-- run: development -->                                 tests/e2e/development.test.ts runs it with a stack on this machine
 *     <!-- run: rehearsal -->                                   a test with a rehearsed platform names each line: documented("…")
 *     <!-- run: tests/e2e/rehearsal/backups.test.ts -->         this file takes the block from the page: blockWith("page", "part of it")
 *     <!-- run: alone, except lines 2, 3: they need accounts --> the same, without some lines
 *     <!-- not run: it needs an account at Hetzner -->
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const project = process.cwd();

/** Languages of blocks with commands. The lines of a `console` block begin with `$ `. */
export const commandLanguages = ["console", "sh"];

export interface Block {
  /** The page, from the project's folder. */
  readonly page: string;
  /** Number of the line that opens it. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** What runs it; undefined when no comment says so, and for a block that is not run. */
  readonly runs?: string;
  /** Why it, or lines of it, are not run. */
  readonly reason?: string;
  /** Numbers of the lines that are not run, from 1. */
  readonly except: readonly number[];
  /** Whether a comment before it says what it has to. */
  readonly marked: boolean;
}

/** Every page with commands that readers type. */
export const pages = (): string[] => [
  "README.md",
  "CONTRIBUTING.md",
  ...globSync("docs/**/*.md", { cwd: project }).sort(),
];

export const pageText = (page: string): string => readFileSync(join(project, page), "utf8");

const marker =
  /^\s*<!-- (?:not run: (?<reason>.+)|run: (?<runs>[\w./-]+)(?:, except lines? (?<except>\d+(?:, \d+)*): (?<why>.+))?) -->$/;

/** The blocks of a page, whatever their language. */
export function blocksOf(page: string, text = pageText(page)): Block[] {
  const lines = text.split("\n");
  const found: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [, indent, language] = /^(\s*)```(\S*)/.exec(lines[at] ?? "") ?? [];
    if (indent === undefined) continue;
    const end = lines.findIndex((line, index) => index > at && line.trim() === "```");
    const { groups } = marker.exec(lines.slice(0, at).findLast((line) => line.trim() !== "") ?? "") ?? {};
    const reason = groups?.["reason"] ?? groups?.["why"];
    found.push({
      ...{ page, line: at + 1, language: language ?? "", marked: groups !== undefined },
      text: lines
        .slice(at + 1, end)
        .map((line) => line.slice(indent.length))
        .join("\n"),
      ...(groups?.["runs"] !== undefined && { runs: groups["runs"] }),
      ...(reason !== undefined && { reason }),
      except: (groups?.["except"] ?? "").split(", ").filter(Boolean).map(Number),
    });
    at = end;
  }
  return found;
}

/** The blocks with commands of all pages. */
export const commandBlocks = (): Block[] =>
  pages().flatMap((page) => blocksOf(page).filter(({ language }) => commandLanguages.includes(language)));

/** The commands of a block that are run: without prompts, comments at their ends, and lines that are not run. */
export const commandsOf = ({ text, except }: Block): string[] =>
  text
    .split("\n")
    .filter((line, index) => line !== "" && !except.includes(index + 1))
    .map((line) => line.replace(/^\$ /, "").replace(/ +# .*$/, ""));

/** What a person sees of a block in a list of tests. */
export const nameOf = ({ page, line, text }: Block): string => `${page}:${line} ${text.split("\n")[0] ?? ""}`;

/** The blocks that one of the runners at the top of this file runs. */
export const blocksFor = (runs: string): Block[] => commandBlocks().filter((block) => block.runs === runs);

/**
 * A command that a page shows for a rehearsed platform, as it stands there.
 *
 * @throws {Error} when no page shows it any more: then this test, too, must run what the page says now
 */
export function documented(command: string): string {
  if (blocksFor("rehearsal").some((block) => commandsOf(block).includes(command))) return command;
  throw new Error(`no block of the docs that is marked '<!-- run: rehearsal -->' has the line '${command}' any more`);
}

/** The block of a page that has a text. @throws {Error} when there is none */
export function blockWith(page: string, part: string): Block {
  const found = blocksOf(page).find(({ text }) => text.includes(part));
  if (found) return found;
  throw new Error(`${page} has no block with '${part}' any more`);
}
