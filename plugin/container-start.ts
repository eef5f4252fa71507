/**
 * Decides whether a container that starts is ready, may still become it, or is given up. Pure.
 *
 * A start that is slow but alive gets its time: on two slow cores, ten services that start together need over a minute. One that
 * cannot succeed any more is given up at once, since an update waits for it, and so do the visitors of a local stack.
 */

/** A container's state at one moment. */
export interface Look {
  /** When, in milliseconds of any clock. */
  readonly at: number;
  readonly isHealthy: boolean;
  /** How often Docker has started it again. */
  readonly restarts: number;
  /** How its last run ended; undefined while it has not ended. */
  readonly ended?: string | undefined;
  /** What its last health check printed. */
  readonly answer?: string | undefined;
  /** Seconds of processor time that it has used; undefined where it was not measured. */
  readonly cpuSeconds?: number | undefined;
  /** Whether one of its processes runs, or waits for a processor or a disk; undefined where it was not measured. */
  readonly isBusy?: boolean | undefined;
  /** How many of Uvicorn's processes have ended and were started again by Uvicorn. */
  readonly deaths?: number | undefined;
}

/** Whether the container is ready, or why it is given up; undefined: look again. */
export type Verdict = { readonly ready: true } | { readonly ready: false; readonly why: string } | undefined;

/** A container without a limit of its own gets this long, as long as it looks alive. */
const usualSeconds = 180;
/** A container that Docker has started again so often is given up. */
const mostRestarts = 3;
/** More than the usual number of Uvicorn's processes: each has ended once, and some twice. */
const deathsToGiveUp = 6;
/** An app whose health check gets wrong answers for so many seconds is given up: it has started, and its answers will not change. */
const wrongSeconds = 20;
/** A container that uses no processor for so many seconds, and does not answer, hangs or waits for something that does not come. */
const idleSeconds = 25;
/** Seconds of processor time within {@link idleSeconds} below which a container is idle: the health checks alone use about 0.2. */
const idleCpuSeconds = 0.6;

/**
 * @param looks at the container since it was created, at least one; the newest is the last
 * @param limit seconds that it may take, whatever it does meanwhile. @default - {@link usualSeconds}, and less if it does nothing
 */
export function judgeStart(looks: readonly Look[], limit?: number): Verdict {
  const [first, last] = [looks[0], looks.at(-1)];
  if (!first || !last) return undefined;
  if (last.isHealthy) return { ready: true };
  const given = (why: string): Verdict => ({ ready: false, why });
  if (last.restarts >= mostRestarts) {
    const how = looks.findLast(({ ended }) => ended !== undefined)?.ended;
    return given(`it has ended ${last.restarts} times${how === undefined ? "" : `, ${how}`}`);
  }
  if ((last.deaths ?? 0) >= deathsToGiveUp) return given(`its processes have ended ${last.deaths} times`);
  const wrong = wrongSince(looks);
  if (wrong && last.at - wrong.at >= wrongSeconds * 1000) {
    return given(`its health check has got ${wrong.status} for ${wrongSeconds} s`);
  }
  if (limit === undefined && isIdle(looks)) {
    return given(`it has done nothing for ${idleSeconds} s, and does not answer`);
  }
  const seconds = limit ?? usualSeconds;
  return last.at - first.at < seconds * 1000 ? undefined : given(`it was not healthy within ${seconds} s`);
}

/**
 * The status of an HTTP answer in what a health check printed: `HTTP 404 Not Found`, or as curl, wget and Python put it. 503 is
 * left out: it says that the app is there, and not ready yet.
 */
export function wrongStatus(answer: string | undefined): string | undefined {
  const [, whole, code] =
    /(?:\bHTTP(?:\/\d(?:\.\d)?)?(?: Error)?:? |returned error: )((\d{3})[^\n]*)/.exec(answer ?? "") ?? [];
  return whole === undefined || code === "503" || code?.startsWith("2") === true ? undefined : `HTTP ${whole.trim()}`;
}

/** Since when every look has had a wrong answer, and which. */
function wrongSince(looks: readonly Look[]): { readonly at: number; readonly status: string } | undefined {
  const status = wrongStatus(looks.at(-1)?.answer);
  if (status === undefined) return undefined;
  const before = looks.findLastIndex(({ answer }) => wrongStatus(answer) === undefined);
  return { at: looks[before + 1]?.at ?? 0, status };
}

/** Whether the container has used next to no processor time, and has not answered at all. */
function isIdle(looks: readonly Look[]): boolean {
  const known = looks.filter(({ cpuSeconds }) => cpuSeconds !== undefined);
  const last = known.at(-1);
  const before = last && known.findLast(({ at }) => last.at - at >= idleSeconds * 1000);
  if (!last || !before || /\bHTTP\b/.test(last.answer ?? "")) return false;
  // On a busy machine it may have been given nothing.
  const since = known.filter(({ at }) => at >= before.at);
  if (since.some(({ isBusy }) => isBusy !== false)) return false;
  return last.restarts === before.restarts && (last.cpuSeconds ?? 0) - (before.cpuSeconds ?? 0) < idleCpuSeconds;
}
