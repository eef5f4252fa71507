import { readFileSync } from "node:fs";
import { developmentPassphrase } from "../../../toolchain/src/environment.ts";
import { fits, passphraseHint, saltsOf } from "../../../toolchain/src/passphrase.ts";

const stackFile = readFileSync("Pulumi.dev.yaml", "utf8");
const [salt = ""] = saltsOf(stackFile, undefined);

test("the development stack's salt was made by the engine, and opens with the well-known passphrase alone", () => {
  expect(salt).toMatch(/^v1:/);
  expect(fits(developmentPassphrase, salt)).toBe(true);
  expect(fits("wrong", salt)).toBe(false);
  expect(fits("any", "v2:unknown")).toBeUndefined();
});

test("salts come from the stack's file and from the state, each once", () => {
  const state = JSON.stringify({ state: { salt: "v1:abc" } }, undefined, 1);
  expect(saltsOf("encryptionsalt: v1:abc\n", state)).toEqual(["v1:abc"]);
  expect(saltsOf("encryptionsalt: v1:def\n", state)).toEqual(["v1:def", "v1:abc"]);
  expect(saltsOf(undefined, undefined)).toEqual([]);
});

describe("after a failure", () => {
  const hint = (passphrase: string | undefined, isDefault = false) =>
    passphraseHint("dev", passphrase === undefined ? {} : { PULUMI_CONFIG_PASSPHRASE: passphrase }, isDefault, [salt]);

  test("a wrong passphrase is said to be wrong, with the variable to set, and is not repeated", () => {
    expect(hint("hunter2")).toContain("The passphrase in PULUMI_CONFIG_PASSPHRASE is not the one");
    expect(hint("hunter2")).not.toContain("hunter2");
    expect(hint("hunter2", true)).toContain("was not encrypted with the well-known passphrase");
  });

  test("nothing is said when it fits, or none is set", () => {
    expect(hint(developmentPassphrase)).toBeUndefined();
    expect(hint(undefined)).toBeUndefined();
  });
});
