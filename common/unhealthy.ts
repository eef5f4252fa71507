/** Formats the report about an unhealthy container. Pure. */

export interface Unhealthy {
  readonly name: string;
  /** What is wrong with it: `is not healthy (Up 2 minutes (unhealthy))`. */
  readonly happens: string;
  /** Another container of the same service that is healthy, and its status. @default - there is none */
  readonly before?: { readonly name: string; readonly status: string } | undefined;
  /** What its last health check has printed. */
  readonly answer: string;
  readonly log: string;
}

/** Lines of a log that are shown. */
export const shownLines = 15;

export function describeUnhealthy({ name, happens, before, answer, log }: Unhealthy): string[] {
  const lines = answer.trim().split("\n").filter(Boolean);
  return [
    `${name} ${happens}. ${whatRuns(before)}`,
    ...(lines.length === 0 ? [] : ["Its health check says:", ...lines.map(indented)]),
    "The end of its log:",
    ...log.trimEnd().split("\n").slice(-shownLines).map(indented),
  ];
}

const whatRuns = (before: Unhealthy["before"]): string =>
  before === undefined
    ? "No other container of this service runs."
    : `The version before keeps running: ${before.name}, ${before.status}.`;

const indented = (line: string): string => `    ${line}`;
