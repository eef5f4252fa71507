/** Waiting for the client certificate that Cloudflare presents to origins. */
import { serveHttp } from "../../../testing/http-server.ts";
import { type OriginPullsReadyInputs, type Status, waitForOriginPulls } from "../../../plugin/origin-pulls-ready.ts";

const blind: OriginPullsReadyInputs = {
  ...{ zoneId: "zone", certificateId: "certificate", authority: "PEM" },
  ...{ settleSeconds: 15, blindSeconds: 300, timeoutSeconds: 60 },
};
const inputs: OriginPullsReadyInputs = {
  ...blind,
  access: { endpoint: "https://api.example.com/client/v4", token: "secret" },
};

/** @returns the seconds of each wait */
async function waits(answers: readonly Status[], more: Partial<OriginPullsReadyInputs> = {}): Promise<number[]> {
  const slept: number[] = [];
  let count = 0;
  await waitForOriginPulls(
    { ...inputs, ...more },
    () => Promise.resolve(answers[Math.min(count++, answers.length - 1)] ?? { problem: "none" }),
    { now: () => 0, sleep: (milliseconds) => Promise.resolve(slept.push(milliseconds / 1000)) },
  );
  return slept;
}

test("it asks until the certificate is active, and then waits until all of Cloudflare knows it", async () => {
  expect(await waits([{ status: "active" }])).toEqual([15]);
  const answers = [{ problem: "fetch failed" }, { status: "initializing" }, { status: "pending_deployment" }];
  expect(await waits([...answers, { status: "active" }])).toEqual([3, 3, 3, 15]);
});

test("without access to the API it waits long enough", async () => {
  const slept: number[] = [];
  await waitForOriginPulls(blind, () => Promise.reject(new Error("asked")), {
    now: () => 0,
    sleep: (milliseconds) => Promise.resolve(slept.push(milliseconds / 1000)),
  });
  expect(slept).toEqual([300]);
});

test("a certificate that does not become active is an error with its status and what to do", async () => {
  await expect(waits([{ status: "deployment_timed_out" }])).rejects.toThrow(
    /certificate of the zone after 60 s: its status is deployment_timed_out\. The edges do not demand it yet.*run up again/,
  );
  await expect(waits([{ problem: "its API answers 403: no" }])).rejects.toThrow(/its API answers 403: no/);
});

test("it asks Cloudflare's API for the certificate, with the token", async () => {
  const asked: unknown[] = [];
  const { url } = await serveHttp((request, response) => {
    asked.push([request.url, request.headers.authorization]);
    response.end(JSON.stringify({ success: true, result: { status: "active" } }));
  });
  const access = { endpoint: `${url}/client/v4`, token: "secret" };
  await waitForOriginPulls({ ...inputs, access, settleSeconds: 0 });
  expect(asked).toEqual([["/client/v4/zones/zone/origin_tls_client_auth/certificate", "Bearer secret"]]);
});
