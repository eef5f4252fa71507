/** What the values in request bodies can be, for the tables of properties. Pure. */
import { isRecord } from "../../common/record.ts";
import { isText } from "./body.ts";

/** A value that is no object with known names. */
export class Value {
  /** What it can be, for the message about another one. */
  readonly expected: string;
  readonly fits: (value: unknown) => boolean;

  constructor(expected: string, fits: (value: unknown) => boolean) {
    this.expected = expected;
    this.fits = fits;
  }
}

export const text = new Value("a string", isText);
/** @param most the most characters that it can have */
export const someText = (most = Infinity): Value =>
  new Value(
    `a string of ${most === Infinity ? "at least 1" : `1 to ${most}`} characters`,
    (value) => isText(value) && value.length > 0 && value.length <= most,
  );
export const shortText = (most: number): Value =>
  new Value(`a string of at most ${most} characters`, (value) => isText(value) && value.length <= most);
export const flag = new Value("true or false", (value) => typeof value === "boolean");
export const time = new Value(
  "a time such as 2026-01-31T00:00:00Z",
  (value) => isText(value) && /^\d{4}-\d\d-\d\d/.test(value) && !Number.isNaN(Date.parse(value)),
);
export const hexId = new Value(
  "an id of 32 digits from 0 to f",
  (value) => isText(value) && /^[0-9a-f]{32}$/.test(value),
);

const ofRange = (least: number, most: number): string => {
  if (most !== Infinity) return ` from ${least} to ${most}`;
  return least === -Infinity ? "" : ` of at least ${least}`;
};
export const decimal = (least = -Infinity, most = Infinity): Value =>
  new Value(`a number${ofRange(least, most)}`, (value) => typeof value === "number" && value >= least && value <= most);
export const whole = (least = -Infinity, most = Infinity): Value =>
  new Value(
    `a whole number${ofRange(least, most)}`,
    (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
  );
export const oneOf = (...allowed: readonly unknown[]): Value =>
  new Value(allowed.map(String).join(", "), (value) => allowed.includes(value));
export const listOf = ({ expected, fits }: Value): Value =>
  new Value(`a list of ${expected}`, (value) => Array.isArray(value) && value.every(fits));
/** An object with any names. */
export const mapOf = ({ expected, fits }: Value): Value =>
  new Value(
    `an object, and ${expected} under each name`,
    (value) => isRecord(value) && Object.values(value).every(fits),
  );
