import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readHostKeys, writeHostKeys } from "../../../common/known-hosts.ts";
import { type HostReadyInputs, waitForHost } from "../../../plugin/host-ready.ts";
import { OrionProvider } from "../../../plugin/provider.ts";
import { temporaryFolder } from "../../../testing/folder.ts";
import { type Answer, type Command, runBy } from "../support/process.ts";

const knownHosts = join(temporaryFolder("host-ready"), "known-hosts-42");
const [firstKey, ownKey, oldKey] = ["ssh-ed25519 AAAAfirst", "ssh-ed25519 AAAAown", "ssh-ed25519 AAAAold"];
const inputs: HostReadyInputs = {
  host: "ssh://root@192.0.2.1",
  sshOptions: ["-o", "ControlMaster=auto", "-o", `UserKnownHostsFile=${knownHosts}`],
  serverId: "42",
  firstKey,
  timeoutSeconds: 60,
};
const refused: Answer = { code: 255, output: "ssh: connect to host 192.0.2.1 port 22: Connection refused" };
const foreign: Answer = { code: 255, output: "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!" };
const booting: Answer = { code: 1, output: "" };
const ready: Answer = { code: 0, output: "20.10.24" };

interface Seen extends Command {
  /** The keys that this machine accepted when the command was sent. */
  readonly accepted: readonly string[];
}

/** A server that gives these answers while it boots, the last one until the end, and then shows its own key. */
function server(answers: readonly Answer[], after: (command: Command) => Answer | undefined = () => undefined) {
  const calls: Seen[] = [];
  let shown = firstKey;
  const play = (command: Command): Answer => {
    calls.push({ ...command, accepted: readHostKeys(inputs.sshOptions) });
    const other = after(command);
    if (other) return other;
    const script = command.input;
    if (typeof script !== "string") {
      const asked = command.args.at(-1) ?? "";
      const tries = calls.filter(({ args }) => args.at(-1) === asked).length;
      return asked.includes("orion-volume") ? {} : (answers[Math.min(tries, answers.length) - 1] ?? ready);
    }
    if (script.includes("ssh-keygen")) return { stdout: `${ownKey} root@core-1\n` };
    if (script.includes("mv -f")) shown = ownKey;
    const accepted = readHostKeys(inputs.sshOptions);
    return accepted.includes(shown) ? {} : foreign;
  };
  return { run: runBy(play), calls };
}

const noPause = () => Promise.resolve();
const wait = (s: ReturnType<typeof server>, changes: Partial<HostReadyInputs> = {}, before?: HostReadyInputs) =>
  waitForHost({ ...inputs, ...changes }, s.run, before, noPause);

beforeEach(() => {
  rmSync(knownHosts, { force: true });
});

