/** Texts that a POSIX shell reads: quoted words, variables, and files as lines of a script. Pure. */

/** One word of a shell command, whatever characters it has. */
export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** Words of a shell command, quoted where a shell would change them. */
export const quotedWords = (words: readonly string[]): string =>
  words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quoted(word))).join(" ");

/** A here-document whose end is no line of the text, whatever the text says: `psql ${hereDocument(sql)}`. */
export function hereDocument(text: string): string {
  let end = "ORION-END";
  while (text.includes(end)) end += "-";
  return `<<'${end}'\n${text}\n${end}\n`;
}

/** A line `NAME=value` for each entry; values are written without quotes. */
export const assignments = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");

/**
 * A line of a script that writes a text to a file, whatever bytes the text has. A script goes to a shell's standard input,
 * so that the process list shows no content.
 */
export const writeLine = (path: string, text: string): string =>
  `echo '${Buffer.from(text).toString("base64")}' | base64 -d > ${quotedWords([path])}`;
