/** Texts in the XML of S3: what an element may not have in it as it is, and the keys of lists. Pure. */

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

export const escaped = (text: string): string => text.replace(/[&<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);

const unescaped = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name = "") =>
    hex !== undefined || decimal !== undefined
      ? String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))
      : (entities[String(name)] ?? whole),
  );

/** The keys that the body of a DeleteObjects request names. */
export const deletedKeys = (body: string): string[] =>
  [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, found = ""]) => unescaped(found));

/** Elements of lists with keys or parts of them. */
const keyElement = /<(Key|Prefix|Delimiter|Marker|NextMarker|StartAfter|KeyMarker|NextKeyMarker)>([^<]*)</g;

/** A list as `encoding-type=url` asks for: with keys that are encoded as in addresses. */
export const urlEncoded = (list: string): string =>
  list
    .replace(
      keyElement,
      (_, name: string, text: string) => `<${name}>${encodeURIComponent(unescaped(text)).replaceAll("%2F", "/")}<`,
    )
    .replace(/<EncodingType>[^<]*<\/EncodingType>|<EncodingType\/>/, "")
    .replace(/<List\w+Result[^>]*>/, (start) => `${start}<EncodingType>url</EncodingType>`);
