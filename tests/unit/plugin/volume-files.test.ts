/** Files of a container, which Docker's provider cannot write. */
import type { DockerCall } from "../../../plugin/docker.ts";
import { OrionProvider } from "../../../plugin/provider.ts";
import { writeVolumeFiles } from "../../../plugin/volume-files.ts";
import { type Command, outcomeOf, runBy } from "../support/process.ts";

const urn = "urn:pulumi:dev::orion::orion:index:VolumeFiles::one";
const engine = { dockerHost: "unix:///var/run/docker.sock" };
const playing = (code: number, output = "") => {
  const calls: Command[] = [];
  const run = runBy((command) => {
    calls.push(command);
    return { code, output };
  });
  return { provider: new OrionProvider(run), calls };
};

test("all files are on the disk when they are said to be written", async () => {
  const calls: DockerCall[] = [];
  const files = { "redis.conf": { text: "port 0\n", mode: "0444" }, "users.acl": { text: "user a\n", mode: "0400" } };
  await writeVolumeFiles({ ...engine, volume: "cache-files", image: "sha256:redis", files }, (call) => {
    calls.push(call);
    return Promise.resolve(outcomeOf({ code: 0, output: "" }));
  });
  expect(calls).toHaveLength(1);
  expect(calls[0]?.input).toMatch(/\nsync \/files \/files\/redis\.conf \/files\/users\.acl\n$/);
});

describe("files of a container", () => {
  const files = { "redis.conf": { text: "requirepass p4ssw0rd-p4ssw0rd\n", mode: "0444" } };
  const inputs = { ...engine, volume: "orion-test-files-1", image: "sha256:1", files };

  test("are written by a container without network and privileges, and are in no argument", async () => {
    const { provider, calls } = playing(0);
    await provider.create(urn, inputs);
    expect(calls).toHaveLength(1);
    const words = calls[0]?.args.join(" ") ?? "";
    expect(words).toContain("--network none");
    expect(words).toContain("--cap-drop ALL --security-opt no-new-privileges --read-only");
    expect(words).toContain("--volume orion-test-files-1:/files sha256:1 -s");
    expect(words).not.toContain("requirepass");
    expect(calls[0]?.input).toContain(
      "chmod 0444 /files/redis.conf.new\nmv -f /files/redis.conf.new /files/redis.conf",
    );
  });

  test("that could not be written are an error without their contents", async () => {
    const { provider } = playing(1, "sh: requirepass p4ssw0rd-p4ssw0rd\n: not found");
    const created = provider.create(urn, inputs);
    await expect(created).rejects.toThrow("files could not be written into the volume orion-test-files-1");
    await expect(created).rejects.not.toThrow("p4ssw0rd");
  });
});
