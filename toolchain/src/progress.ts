/** Progress output for long work: one line per task, with its elapsed seconds. */
export interface Progress {
  say(line: string): void;
  /**
   * Prints the title and the elapsed seconds until the work ends.
   *
   * @param done word for success at the end of the line, for example `built`
   */
  during<T>(title: string, done: string, work: () => Promise<T>): Promise<T>;
}

/** The methods of a stream that are used here; process.stderr has them. */
export interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Milliseconds between two updates: a terminal overwrites its line, a log keeps each one. */
const interval = { terminal: 1_000, log: 15_000 };

/** Writes progress to a stream. Default: stderr, because programs may parse what the engine prints on stdout. */
export function progressOn(screen: Screen = process.stderr): Progress {
  const terminal = screen.isTTY === true;
  const write = (line: string, stays: boolean) =>
    screen.write(terminal ? `\r\u001b[2K${line}${stays ? "\n" : ""}` : `${line}\n`);
  return {
    say: (line) => void write(line, true),
    async during(title, done, work) {
      const started = Date.now();
      const seconds = () => Math.round((Date.now() - started) / 1000);
      write(`  ${title} ...`, false);
      const timer = setInterval(
        () => void write(`  ${title} ... ${seconds()} s`, false),
        terminal ? interval.terminal : interval.log,
      );
      try {
        const result = await work();
        write(`  ${title}: ${done} in ${seconds()} s`, true);
        return result;
      } catch (error) {
        write(`  ${title}: failed after ${seconds()} s`, true);
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
  };
}
