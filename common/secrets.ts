/** Secrets as Pulumi's engine encodes them, and the redaction of secrets in messages. Pure. */

/** The key that marks a wrapped value in the plugin protocol and in a state (Pulumi's resource property encoding). */
export const signatureKey = "4dabf18193072939515e22adb298388d";
/** The value of that key which marks a secret. */
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** The text that the engine sends in a preview for a value that is not known yet. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The plain value of what the engine sent, with every secret in it unwrapped. */
export function unwrapSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapSecrets);
  if (typeof value !== "object" || value === null) return value;
  if (signatureKey in value && value[signatureKey] === secretSignature && "value" in value) {
    return unwrapSecrets(value.value);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapSecrets(inner)]));
}

/** `text` with each of the given secrets replaced. Secrets below six characters are kept: they match ordinary words. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 6)
    .sort((a, b) => b.length - a.length)
    .reduce((result, secret) => result.replaceAll(secret, "[secret]"), text);
}
