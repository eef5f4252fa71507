/** `make advise`: which option and phase fit the answers of a user; without engine, token, state or stack file. */
import { isTerminal, say } from "../terminal.ts";
import { adviceFor } from "./advice.ts";
import { help, needsFrom, onTerminal, type Texts } from "./answers.ts";
import { reportOfAdvice } from "./report.ts";

export interface AdviseOptions {
  readonly texts: Texts;
  /** Whether the advice is printed as JSON, for programs. */
  readonly json: boolean;
  readonly help: boolean;
}

/** Prints the advice. @returns the exit code */
export async function advise(options: AdviseOptions): Promise<number> {
  if (options.help) {
    say(help);
    return 0;
  }
  const { texts, json } = options;
  const needs =
    isTerminal && !json ? await onTerminal((ask) => needsFrom(texts, ask)) : await needsFrom(texts, undefined);
  const advice = adviceFor(needs);
  say(json ? JSON.stringify(advice, undefined, 2) : reportOfAdvice(advice));
  return 0;
}
