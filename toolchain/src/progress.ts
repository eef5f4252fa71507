/** What is going on, for whoever waits: one line per piece of work, with the seconds that it has taken. */
export interface Progress {
  say(line: string): void;
  /**
   * Shows the work under its title until it ends.
   *
   * @param done how the line ends when it is over, for example `built`
   */
  during<T>(title: string, done: string, work: () => Promise<T>): Promise<T>;
}

/** The part of a stream that is needed; process.stderr is one. */
export interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Milliseconds between two lines: on a terminal the line is written over, elsewhere each one stays in a log. */
const interval = { terminal: 1_000, log: 15_000 };

/** Progress on a stream; stderr by default, because what the engine prints on stdout may be read by a program. */
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