describe("first contact", () => {
  test("accepts the one-time key alone, and from then on the server's own key alone", async () => {
    const { run, calls } = server([refused, booting, ready]);
    expect(await waitForHost(inputs, run, undefined, noPause)).toBe(ownKey);
    const [first, , , keys, switched, proof] = calls;
    expect(first?.accepted).toEqual([firstKey]);
    expect(first?.args.join(" ")).not.toContain("accept-new");
    expect(keys?.input).toContain("ssh-keygen -q -t ed25519");
    // While it is not certain which of them the server shows.
    expect(switched?.accepted).toEqual([firstKey, ownKey]);
    expect([proof?.accepted, proof?.args.includes("ControlPath=none")]).toEqual([[ownKey], true]);
    expect(readFileSync(knownHosts, "utf8")).toBe(`192.0.2.1 ${ownKey}\n`);
  });

  test("another key than the one-time key gets nothing, however long it waits", async () => {
    const impostor = server([foreign]);
    await expect(wait(impostor)).rejects.toThrow("the connection may be intercepted. Nothing was sent to it");
    expect(impostor.calls.map(({ input }) => input)).not.toContainEqual(expect.anything());
    expect(readHostKeys(inputs.sshOptions)).toEqual([firstKey]);
  });

  test("sshd may show a key of the image until cloud-init has put the one-time key there", async () => {
    expect(await wait(server([foreign, foreign, ready]))).toBe(ownKey);
  });

  test("an update that was interrupted between two keys goes on", async () => {
    const half = server([ready], ({ input }) =>
      typeof input === "string" && input.includes("mv -f") ? { code: 255, output: "Connection reset" } : undefined,
    );
    await expect(wait(half)).rejects.toThrow("it keeps its one-time host key: Connection reset");
    expect(readHostKeys(inputs.sshOptions)).toEqual([firstKey, ownKey]);
    expect(await wait(server([ready]))).toBe(ownKey);
    expect(readHostKeys(inputs.sshOptions)).toEqual([ownKey]);
  });

  test("a server that does not come back with its own key fails the update, and stays reachable", async () => {
    const stuck = server([ready], ({ input }) =>
      input === "true" ? { code: 255, output: "Host key verification failed." } : undefined,
    );
    await expect(wait(stuck)).rejects.toThrow("a connection with its own SSH host key failed");
    expect(readHostKeys(inputs.sshOptions)).toEqual([firstKey, ownKey]);
  });
});

describe("a server that is known", () => {
  test("keeps its key: there is nothing to change", async () => {
    writeHostKeys(inputs.host, inputs.sshOptions, [ownKey]);
    const { run, calls } = server([ready]);
    expect(await waitForHost(inputs, run, inputs, noPause)).toBe(ownKey);
    expect(calls).toHaveLength(2);
  });

  test("of a stack that was made before: the key that this machine has accepted is stored", async () => {
    writeFileSync(knownHosts, `|1|c2FsdA==|aGFzaA== ${ownKey}\n`);
    expect(await wait(server([ready]), {}, inputs)).toBe(ownKey);
  });

  test("of a stack that was made before, on a machine that has never met it: ssh accepts the key once", async () => {
    const { run, calls } = server([ready]);
    expect(await waitForHost(inputs, run, { ...inputs, firstKey: undefined }, noPause)).toBe(ownKey);
    expect(calls[0]?.args).toContain("StrictHostKeyChecking=accept-new");
    expect(readHostKeys(inputs.sshOptions)).toEqual([ownKey]);
  });

  test("the state tells another operator's machine its key", async () => {
    const { run, calls } = server([ready]);
    await waitForHost(inputs, run, { ...inputs, hostKey: ownKey }, noPause);
    expect(calls[0]?.accepted).toEqual([ownKey]);
  });

  test("and so does a preview, which connects to nothing", async () => {
    const urn = "urn:pulumi:prod::orion::orion:fleet:Fleet$orion:index:HostReady::core-1-ready";
    const provider = new OrionProvider(() => Promise.reject(new Error("nothing is to be run")));
    const stored = { ...inputs, hostKey: ownKey };
    expect(await provider.diff("id", urn, stored, { ...inputs })).toEqual({ changes: false, replaces: [] });
    expect(readHostKeys(inputs.sshOptions)).toEqual([ownKey]);
  });

  test("another host key is refused at once", async () => {
    writeHostKeys(inputs.host, inputs.sshOptions, [oldKey]);
    const { run, calls } = server([foreign]);
    await expect(waitForHost(inputs, run, inputs, noPause)).rejects.toThrow("has another SSH host key");
    expect(calls).toHaveLength(1);
    expect(readHostKeys(inputs.sshOptions)).toEqual([oldKey]);
  });

  test("a new server at the same address has none of the old one's keys", async () => {
    const { calls, run } = server([ready]);
    await waitForHost({ ...inputs, serverId: "43" }, run, { ...inputs, hostKey: oldKey }, noPause);
    expect(calls[0]?.accepted).toEqual([firstKey]);
  });
});

