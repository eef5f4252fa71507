/** Shortens a URN to `type name`. Pure. */

/** A provider reference is a URN with `::<id>`. @returns undefined for other texts */
export function shortUrn(urn: string): string | undefined {
  const [, , types, name] = urn.replace(/^urn:pulumi:/, "").split("::");
  return types === undefined || name === undefined ? undefined : `${types.split("$").pop() ?? types} ${name}`;
}
