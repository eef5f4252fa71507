/** The key of backups: in the format of `age`, a secret, and protected. */
import { randomBytes } from "node:crypto";
import { spawnSync } from "node:child_process";
import * as pulumi from "@pulumi/pulumi";
import { bech32 } from "../../../../components/database/bech32.ts";
import { BackupKey, keyPair } from "../../../../components/database/backup-key.ts";
import { compose } from "../../support/compose.ts";
import { named } from "../../support/runtime.ts";

test.each([
  // From BIP 173.
  ["a", "", "a12uel5l"],
  ["abcdef", "00443214c74254b635cf84653a56d7c675be77df", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"],
])("the notation of %s%s is %s", (prefix, data, expected) => {
  expect(bech32(prefix, Buffer.from(data, "hex"))).toBe(expected);
});

test("a pair as age-keygen has it", () => {
  // Made by age-keygen 1.1.1 from its identity: `age-keygen -y`.
  expect(keyPair(Buffer.alloc(32, 7))).toEqual({
    identity: "AGE-SECRET-KEY-1QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSWPC8QURSKMP32K",
    recipient: "age1zwlyl6h27gzv0lfntr7fcqrjrzqazap8sy5zylkxwneh7llf0dksu37mwt",
  });
});

const hasAge = spawnSync("age-keygen", ["--version"]).status === 0;
(hasAge ? test : test.skip)("age-keygen derives the same public key", () => {
  for (const secret of Array.from({ length: 20 }, () => randomBytes(32))) {
    const { identity, recipient } = keyPair(secret);
    const { stdout } = spawnSync("age-keygen", ["-y"], { input: identity, encoding: "utf8" });
    expect(stdout.trim()).toBe(recipient);
  }
});

test("the private half is a secret, the public half is not; nothing deletes them", async () => {
  const { resources, result } = await compose("up", () => new BackupKey("backup-key", {}));
  expect(named(resources, "backup-key-bytes")).toMatchObject({
    type: "random:index/randomBytes:RandomBytes",
    inputs: { length: 32 },
    options: { protect: true },
  });
  expect(await pulumi.isSecret(result.identity)).toBe(true);
  expect(await pulumi.isSecret(result.recipient)).toBe(false);
});