test("that ssh accepts no key on its own any more runs no action again", async () => {
  const urn = "urn:pulumi:prod::orion::orion:fleet:Fleet$orion:index:ServerDrain::core-1-drain";
  const provider = new OrionProvider(() => Promise.reject(new Error("nothing is to be run")));
  const drain = (check: string, file: string) => ({
    host: inputs.host,
    stack: "prod",
    sshOptions: ["-o", `StrictHostKeyChecking=${check}`, "-o", `UserKnownHostsFile=${file}`],
  });
  const changes = async (file: string) =>
    (await provider.diff("id", urn, drain("accept-new", "/known-hosts-1"), drain("yes", file))).changes;
  expect(await changes("/known-hosts-1")).toBe(false);
  expect(await changes("/known-hosts-2")).toBe(true);
});

test("waits until the first boot has ended and the Docker Engine answers", async () => {
  const waiting = server([refused, booting, ready]);
  await wait(waiting);
  expect(waiting.calls[0]).toMatchObject({
    program: "ssh",
    args: [
      ...[...inputs.sshOptions, "-o", "BatchMode=yes", "root@192.0.2.1"],
      `sh -c 'test -e /var/lib/orion/first-boot-done && docker version --format '\\''{{.Server.Version}}'\\'''`,
    ],
    timeoutSeconds: 20,
  });
});

describe("a server that lets none of this machine's keys in", () => {
  const denied: Answer = { code: 255, output: "root@192.0.2.1: Permission denied (publickey)." };
  const tooMany: Answer = {
    code: 255,
    output:
      "Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures\nDisconnected from 192.0.2.1 port 22",
  };

  test("is asked again while cloud-init may not have put the keys there", async () => {
    expect(await wait(server([denied, denied, ready]))).toBe(ownKey);
  });

  test.each([
    [denied, /accepts no key of this machine: .*Permission denied.*orion:admin.sshPublicKeys must belong/],
    [tooMany, /Too many authentication failures; ssh offers every key of its agent.*admin.identityFile FILE/],
  ])("ends the update long before the time is up, with the reason: %j", async (answer, message) => {
    const { run, calls } = server([answer]);
    await expect(waitForHost(inputs, run, undefined, noPause)).rejects.toThrow(message);
    expect(calls.length).toBeLessThan(100);
  });

  test("ends it at once when the server was ready before", async () => {
    const { run, calls } = server([tooMany]);
    await expect(waitForHost(inputs, run, { ...inputs, hostKey: ownKey }, noPause)).rejects.toThrow(
      "admin.identityFile",
    );
    expect(calls).toHaveLength(1);
  });
});

test("mounts the Volume before anything is put on it, and a Volume that cannot be mounted is an error", async () => {
  const volumeDevice = "/dev/disk/by-id/scsi-0HC_Volume_7";
  const good = server([ready]);
  await wait(good, { volumeDevice });
  expect(good.calls.at(-1)?.args.at(-1)).toBe("sh -c '/usr/local/sbin/orion-volume /dev/disk/by-id/scsi-0HC_Volume_7'");
  const broken = server([ready], ({ args }) =>
    args.at(-1)?.includes("orion-volume") === true
      ? { code: 1, output: "it has contents that are no file system" }
      : undefined,
  );
  await expect(wait(broken, { volumeDevice })).rejects.toThrow(
    "could not be mounted; nothing was written to it: it has contents that are no file system",
  );
});

test.each([
  [refused, /not ready within 0 s: SSH could not connect \(.*Connection refused\); look at the server's console/],
  [{ code: 255, output: "root@192.0.2.1: Permission denied (publickey)." }, /orion:admin.sshPublicKeys must belong/],
  [booting, /its first boot has not ended. Output of cloud-init:/],
])("when it is not ready in time, the error says what was seen last: %j", async (seen, message) => {
  await expect(wait(server([seen]), { timeoutSeconds: 0 })).rejects.toThrow(message);
  expect(existsSync(knownHosts)).toBe(true);
});
