/** Reads and writes durations such as 40d or 36h. Pure. */
import { UserError } from "../../common/user-error.ts";

const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;
const isUnit = (text: string): text is keyof typeof units => Object.hasOwn(units, text);
/** Certificates of the cloud's own authorities are valid for ten years. */
const most = 5 * 365 * units.d;

/** @returns milliseconds @throws {UserError} when it is no duration, or more than five years */
export function durationOf(text: string): number {
  const parts = [...text.matchAll(/(\d+)([dhms])/g)];
  const milliseconds = parts.reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (isUnit(unit) ? units[unit] : 0),
    0,
  );
  const isWhole = parts.map(([whole]) => whole).join("") === text;
  if (isWhole && milliseconds > 0 && milliseconds <= most) return milliseconds;
  throw new UserError(`Got '${text}', expected a duration of at most 1825d, such as 40d, 36h, 90m or 1d12h`);
}

/** The duration in words that `durationOf` reads, without parts of a second. */
export function durationText(milliseconds: number): string {
  let rest = milliseconds;
  const parts = Object.entries(units).flatMap(([unit, length]) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    return count === 0 ? [] : [`${count}${unit}`];
  });
  return parts.length === 0 ? "0s" : parts.join("");
}
