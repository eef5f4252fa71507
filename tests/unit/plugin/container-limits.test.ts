/** A container's number of processes, which Docker's provider cannot limit. */
import { setContainerLimits } from "../../../plugin/container-limits.ts";
import { OrionProvider } from "../../../plugin/provider.ts";
import { runBy } from "../support/process.ts";

const urn = "urn:pulumi:dev::orion::orion:index:ContainerLimits::one";
const engine = { dockerHost: "unix:///var/run/docker.sock" };
const provider = new OrionProvider(runBy(() => ({ code: 0 })));

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
    const { changes, replaces } = await provider.diff("one", urn, inputs, {
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
