/** What the plugin does to containers that Docker's provider cannot do: their files and their limits. */
import { setContainerLimits } from "../../../plugin/container-limits.ts";
import { OrionProvider } from "../../../plugin/provider.ts";
import { type Command, runBy } from "../support/process.ts";

const urnOf = (type: string) => `urn:pulumi:dev::orion::orion:index:${type}::one`;
const engine = { dockerHost: "unix:///var/run/docker.sock" };
const playing = (code: number, output = "") => {
  const calls: Command[] = [];
  const run = runBy((command) => {
    calls.push(command);
    return { code, output };
  });
  return { provider: new OrionProvider(run), calls };
};

describe("files of a container", () => {
  const files = { "redis.conf": { text: "requirepass p4ssw0rd-p4ssw0rd\n", mode: "0444" } };
  const inputs = { ...engine, volume: "orion-test-files-1", image: "sha256:1", files };

  test("are written by a container without network and privileges, and are in no argument", async () => {
    const { provider, calls } = playing(0);
    await provider.create(urnOf("VolumeFiles"), inputs);
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
    const created = provider.create(urnOf("VolumeFiles"), inputs);
    await expect(created).rejects.toThrow("files could not be written into the volume orion-test-files-1");
    await expect(created).rejects.not.toThrow("p4ssw0rd");
  });
});

describe("a container's number of processes", () => {
  const inputs = { ...engine, container: "abc", processes: 256 };
  const answering = (status: number, text = "") => {
    const asked: unknown[] = [];
    let open = 0;
    const connect = () => {
      open++;
      return {
        ask: (...question: unknown[]) => {
          asked.push(question);
          return Promise.resolve({ status, body: Buffer.from(text) });
        },
        close: () => {
          open--;
        },
      };
    };
    return { connect, asked, isOpen: () => open > 0 };
  };

  test("is limited, and another container's again", async () => {
    const { connect, asked, isOpen } = answering(200);
    await setContainerLimits(inputs, connect);
    expect([asked, isOpen()]).toEqual([[["POST", "/containers/abc/update", { PidsLimit: 256 }]], false]);
    const { changes, replaces } = await playing(0).provider.diff("one", urnOf("ContainerLimits"), inputs, {
      ...inputs,
      container: "def",
    });
    expect([changes, replaces]).toEqual([true, []]);
  });

  test("that Docker refuses is an error with what it says", async () => {
    const { connect, isOpen } = answering(404, "no such container");
    await expect(setContainerLimits(inputs, connect)).rejects.toThrow(
      "the limits of abc could not be set: no such container",
    );
    expect(isOpen()).toBe(false);
  });
});
