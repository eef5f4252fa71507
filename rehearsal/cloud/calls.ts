/** The last calls of the APIs, for the page and the log. */

export interface Call {
  /** RFC 3339. */
  readonly time: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly milliseconds: number;
}

const kept = 100;

export class Calls {
  readonly #calls: Call[] = [];
  #total = 0;

  add(call: Call): void {
    this.#total++;
    this.#calls.push(call);
    if (this.#calls.length > kept) this.#calls.shift();
  }

  /** Newest first. */
  get last(): readonly Call[] {
    return this.#calls.toReversed();
  }

  /** Since the emulator was started. */
  get total(): number {
    return this.#total;
  }
}

export const lineOf = ({ time, method, path, status, milliseconds }: Call): string =>
  `${time.slice(11, 19)} ${method.padEnd(6)} ${path} ${status} ${milliseconds} ms`;
