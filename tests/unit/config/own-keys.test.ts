/** Whether this machine's private keys open the servers, asked of ssh's own programs. */
import { chmodSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runSync } from "../../../common/process.ts";
import { sshKeyProblem } from "../../../config/own-keys.ts";
import { temporaryFolder } from "../../../testing/folder.ts";
import { settingsOf } from "../support/settings.ts";

const folder = temporaryFolder("own-keys");
mkdirSync(folder, { recursive: true });
const keyAt = (name: string, passphrase = "") => {
  const path = join(folder, name);
  rmSync(path, { force: true });
  runSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", path]);
  chmodSync(path, 0o600);
  return { path, text: readFileSync(`${path}.pub`, "utf8").trim() };
};
const [mine, other, locked] = [keyAt("mine"), keyAt("other"), keyAt("locked", "a passphrase")];

const admin = (keys: readonly string[], identityFile?: string) =>
  settingsOf("mvp", {
    admin: { cidrs: ["203.0.113.0/24"], sshPublicKeys: keys, ...(identityFile !== undefined && { identityFile }) },
  }).admin;

test("a set with the key at hand is accepted, whatever else and whatever comment it has", () => {
  const [algorithm = "", key = ""] = mine.text.split(" ");
  expect(sshKeyProblem(admin([other.text, `${algorithm} ${key} renamed`], mine.path))).toBeUndefined();
  expect(sshKeyProblem(admin([locked.text], locked.path))).toBeUndefined();
});

test("a set without it is refused, with what to do", () => {
  expect(sshKeyProblem(admin([other.text], mine.path))).toMatch(
    /^orion:admin.sshPublicKeys: got 1 keys, none of which belongs to .*mine; allowed: a list with the public key of this machine/,
  );
  expect(sshKeyProblem(admin([other.text], locked.path))).toContain("or every server would refuse the program");
});

test("a private key whose public half cannot be told is left to the server", () => {
  rmSync(`${locked.path}.pub`);
  expect(sshKeyProblem(admin([other.text], locked.path))).toBeUndefined();
});

describe("without orion:admin.identityFile", () => {
  /** ssh with these files in its configuration, and these keys in its agent. */
  const ssh =
    (files: readonly string[], agent: readonly string[], more = ""): typeof runSync =>
    (program, args, options) => {
      const answer = (code: number, stdout: string) => ({ code, stdout, stderr: "", output: stdout });
      if (program === "ssh") return answer(0, [...files.map((path) => `identityfile ${path}`), more].join("\n"));
      if (program === "ssh-add") return answer(agent.length > 0 ? 0 : 2, agent.join("\n"));
      return runSync(program, args, options);
    };

  test("the keys are those that ssh tries: its files and its agent's", () => {
    const missing = join(folder, "missing");
    expect(sshKeyProblem(admin([mine.text]), ssh([missing, mine.path], []))).toBeUndefined();
    expect(sshKeyProblem(admin([mine.text]), ssh([missing], [other.text, mine.text]))).toBeUndefined();
    expect(sshKeyProblem(admin([mine.text]), ssh([other.path], [other.text]))).toContain(
      "none of which belongs to the keys that ssh finds on this machine",
    );
    expect(sshKeyProblem(admin([mine.text]), ssh([missing], []))).toBeDefined();
  });

  test("what is on a token cannot be told", () => {
    expect(sshKeyProblem(admin([mine.text]), ssh([], [], "pkcs11provider /usr/lib/token.so"))).toBeUndefined();
  });
});

test("a private key that is not there is named", () => {
  expect(sshKeyProblem(admin([mine.text], join(folder, "nowhere")))).toMatch(
    /^orion:admin.identityFile: got ".*nowhere", allowed: a private key file of this machine; there is no such file$/,
  );
});
