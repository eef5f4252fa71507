/** Text for GitHub: escaped, and within the limits of a comment. Pure. */

/**
 * Most characters and bytes of a comment or an issue. GitHub's limit is 65,536 characters; bodies of more than 200,000 bytes were refused
 * although they had fewer.
 */
export const limits = { characters: 60_000, bytes: 200_000 } as const;

const entities = (text: string, signs: RegExp): string => text.replaceAll(signs, (sign) => `&#${sign.charCodeAt(0)};`);

/** Text from a pull request or a provider is data: it may not become markup, mention anybody or end a block. */
export const plain = (text: string): string => entities(text, /[&<>@`[\]*_|#]/g).replaceAll(/\s+/g, " ");

/** A block of preformatted text that its contents cannot end. */
export const block = (text: string): string => `<pre>\n${entities(text, /[&<>@]/g)}\n</pre>`;

/** Keeps whole sections, in their order, as long as they fit; says what is left out. */
export function cut(sections: readonly string[], whole: string): string {
  const note = `\n_The rest is too long for this place; the whole report is in ${whole}._\n`;
  const fits = (text: string, most: number): boolean =>
    text.length <= limits.characters - most && Buffer.byteLength(text) <= limits.bytes - most;
  const all = sections.join("\n");
  if (fits(all, 0)) return all;
  let body = "";
  for (const section of sections) {
    const next = body === "" ? section : `${body}\n${section}`;
    if (!fits(next, Buffer.byteLength(note))) break;
    body = next;
  }
  // A first section that is too long alone: stacks without end. Its head says at least what must not be merged.
  return `${body === "" ? (sections[0] ?? "").slice(0, limits.characters / 4) : body}${note}`;
}
