import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "../../../testing/folder.ts";
import { writeOperatorKey } from "../../../tools/operator-key.ts";
import { settingsOf } from "../support/settings.ts";

const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----";
let home: string;
beforeEach(() => {
  home = temporaryFolder("home");
});
const settings = (identityFile?: string) => ({
  settings: settingsOf("development", { admin: { ...(identityFile !== undefined && { identityFile }) } }),
});

test.each([
  [undefined, ".ssh/id_ed25519"],
  ["~/keys/prod", "keys/prod"],
])("with orion:admin.identityFile %s the key is in ~/%s, for its owner only", (identityFile, path) => {
  expect(writeOperatorKey(settings(identityFile), `${key}\n\n`, home)).toContain(path);
  expect(readFileSync(join(home, path), "utf8")).toBe(`${key}\n`);
  expect(statSync(join(home, path)).mode & 0o777).toBe(0o600);
  expect(writeOperatorKey(settings(identityFile), key, home)).toContain("has the key already");
});

test("somebody else's key stays, and without a key nothing is written", () => {
  const path = join(home, ".ssh", "id_ed25519");
  expect(writeOperatorKey(settings(), "  ", home)).toContain("is not set");
  mkdirSync(dirname(path));
  writeFileSync(path, "another");
  expect(() => writeOperatorKey(settings(), key, home)).toThrow("another key");
  expect(readFileSync(path, "utf8")).toBe("another");
});
