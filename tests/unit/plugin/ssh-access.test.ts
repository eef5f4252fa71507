/** A change of keys or of sshd's settings is tried by a new login, and undone without one. */
import { spawnSync } from "node:child_process";
import { OrionProvider } from "../../../plugin/provider.ts";
import { giveAccess, type SshAccessInputs } from "../../../plugin/ssh-access.ts";
import { type Answer, type Command, runBy } from "../support/process.ts";

const inputs: SshAccessInputs = {
  host: "ssh://root@192.0.2.1",
  sshOptions: ["-o", "ControlMaster=auto", "-o", "ControlPath=/ssh/%C"],
  authorizedKeys: ["ssh-ed25519 AAAAb someone's laptop"],
  configFile: "/etc/ssh/sshd_config.d/10-orion.conf",
  config: "X11Forwarding no\n",
};

/** A server that answers change, trial and undo. */
function server(...answers: Answer[]) {
  const calls: Command[] = [];
  const run = runBy((command) => {
    calls.push(command);
    return answers[calls.length - 1] ?? {};
  });
  return { run, calls };
}

const isNew = ({ args }: Command) => args.indexOf("ControlPath=none") === 3 && args.indexOf("ControlMaster=no") === 1;

test("the change is undone by the server itself unless a new connection confirms it", async () => {
  const { run, calls } = server();
  await giveAccess(inputs, run);
  expect(calls.map(isNew)).toEqual([false, true]);
  const [change, confirmation] = calls.map(({ input }) => (typeof input === "string" ? input : ""));
  const at = (text: string) => change?.indexOf(text) ?? -1;
  const order = [
    "cp -p /root/.ssh/authorized_keys",
    "systemd-run",
    "mv -f /root/.ssh/authorized_keys.new",
    "sshd -t",
    "systemctl restart",
  ];
  expect(order.map(at)).toEqual(order.map(at).sort((one, other) => one - other));
  expect(order.map(at)).not.toContain(-1);
  expect(confirmation).toContain("systemctl stop orion-ssh-access-undo.timer");
  for (const script of [change, confirmation])
    expect(spawnSync("sh", ["-n"], { input: script, encoding: "utf8" }).stderr).toBe("");
});

test("a new login waits until sshd has loaded its settings", async () => {
  const { run, calls } = server(
    {},
    { code: 255, output: "ssh: connect to host 192.0.2.1 port 22: Connection refused" },
  );
  await giveAccess(inputs, run, () => Promise.resolve());
  expect(calls.map(isNew)).toEqual([false, true, true]);
});

test("without a new login the server goes back, and the error says how keys are changed", async () => {
  const { run, calls } = server({}, { code: 255, output: "Permission denied (publickey)." });
  await expect(giveAccess(inputs, run)).rejects.toThrow(
    /this machine could not log in, so the server has the old ones again: Permission denied .*\n.*first add the new key, then use it, then remove the old one/,
  );
  expect(calls.map(isNew)).toEqual([false, true, false]);
  expect(calls[2]?.input).toBe("sh /var/lib/orion/ssh-access/undo\n");
});

test("a server that cannot be told to go back does so by itself", async () => {
  const { run } = server({}, { code: 255 }, { code: 255 });
  await expect(giveAccess(inputs, run)).rejects.toThrow("so the server gets within 3 minutes the old ones again");
});

test("settings that sshd refuses are not tried", async () => {
  const { run, calls } = server({ code: 1, output: "Bad configuration option: Nonsense" });
  await expect(giveAccess(inputs, run)).rejects.toThrow(
    "it keeps the SSH keys and settings that it had: Bad configuration",
  );
  expect(calls).toHaveLength(1);
});

test("a key more or less is an update, and never a replacement", async () => {
  const urn = "urn:pulumi:prod::orion::orion:fleet:Fleet$orion:index:SshAccess::core-1-ssh-access";
  const provider = new OrionProvider(server().run);
  const more = { ...inputs, authorizedKeys: [...inputs.authorizedKeys, "ssh-ed25519 AAAAc"] };
  expect(await provider.diff("id", urn, { ...inputs }, more)).toEqual({ changes: true, replaces: [] });
  const { failures } = await provider.check(urn, {}, { ...inputs, authorizedKeys: ["two\nlines"] });
  expect(failures).toEqual([{ property: "authorizedKeys.0", reason: "a key of one line" }]);
});
