/** HTML from templates that escape what is put into them. Pure. */

/** Text that is HTML already; only `html` makes it. */
export interface Html {
  readonly html: string;
}

type Part = string | number | Html | readonly Html[] | undefined;

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => escapes[sign] ?? sign);

function partOf(part: Part): string {
  if (part === undefined) return "";
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  return "html" in part ? part.html : part.map((one) => one.html).join("");
}

/** A template of HTML: texts in it are escaped, also within quoted attributes; `Html` is taken as it is. */
export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  html: texts.map((text, index) => (index === 0 ? text : partOf(parts[index - 1]) + text)).join(""),
});

/** Text of this program that is HTML, CSS or JavaScript; nothing of a client belongs here. */
export const raw = (text: string): Html => ({ html: text });

/** A number with its noun. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** A time, which the page shows as the time that has passed since. */
export const ago = (time: string): Html =>
  html`<time datetime="${time}" title="${time.slice(0, 19).replace("T", " ")} UTC">${time.slice(11, 19)}</time>`;

/** A list whose rest is behind a button, so that hundreds do not hide what matters. The first ones matter most. */
export function withRest(
  key: string,
  shown: number,
  all: readonly Html[],
  rest: string,
  wrap: (some: readonly Html[]) => Html,
): Html {
  if (all.length <= shown + 2) return wrap(all);
  return html`${wrap(all.slice(0, shown))}
    <details id="${key}">
      <summary>${all.length - shown} more ${rest}</summary>
      ${wrap(all.slice(shown))}
    </details>`;
}
