import crypto, { createCipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { developmentPassphrase } from "../../../../toolchain/src/environment.ts";
import { matchesSalt, passphraseHint, passphraseOf, saltsOf } from "../../../../toolchain/src/passphrase.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

// A million rounds are a tenth of a second: the same key is derived once.
const derive = crypto.pbkdf2Sync;
const keys = new Map<string, ReturnType<typeof derive>>();
replaceDerivation((...args) => {
  const of = JSON.stringify(args);
  const key = keys.get(of) ?? derive(...args);
  keys.set(of, key);
  return key;
});
afterAll(() => {
  replaceDerivation(derive);
});

function replaceDerivation(by: typeof derive): void {
  crypto.pbkdf2Sync = by;
  syncBuiltinESMExports();
}

/** A salt as the engine makes it: a word that it knows, sealed with a key from the passphrase. */
function saltFor(passphrase: string, word = "pulumi"): string {
  const [keySalt, nonce] = [randomBytes(8), randomBytes(12)];
  const cipher = createCipheriv("aes-256-gcm", pbkdf2Sync(passphrase, keySalt, 1_000_000, 32, "sha256"), nonce);
  const sealed = Buffer.concat([cipher.update(word, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return ["v1", keySalt.toString("base64"), "v1", nonce.toString("base64"), sealed.toString("base64")].join(":");
}

const salt = saltFor("right");

test("a passphrase fits the salt that was made with it, and no other one does", () => {
  expect(matchesSalt("right", salt)).toBe(true);
  expect(matchesSalt("wrong", salt)).toBe(false);
  expect(matchesSalt("right", saltFor("right", "another word"))).toBe(false);
});

test("the salt of the development stack was made by the engine, and opens with the well-known passphrase", () => {
  const [engineMade = ""] = saltsOf(readFileSync("Pulumi.dev.yaml", "utf8"), undefined);
  expect(engineMade).toMatch(/^v1:/);
  expect(matchesSalt(developmentPassphrase, engineMade)).toBe(true);
});

test.each([[""], ["v2:unknown"], ["v1:abc"], ["v1:abc:v2:abc:abc"], ["v1::v1:abc:abc"]])(
  "of a salt like %j nothing can be said",
  (unknown) => {
    expect(matchesSalt("any", unknown)).toBeUndefined();
  },
);

test("a salt that was cut short fits nothing, and is no crash", () => {
  expect(matchesSalt("right", salt.slice(0, -24))).toBe(false);
  expect(matchesSalt("right", `${salt.split(":").slice(0, 4).join(":")}:AA==`)).toBe(false);
});

test("salts come from the stack's file and from the state, each once", () => {
  const state = JSON.stringify({ state: { salt: "v1:abc" } }, undefined, 1);
  expect(saltsOf("encryptionsalt: v1:abc\n", state)).toEqual(["v1:abc"]);
  expect(saltsOf('config: {}\nencryptionsalt: "v1:def"\n', state)).toEqual(["v1:def", "v1:abc"]);
  expect(saltsOf(undefined, JSON.stringify({ salt: "v1:abc" }))).toEqual(["v1:abc"]);
  expect(saltsOf(undefined, undefined)).toEqual([]);
});

describe("the passphrase that the engine gets", () => {
  let file: string;
  beforeEach(() => {
    file = join(temporaryFolder("passphrase"), "file");
    writeFileSync(file, "from the file\n");
  });

  test("is the variable's, even an empty one, before that of a file", () => {
    expect(passphraseOf({ PULUMI_CONFIG_PASSPHRASE: "", PULUMI_CONFIG_PASSPHRASE_FILE: file })).toBe("");
    expect(passphraseOf({ PULUMI_CONFIG_PASSPHRASE_FILE: file })).toBe("from the file");
  });

  test("is unknown where none is set, or the file cannot be read", () => {
    expect(passphraseOf({})).toBeUndefined();
    expect(passphraseOf({ PULUMI_CONFIG_PASSPHRASE_FILE: `${file}.missing` })).toBeUndefined();
  });

  test("from a file that does not fit: the file's variable is named", () => {
    const hint = passphraseHint("prod", { PULUMI_CONFIG_PASSPHRASE_FILE: file }, false, [salt]);
    expect(hint).toMatch(/^The passphrase in PULUMI_CONFIG_PASSPHRASE_FILE is not the one that encrypted stack 'prod'/);
    expect(hint).not.toContain("from the file");
  });
});

describe("after a failure", () => {
  const hint = (passphrase: string | undefined, isDefault = false, salts = [salt]) =>
    passphraseHint("dev", passphrase === undefined ? {} : { PULUMI_CONFIG_PASSPHRASE: passphrase }, isDefault, salts);

  test("a wrong passphrase is said to be wrong, with the variable to set, and is not repeated", () => {
    expect(hint("hunter2")).toBe(
      "The passphrase in PULUMI_CONFIG_PASSPHRASE is not the one that encrypted stack 'dev'.\n" +
        "Set PULUMI_CONFIG_PASSPHRASE to that passphrase. For a development stack, unset both variables: it uses the well-known passphrase.",
    );
  });

  test("a stack that the well-known one does not open: what to set", () => {
    expect(hint(developmentPassphrase, true)).toBe(
      "Stack 'dev' was not encrypted with the well-known passphrase of the development phase.\n" +
        "Set PULUMI_CONFIG_PASSPHRASE (or PULUMI_CONFIG_PASSPHRASE_FILE) to the passphrase that it was encrypted with.",
    );
  });

  test("it has to fit both salts, that of the file and that of the state", () => {
    expect(hint("right", false, [salt, saltFor("another")])).toContain("is not the one");
  });

  test("nothing is said when it fits, when none is set, or when nothing is known of the salt", () => {
    expect(hint("right")).toBeUndefined();
    expect(hint(undefined)).toBeUndefined();
    expect(hint("wrong", false, [])).toBeUndefined();
    expect(hint("wrong", false, ["v2:unknown"])).toBeUndefined();
  });
});
