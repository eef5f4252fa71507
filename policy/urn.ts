/** `type name` of a URN; a provider reference carries its id behind another `::`. Undefined for what is none. Pure. */
export function shortUrn(urn: string): string | undefined {
  const [, , types, name] = urn.replace(/^urn:pulumi:/, "").split("::");
  return types === undefined || name === undefined ? undefined : `${types.split("$").pop() ?? types} ${name}`;
}
