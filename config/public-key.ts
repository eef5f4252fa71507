/** OpenSSH's public keys as a setting has them: one line of algorithm, key and comment. Pure. */
import { createHash } from "node:crypto";

/** Algorithm and key, without the comment. */
export const keyBody = (key: string): string => key.split(/\s+/).slice(0, 2).join(" ");

/** Eight hexadecimal digits that identify a public key, whatever its comment is. */
export const keyFingerprint = (key: string): string =>
  createHash("sha256").update(keyBody(key)).digest("hex").slice(0, 8);

/** What is wrong with a public key; undefined: nothing. A server ignores a line that it cannot read, and nobody could log in. */
export function publicKeyProblem(line: string): string | undefined {
  const example = "an OpenSSH public key, as in a file that ends in .pub: ssh-ed25519 AAAA... comment";
  if (/[\r\n]/.test(line.trim())) return `${example}; one key in each entry`;
  const [algorithm = "", key = ""] = line.trim().split(/\s+/);
  if (!/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+)$/.test(algorithm))
    return `${example}; of the algorithms ssh-ed25519, ssh-rsa or ecdsa-sha2-nistp256, 384 or 521`;
  const bytes = Buffer.from(key, "base64");
  // Node.js skips what is not Base64.
  if (bytes.toString("base64").replace(/=+$/, "") !== key.replace(/=+$/, ""))
    return `${example}; the key is not Base64`;
  const fields = fieldsOf(bytes);
  if (fields?.[0]?.toString() !== algorithm || fields.length < 2)
    return `${example}; the key is cut or of another algorithm`;
  return undefined;
}

/** The fields, each behind its length in four bytes (RFC 4253, section 6.6); undefined when they do not add up. */
function fieldsOf(bytes: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return undefined;
    fields.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}
