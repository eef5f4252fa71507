/** Finds the SSH keys of a stack that Hetzner has already: it stores each key once in a project, under whatever name. */
import { type Access, type Hetzner, hetznerBy, isNoAnswer } from "../common/hetzner.ts";
import { keyFingerprint } from "../config/public-key.ts";
import type { Graph } from "../policy/graph.ts";
import { types } from "../policy/stateful.ts";

/**
 * The ids at Hetzner of the keys that this stack has not created: a person did in Hetzner's console, or another stack. They are used as
 * they are, and stay when the stack is deleted. Hetzner is asked only about keys that the stack's state does not have.
 *
 * @param publicKeys `orion:admin.sshPublicKeys`
 * @param before the stack's state
 * @param api tests replace it
 * @returns ids by `keyFingerprint`; none when Hetzner does not answer, since the update itself tells then
 */
export async function existingKeys(
  publicKeys: readonly string[],
  before: Graph,
  access: Access,
  api: Pick<Hetzner, "sshKey"> = hetznerBy(access),
): Promise<ReadonlyMap<string, string>> {
  const own = before.resources.filter(({ type }) => type === types.sshKey);
  const known = new Set(own.map(({ inputs }) => keyFingerprint(String(inputs["publicKey"]))));
  const found = new Map<string, string>();
  try {
    for (const key of publicKeys.filter((one) => !known.has(keyFingerprint(one)))) {
      const id = await api.sshKey(key);
      if (id !== undefined) found.set(keyFingerprint(key), id);
    }
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
  }
  return found;
}
