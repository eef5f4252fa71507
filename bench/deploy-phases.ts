/** Where the seconds of a deploy go, by what the engine prints meanwhile. Pure. */

/** A line that the engine has printed, and when: seconds after its start. */
export interface Printed {
  readonly at: number;
  readonly line: string;
}

/** The phases of a deploy in their order; each ends with the last of the lines that it names. */
const phases = [
  ["the engine starts, the program composes, the new image is asked what it lacks", / release-migrate updating /],
  ["the release: migrations, initialisation", / release-(migrate|init) updated /],
  ["the new apps start", / app-\S+-ready updated /],
  ["the edge passes requests to them", / edge-\S+-config updated /],
  ["workers, Beat and Flower have started as well", / (worker-\S+|workers-\S+)-ready updated /],
  ["the old apps and workers end", / (app|worker)-\S+ deleted original /],
] as const;

/** What is left at the end of a deploy. */
const rest = "the engine ends";

export type Phases = ReadonlyMap<string, number>;

/**
 * The seconds of each phase. What was complete before the phase before it had ended has taken none.
 *
 * @param seconds of the whole deploy
 * @throws {Error} when the engine has not printed a line of each phase: it has changed its words, or it was no deploy
 */
export function phasesOf(printed: readonly Printed[], seconds: number): Phases {
  let from = 0;
  const found = phases.map(([what, ends]) => {
    const last = printed.findLast(({ line }) => ends.test(line));
    if (!last) throw new Error(`no line of the engine says that ${what}`);
    const taken = Math.max(0, last.at - from);
    from += taken;
    return [what, taken] as const;
  });
  return new Map([...found, [rest, Math.max(0, seconds - from)]]);
}
