/** What `make advise` is told: by variables, or on a terminal by questions for those that are missing. */
import { createInterface } from "node:readline/promises";
import { UserError } from "../../common/user-error.ts";
import { say } from "../terminal.ts";
import type { Needs } from "./advice.ts";
import { type Demand, demands, type Operator, operators } from "./rules.ts";

/** The texts of the variables; undefined where none was given. */
export type Texts = Readonly<Partial<Record<keyof typeof variables, string>>>;

interface Variable<T> {
  readonly name: string;
  readonly question: string;
  readonly allowed: string;
  readonly example: string;
  /** Undefined when the text is not allowed. */
  readonly read: (text: string) => T | undefined;
}

const figure = (name: string, question: string, example: string): Variable<number> => ({
  ...{ name, question, example, allowed: "a number from 0, such as 1500" },
  read: (text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined),
});

const isOperator = (text: string): text is Operator => Object.hasOwn(operators, text);
const isDemand = (text: string): text is Demand => Object.hasOwn(demands, text);

const described = (list: Readonly<Record<string, string>>): string =>
  Object.entries(list)
    .map(([name, meaning]) => `\n    ${name.padEnd(16)} ${meaning}`)
    .join("");

export const variables = {
  visitors: figure("VISITORS", "How many visitors are there at the same time, when it is busiest?", "1500"),
  orders: figure("ORDERS", "How many orders are made in a minute, when it is busiest?", "30"),
  gb: figure("GB", "How many GB of data will PostgreSQL have in a year?", "20"),
  budget: {
    ...{ name: "BUDGET", question: "How many € a month may servers cost, net?", example: "200" },
    allowed: "a number of €, or none for no limit",
    read: (text) => (text === "none" ? null : /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined),
  } satisfies Variable<number | null>,
  operator: {
    ...{ name: "OPERATOR", question: `Who operates it?${described(operators)}`, example: "developer" },
    allowed: Object.keys(operators).join(", "),
    read: (text) => (isOperator(text) ? text : undefined),
  } satisfies Variable<Operator>,
  demands: {
    name: "DEMANDS",
    question: `What else is demanded? Separate several by commas; none: press Enter${described(demands)}`,
    example: "none",
    allowed: `none, or one or more of ${Object.keys(demands).join(", ")}, separated by commas`,
    read: (text) => {
      const list = text === "none" || text === "" ? [] : text.split(",").map((one) => one.trim());
      return list.every(isDemand) ? list : undefined;
    },
  } satisfies Variable<readonly Demand[]>,
} as const;

const example = `make advise ${Object.values(variables)
  .filter(({ name }) => name !== "DEMANDS")
  .map(({ name, example: value }) => `${name}=${value}`)
  .join(" ")}`;

export const help = `make advise: which way to run the platform fits, what it costs, what it does not cover, and what to do next.

${Object.values(variables)
  .map(({ name, question, allowed }) => `  ${name.padEnd(9)} ${question}\n            Allowed: ${allowed}`)
  .join("\n")}

On a terminal it asks for what is missing. JSON=1 prints the advice for programs. DEMANDS may be left out.

Example: ${example}

The rules are tables with their sources in tools/advise/rules.ts, and on the page docs/choosing.md.`;

const needed = ["visitors", "orders", "gb", "budget", "operator"] as const;

/** Asks a question. @returns what was typed */
export type Ask = (question: string) => Promise<string>;

/**
 * The needs as they were given, with questions for the missing ones.
 *
 * @param ask undefined without a terminal
 * @throws {UserError} for a text that is not allowed, and for missing ones without a terminal; it names all of them
 */
export async function needsFrom(texts: Texts, ask: Ask | undefined): Promise<Needs> {
  const keys = Object.keys(variables) as (keyof typeof variables)[];
  const missing = ask ? [] : needed.filter((key) => texts[key] === undefined).map((key) => variables[key].name);
  const problems = [
    ...(missing.length > 0 ? [`There is no terminal to ask on, and these are missing: ${missing.join(", ")}`] : []),
    ...keys.flatMap((key) => problemOf(key, texts[key])),
  ];
  if (problems.length > 0)
    throw new UserError([...problems, `Example: ${example}`, "More: make advise HELP=1"].join("\n"));
  // All other answers are on the command line: no question is asked then.
  const asks = needed.some((key) => texts[key] === undefined);
  return {
    visitors: await answer(variables.visitors, texts.visitors, ask),
    orders: await answer(variables.orders, texts.orders, ask),
    gb: await answer(variables.gb, texts.gb, ask),
    budget: await answer<number | null>(variables.budget, texts.budget, ask),
    operator: await answer<Operator>(variables.operator, texts.operator, ask),
    demands: await answer<readonly Demand[]>(variables.demands, texts.demands ?? (asks ? undefined : "none"), ask),
  };
}

function problemOf(key: keyof typeof variables, text: string | undefined): string[] {
  const { name, allowed, read } = variables[key];
  return text === undefined || read(text) !== undefined ? [] : [`${name}: got '${text}', allowed: ${allowed}`];
}

async function answer<T>({ question, allowed, read }: Variable<T>, text: string | undefined, ask: Ask | undefined) {
  for (let typed = text; ;) {
    typed ??= (await ask?.(`${question}\n> `))?.trim() ?? "";
    const value = read(typed);
    if (value !== undefined) return value;
    say(`  Got '${typed}', allowed: ${allowed}`);
    typed = undefined;
  }
}

/** Runs something with questions on this terminal. */
export async function onTerminal<T>(run: (ask: Ask) => Promise<T>): Promise<T> {
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  const ended = new AbortController();
  reader.once("close", () => {
    ended.abort();
  });
  try {
    return await run((question) => reader.question(question, { signal: ended.signal }));
  } catch (error) {
    if (ended.signal.aborted) throw new UserError("The questions were not answered, so there is no advice.");
    throw error;
  } finally {
    reader.close();
  }
}
