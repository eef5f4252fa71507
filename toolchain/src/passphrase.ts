/** Whether a passphrase fits a stack, found out as the engine does, so that a failed run can say what to set. */
import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";

const iterations = 1_000_000;
const tagLength = 16;

/**
 * Whether the passphrase opens the salt that the engine keeps with a stack. Takes about 0.3 s.
 *
 * @param salt `v1:<salt>:v1:<nonce>:<ciphertext>`, each in base64
 * @returns undefined when the salt is not of that form
 */
export function fits(passphrase: string, salt: string): boolean | undefined {
  const [version, keySalt, inner, nonce, sealed] = salt.split(":");
  if (version !== "v1" || inner !== "v1" || !keySalt || !nonce || !sealed) return undefined;
  const key = pbkdf2Sync(passphrase, Buffer.from(keySalt, "base64"), iterations, 32, "sha256");
  const bytes = Buffer.from(sealed, "base64");
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(bytes.subarray(-tagLength));
    return decipher.update(bytes.subarray(0, -tagLength), undefined, "utf8") + decipher.final("utf8") === "pulumi";
  } catch {
    return false;
  }
}

/** The salts of a stack: one for its configuration, one for its state; they differ when either was made anew. */
export function saltsOf(stackFile: string | undefined, state: string | undefined): string[] {
  const salts = [
    /^encryptionsalt:\s*["']?([^\s"']+)/m.exec(stackFile ?? "")?.[1],
    /"salt":\s*"(v1:[^"]+)"/.exec(state ?? "")?.[1],
  ];
  return [...new Set(salts.flatMap((salt) => salt ?? []))];
}

/** The passphrase that the engine gets from its environment; undefined when it has to ask. */
export function passphraseOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const file = env["PULUMI_CONFIG_PASSPHRASE_FILE"];
  if (env["PULUMI_CONFIG_PASSPHRASE"] !== undefined) return env["PULUMI_CONFIG_PASSPHRASE"];
  try {
    return file === undefined ? undefined : readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** What to tell the user about a passphrase that fits none of the salts; undefined when it fits, or none is known. */
export function passphraseHint(
  stack: string,
  env: Readonly<Record<string, string | undefined>>,
  isDefault: boolean,
  salts: readonly string[],
): string | undefined {
  const passphrase = passphraseOf(env);
  if (passphrase === undefined || salts.every((salt) => fits(passphrase, salt) !== false)) return undefined;
  if (isDefault) {
    return (
      `Stack '${stack}' was not encrypted with the well-known passphrase of the development phase.\n` +
      "Set PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) to the one that it was encrypted with."
    );
  }
  const source =
    env["PULUMI_CONFIG_PASSPHRASE"] === undefined ? "PULUMI_CONFIG_PASSPHRASE_FILE" : "PULUMI_CONFIG_PASSPHRASE";
  return (
    `The passphrase in ${source} is not the one that stack '${stack}' was encrypted with.\n` +
    `Set ${source} to that one; a development stack is opened by the well-known one when both variables are unset.`
  );
}
