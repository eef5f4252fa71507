/** Terminal output and prompts of the tools: colours, tables, confirmation. */
import { createInterface } from "node:readline/promises";

const paint = (code: number, stream: NodeJS.WriteStream = process.stdout) => {
  const coloured = stream.isTTY && !process.env["NO_COLOR"];
  return (text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);
};

export const bold = paint(1);
export const red = paint(31);
export const green = paint(32);
export const yellow = paint(33);
export const dim = paint(2);
/** For standard error. */
export const redError = paint(31, process.stderr);

export const isTerminal = process.stdin.isTTY && process.stdout.isTTY;

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Rows as columns of equal width, without borders. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Asks a question; only `yes` agrees. Without a terminal, and at Ctrl-C or Ctrl-D, the answer is no, so that what was begun is ended. */
export async function confirm(question: string): Promise<boolean> {
  if (!isTerminal) return false;
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  const closed = new Promise<string>((resolve) => {
    reader.once("close", () => {
      resolve("");
    });
  });
  const answer = await Promise.race([reader.question(`${question} Type yes to continue: `).catch(() => ""), closed]);
  reader.close();
  return answer.trim() === "yes";
}
