import { type HostReadyInputs, waitForHost } from "../../../plugin/host-ready.ts";
import { type Answer, type Command, runBy } from "../support/process.ts";

const inputs: HostReadyInputs = {
  host: "ssh://root@192.0.2.1",
  sshOptions: ["-o", "ControlMaster=auto"],
  serverId: "42",
  timeoutSeconds: 60,
};
const refused: Answer = { code: 255, output: "ssh: connect to host 192.0.2.1 port 22: Connection refused" };
const booting: Answer = { code: 1, output: "" };
const ready: Answer = { code: 0, output: "20.10.24" };

/** A server that answers so, one after the other; the last answer stays. */
function server(...answers: Answer[]) {
  const calls: Command[] = [];
  const run = runBy((command) => {
    calls.push(command);
    return answers[Math.min(calls.length, answers.length) - 1] ?? ready;
  });
  return { run, calls };
}

const noPause = () => Promise.resolve();

test("waits until the first boot has ended and the Docker Engine answers", async () => {
  const { run, calls } = server(refused, booting, ready);
  await waitForHost(inputs, run, noPause);
  expect(calls).toHaveLength(3);
  expect(calls[0]).toEqual({
    program: "ssh",
    args: [
      ...["-o", "ControlMaster=auto", "-o", "BatchMode=yes", "root@192.0.2.1"],
      `sh -c 'test -e /var/lib/orion/first-boot-done && docker version --format '\\''{{.Server.Version}}'\\'''`,
    ],
    timeoutSeconds: 20,
  });
});

test("mounts the Volume before anything is put on it, and a Volume that cannot be mounted is an error", async () => {
  const volume = { ...inputs, volumeDevice: "/dev/disk/by-id/scsi-0HC_Volume_7" };
  const { run, calls } = server(ready, ready);
  await waitForHost(volume, run, noPause);
  expect(calls[1]?.args.at(-1)).toBe("sh -c '/usr/local/sbin/orion-volume /dev/disk/by-id/scsi-0HC_Volume_7'");
  const broken = server(ready, { code: 1, output: "it has contents that are no file system" });
  await expect(waitForHost(volume, broken.run, noPause)).rejects.toThrow(
    "could not be mounted; nothing was written to it: it has contents that are no file system",
  );
});

test("another host key of the same server is refused at once", async () => {
  const { run, calls } = server({ code: 255, output: "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!" });
  await expect(waitForHost(inputs, run, noPause)).rejects.toThrow("has another SSH host key than before");
  expect(calls).toHaveLength(1);
});

test.each([
  [refused, /not ready within 0 s: SSH could not connect \(.*Connection refused\); look at the server's console/],
  [{ code: 255, output: "root@192.0.2.1: Permission denied (publickey)." }, /orion:admin.sshPublicKeys must belong/],
  [booting, /its first boot has not ended. Output of cloud-init:/],
])("when it is not ready in time, the error says what was seen last: %j", async (seen, message) => {
  await expect(waitForHost({ ...inputs, timeoutSeconds: 0 }, server(seen).run, noPause)).rejects.toThrow(message);
});
