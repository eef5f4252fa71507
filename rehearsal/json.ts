/** Type and type guard of JSON objects, as both APIs read and write them. */

export type Json = Readonly<Record<string, unknown>>;
