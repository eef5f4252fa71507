/** Checks a passphrase against a stack's encryption salt as the engine does, so that a failed run can say what to set. */
import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";

const iterations = 1_000_000;
const tagLength = 16;

/**
 * Whether the passphrase is the one that a stack's salt was made with. Takes about 0.3 s.
 *
 * @param salt `v1:<salt>:v1:<nonce>:<ciphertext>`, each in base64
 * @returns undefined when the salt has another format
 */
export function matchesSalt(passphrase: string, salt: string): boolean | undefined {
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

/** The salts of a stack: one in its configuration, one in its state. They differ when one of the two was recreated. */
export function saltsOf(stackFile: string | undefined, state: string | undefined): string[] {
  const salts = [
    /^encryptionsalt:\s*["']?([^\s"']+)/m.exec(stackFile ?? "")?.[1],
    /"salt":\s*"(v1:[^"]+)"/.exec(state ?? "")?.[1],
  ];
  return [...new Set(salts.flatMap((salt) => salt ?? []))];
}

/** The passphrase that the engine gets from its environment; undefined when none is set and it would ask. */
export function passphraseOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const file = env["PULUMI_CONFIG_PASSPHRASE_FILE"];
  if (env["PULUMI_CONFIG_PASSPHRASE"] !== undefined) return env["PULUMI_CONFIG_PASSPHRASE"];
  try {
    return file === undefined ? undefined : readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** The hint for a passphrase that matches none of the salts; undefined when one matches or none is known. */
export function passphraseHint(
  stack: string,
  env: Readonly<Record<string, string | undefined>>,
  isDefault: boolean,
  salts: readonly string[],
): string | undefined {
  const passphrase = passphraseOf(env);
  if (passphrase === undefined || salts.every((salt) => matchesSalt(passphrase, salt) !== false)) return undefined;
  if (isDefault) {
    return (
      `Stack '${stack}' was not encrypted with the well-known passphrase of the development phase.\n` +
      "Set PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) to the passphrase that it was encrypted with."
    );
  }
  const source =
    env["PULUMI_CONFIG_PASSPHRASE"] === undefined ? "PULUMI_CONFIG_PASSPHRASE_FILE" : "PULUMI_CONFIG_PASSPHRASE";
  return (
    `The passphrase in ${source} is not the one that encrypted stack '${stack}'.\n` +
    `Set ${source} to that passphrase. For a development stack, unset both variables: it uses the well-known passphrase.`
  );
}
