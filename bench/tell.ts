/** Tells the progress of a benchmark that takes long, with the time of the day (UTC). */
export const tell = (line: string): void => {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
};
