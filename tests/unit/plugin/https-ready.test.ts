/** Waiting for an address that visitors will be sent to. */
import { type HttpsReadyInputs, type Probe, waitForHttps } from "../../../plugin/https-ready.ts";

const inputs: HttpsReadyInputs = {
  ...{ address: "192.0.2.1", port: 443, hostname: "orion.example.com", path: "/edge-health" },
  ...{ behind: ["app-1", "app-2"], inARow: 3, timeoutSeconds: 60 },
};

describe("an address that visitors are to be sent to", () => {
  /** @returns how often it was asked until that was enough */
  async function asked(answers: readonly Probe[], more: Partial<HttpsReadyInputs> = {}): Promise<number> {
    let count = 0;
    const ask = () => Promise.resolve(answers[Math.min(count++, answers.length - 1)] ?? { problem: "none" });
    await waitForHttps({ ...inputs, ...more }, ask, () => Promise.resolve());
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

  test("that does not answer is an error with the last result and what to do", async () => {
    const late = { timeoutSeconds: 0 };
    await expect(asked([{ problem: "connect ECONNREFUSED" }], late)).rejects.toThrow(
      /^192\.0\.2\.1:443 did not answer 3 times in a row within 0 s: connect ECONNREFUSED\. No visitors were sent there\..*app-1, app-2/,
    );
    await expect(asked([{ status: 503 }], late)).rejects.toThrow(/the last answer had status 503/);
  });
});
