import { type HostFilesInputs, removeHostFiles, writeHostFiles } from "../../../plugin/host-files.ts";
import { OrionProvider } from "../../../plugin/provider.ts";
import type { Run } from "../../../common/process.ts";
import { type Answer, type Command, runBy } from "../support/process.ts";

const inputs: HostFilesInputs = {
  host: "ssh://root@192.0.2.1",
  sshOptions: ["-o", "ControlMaster=auto"],
  files: {
    "/etc/orion/backup/store.env": { text: "USER=me\nKEY=s3cret-key\n", mode: "0600" },
    "/etc/systemd/system/orion-backup@1.timer": { text: "[Timer]\n", mode: "0644" },
  },
  command: ["sh", "-c", "systemctl daemon-reload && systemctl enable orion-backup.timer"],
  removal: ["systemctl", "disable", "--now", "orion-backup.timer"],
};
const encoded = (text: string) => Buffer.from(text).toString("base64");

/** A server whose command number `failing` ends so. */
function server(failing?: number, ran: Answer = { code: 1 }): { run: Run; calls: Command[] } {
  const calls: Command[] = [];
  const run = runBy((command) => {
    calls.push(command);
    return calls.length === failing ? ran : {};
  });
  return { run, calls };
}

const urn = "urn:pulumi:prod::orion::orion:database:Backup$orion:index:HostFiles::backup-files";

test("each file is replaced in one step with its final mode, then the command runs", async () => {
  const { run, calls } = server();
  await writeHostFiles(inputs, run);
  const ssh = ["-o", "ControlMaster=auto", "-o", "BatchMode=yes", "root@192.0.2.1"];
  expect(calls).toEqual([
    {
      program: "ssh",
      args: [...ssh, "sh -s"],
      timeoutSeconds: 120,
      input: [
        "set -eu",
        "umask 077",
        "mkdir -p /etc/orion/backup",
        `echo '${encoded("USER=me\nKEY=s3cret-key\n")}' | base64 -d > /etc/orion/backup/store.env.new`,
        "chmod 0600 /etc/orion/backup/store.env.new",
        "sync /etc/orion/backup/store.env.new",
        "mv -f /etc/orion/backup/store.env.new /etc/orion/backup/store.env",
        "mkdir -p /etc/systemd/system",
        `echo '${encoded("[Timer]\n")}' | base64 -d > /etc/systemd/system/orion-backup@1.timer.new`,
        "chmod 0644 /etc/systemd/system/orion-backup@1.timer.new",
        "sync /etc/systemd/system/orion-backup@1.timer.new",
        "mv -f /etc/systemd/system/orion-backup@1.timer.new /etc/systemd/system/orion-backup@1.timer",
        "",
      ].join("\n"),
    },
    {
      program: "ssh",
      args: [...ssh, "sh -c 'systemctl daemon-reload && systemctl enable orion-backup.timer'"],
      timeoutSeconds: 120,
    },
  ]);
});

test("contents travel on standard input, where no process list shows them", async () => {
  const { run, calls } = server();
  await writeHostFiles(inputs, run);
  const said = JSON.stringify(calls.map(({ args }) => args));
  expect(said).not.toContain("s3cret-key");
  expect(said).not.toContain(encoded("USER=me\nKEY=s3cret-key\n"));
});

test.each([
  [1, "ssh://root@192.0.2.1: its files could not be written: disk full at [secret]"],
  [2, "ssh://root@192.0.2.1: its files were written, but 'sh -c systemctl daemon-reload && systemctl enable"],
])("when step %d fails the error says so, and shows no secret", async (step, message) => {
  const { run } = server(step, { code: 1, output: "disk full at s3cret-key" });
  const written = writeHostFiles(inputs, run);
  await expect(written).rejects.toThrow(message);
  await expect(written).rejects.toThrow("run up again");
  await expect(written).rejects.not.toThrow("s3cret-key");
});

test("a server that does not answer in time is named", async () => {
  const { run } = server(1, { code: undefined, output: "" });
  await expect(writeHostFiles(inputs, run)).rejects.toThrow("it took longer than 120 s");
});

describe("in the course of updates", () => {
  const provider = (run: Run) => new OrionProvider(run);

  test("what failed is done whole the next time: nothing is left out for being there already", async () => {
    const { run, calls } = server(2);
    await expect(provider(run).create(urn, { ...inputs })).rejects.toThrow("failed");
    await provider(run).create(urn, { ...inputs });
    expect(calls.map(({ args }) => args.at(-1)?.slice(0, 5))).toEqual(["sh -s", "sh -c", "sh -s", "sh -c"]);
  });

  test("a file that is not among them any more is removed", async () => {
    const { run, calls } = server();
    const { "/etc/orion/backup/store.env": kept } = inputs.files;
    await provider(run).update("id", urn, inputs, { ...inputs, files: { "/etc/orion/backup/store.env": kept } });
    expect(calls[0]?.input).toMatch(/\nrm -f \/etc\/systemd\/system\/orion-backup@1\.timer\n$/);
  });

  test("on another server they are another thing: the old server loses them", async () => {
    const { run, calls } = server();
    const elsewhere = { ...inputs, host: "ssh://root@192.0.2.2" };
    expect(await provider(run).diff("id", urn, inputs, elsewhere)).toEqual({ changes: true, replaces: ["host"] });
    expect(await provider(run).diff("id", urn, inputs, { ...inputs, command: ["true"] })).toEqual({
      changes: true,
      replaces: [],
    });
    await provider(run).delete("id", urn, inputs);
    expect(calls.map(({ args }) => args.at(-1))).toEqual([
      "systemctl disable --now orion-backup.timer",
      "rm -f /etc/orion/backup/store.env /etc/systemd/system/orion-backup@1.timer",
    ]);
  });

  test("files stay while what uses them cannot be ended", async () => {
    const { run, calls } = server(1, { code: 1, output: "no bus" });
    await expect(removeHostFiles(inputs, run)).rejects.toThrow("failed, and its files stay: no bus");
    expect(calls).toHaveLength(1);
  });

  test("other kinds stay what they are on another host, and nothing of theirs is undone", async () => {
    const { run, calls } = server();
    const ready = "urn:pulumi:prod::orion::orion:index:HostReady::core-1-ready";
    const host = { host: "ssh://a", sshOptions: [], serverId: "1", timeoutSeconds: 1 };
    expect(await provider(run).diff("id", ready, host, { ...host, host: "ssh://b" })).toEqual({
      changes: true,
      replaces: [],
    });
    await provider(run).delete("id", ready, host);
    expect(calls).toEqual([]);
  });

  test.each([
    ["relative/path", "0600"],
    ["/with space", "0600"],
    ["/etc/../etc/shadow", "0600"],
    ["/etc/orion/file", "600"],
  ])("a path %s with mode %s is refused before anything is sent", async (path, mode) => {
    const { run, calls } = server();
    const { failures } = await provider(run).check(urn, {}, { ...inputs, files: { [path]: { text: "", mode } } });
    expect(failures).toHaveLength(1);
    expect(calls).toEqual([]);
  });
});
