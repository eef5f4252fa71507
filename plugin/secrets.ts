/** Secrets as they cross the plugin protocol: an object that is marked by a signature and carries the value. */

/** The engine's mark of a wrapped value, also in the state, and, as its content, of a secret (Pulumi's resource property encoding). */
export const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** What the engine sends in a preview for a text that is not known yet. */
export const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The plain value of whatever the engine sent, with every secret in it unwrapped. */
export function unwrapSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapSecrets);
  if (typeof value !== "object" || value === null) return value;
  if (signatureKey in value && value[signatureKey] === secretSignature && "value" in value) {
    return unwrapSecrets(value.value);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapSecrets(inner)]));
}

/** `text` with each of the given secrets replaced; very short ones are left, they would only garble it. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 6)
    .sort((a, b) => b.length - a.length)
    .reduce((result, secret) => result.replaceAll(secret, "[secret]"), text);
}
