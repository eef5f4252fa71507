/** Shortens a URN to `type name`; a provider reference is a URN with `::<id>`. Undefined for other texts. Pure. */
export function shortUrn(urn: string): string | undefined {
  const [, , types, name] = urn.replace(/^urn:pulumi:/, "").split("::");
  return types === undefined || name === undefined ? undefined : `${types.split("$").pop() ?? types} ${name}`;
}
