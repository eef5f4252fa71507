/** What waits on the way of visitors: for an address that answers, and for those who are on the old one. */
import { setTimeout as sleep } from "node:timers/promises";
import { type AnswersInputs, type Asked, waitForAnswers } from "../../../plugin/answers.ts";
import { OrionProvider } from "../../../plugin/provider.ts";

jest.mock("node:timers/promises", () => ({ setTimeout: jest.fn() }));

const inputs: AnswersInputs = {
  ...{ address: "192.0.2.1", port: 443, hostname: "orion.example.com", path: "/edge-health" },
  ...{ behind: ["app-1", "app-2"], inARow: 3, timeoutSeconds: 60 },
};

describe("an address that visitors are to be sent to", () => {
  /** @returns how often it was asked until that was enough */
  async function asked(answers: readonly Asked[], more: Partial<AnswersInputs> = {}): Promise<number> {
    let count = 0;
    const ask = () => Promise.resolve(answers[Math.min(count++, answers.length - 1)] ?? { problem: "none" });
    await waitForAnswers({ ...inputs, ...more }, ask, () => Promise.resolve());
    return count;
  }

  test("has to answer as often as asked, one after the other", async () => {
    expect(await asked([{ status: 200 }])).toBe(3);
    expect(await asked([{ status: 200 }, { status: 200 }, { problem: "reset" }, { status: 200 }])).toBe(6);
    expect(await asked([{ status: 502 }, { status: 200 }])).toBe(4);
  });

  test("need not let this machine in", async () => {
    expect(await asked([{ status: 403 }])).toBe(3);
  });

  test("that does not is said with what was seen last and what to do", async () => {
    const late = { timeoutSeconds: 0 };
    await expect(asked([{ problem: "connect ECONNREFUSED" }], late)).rejects.toThrow(
      /^192\.0\.2\.1:443 did not answer 3 times in a row within 0 s: connect ECONNREFUSED\. Nobody was sent there\..*app-1, app-2/,
    );
    await expect(asked([{ status: 503 }], late)).rejects.toThrow(/it answered 503/);
  });
});

describe("time for those on the old way", () => {
  const urn = "urn:pulumi:dev::orion::orion:index:Pause::hostname-drain";
  const provider = new OrionProvider(() => Promise.reject(new Error("it runs nothing")));
  const way = (address: string) => ({ way: address, afterChangeSeconds: 30, atRemovalSeconds: 10 });
  /** The seconds that were waited. */
  async function seconds(work: () => Promise<unknown>): Promise<number[]> {
    const waits = jest.mocked(sleep);
    waits.mockReset().mockResolvedValue(undefined);
    await work();
    return waits.mock.calls.map(([milliseconds = 0]) => milliseconds / 1000);
  }

  test("is taken when the way has changed, and not when there was none before", async () => {
    expect(await seconds(() => provider.create(urn, way("192.0.2.1")))).toEqual([]);
    expect(await seconds(() => provider.update("", urn, way("192.0.2.1"), way("192.0.2.2")))).toEqual([30]);
    const longer = { ...way("192.0.2.1"), afterChangeSeconds: 50 };
    expect(await seconds(() => provider.update("", urn, way("192.0.2.1"), longer))).toEqual([]);
  });

  test("is taken when it is taken away", async () => {
    expect(await seconds(() => provider.delete("", urn, way("192.0.2.1")))).toEqual([10]);
  });
});
