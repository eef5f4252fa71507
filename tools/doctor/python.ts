/** Runs a Python program in a container of the platform's image. Pure. */

/** Some images have `python3` alone, and some `python`; the check of an image takes both. */
const start = `p=$(command -v python3 || command -v python) || { echo "the image has neither python3 nor python on its PATH" >&2; exit 127; }
exec "$p" -c "$@"`;

/** The command of a program, with its arguments. */
export const pythonCommand = (program: string, ...words: readonly string[]): readonly string[] => [
  ...["sh", "-c", start, "sh", program, ...words],
];
