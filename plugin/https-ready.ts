/** `orion:index:HttpsReady`: waits until an address answers over HTTPS, before visitors are routed to it. */
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

export const httpsReadySchema = z.strictObject({
  address: z.string().min(1),
  port: z.int().min(1).max(65_535),
  /** The host name that is requested. */
  hostname: z.string().min(1),
  path: z.string().startsWith("/"),
  /** The servers behind the address; when they change, the resource waits again. */
  behind: z.array(z.string()),
  /** How many answers in a row are required. */
  inARow: z.int().min(1),
  /** After this time the update fails. */
  timeoutSeconds: z.number().min(0),
});
export type HttpsReadyInputs = z.infer<typeof httpsReadySchema>;

const secondsBetween = 0.5;
const requestSeconds = 5;

/** The result of one request: the status of the answer, or the reason why there was none. */
export type Probe = { readonly status: number } | { readonly problem: string };

/**
 * Resolves when the address has answered as often as required, each time with a status below 500. A status such as 403 is
 * an answer too: the address may refuse this machine and still serve visitors.
 *
 * @throws {Error} when it did not answer in time, with the last result and what to do
 */
export async function waitForHttps(
  inputs: HttpsReadyInputs,
  probe: (inputs: HttpsReadyInputs) => Promise<Probe> = requestOnce,
  pause: () => Promise<void> = () => sleep(secondsBetween * 1000),
): Promise<void> {
  const { address, port, timeoutSeconds, inARow, behind } = inputs;
  const end = Date.now() + timeoutSeconds * 1000;
  for (let good = 0; good < inARow;) {
    const result = await probe(inputs);
    const isGood = "status" in result && result.status < 500;
    good = isGood ? good + 1 : 0;
    if (good === inARow) return;
    if (!isGood && Date.now() > end) {
      const seen = "status" in result ? `the last answer had status ${result.status}` : result.problem;
      throw new Error(
        `${address}:${port} did not answer ${inARow} times in a row within ${timeoutSeconds} s: ${seen}. No visitors were ` +
          `sent there. Check the health of its targets at Hetzner and the edges of ${behind.join(", ")}; then run up again.`,
      );
    }
    await pause();
  }
}

/** A new connection for each request, so that the requests reach every target. The certificate is not verified. */
const requestOnce = ({ address, port, hostname, path }: HttpsReadyInputs): Promise<Probe> =>
  new Promise((resolve) => {
    const call = request(
      {
        ...{ host: address, port, path, servername: hostname, headers: { host: hostname } },
        ...{ agent: false, rejectUnauthorized: false, timeout: requestSeconds * 1000 },
      },
      (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0 });
      },
    );
    call.on("timeout", () => call.destroy(new Error(`no answer within ${requestSeconds} s`)));
    call.on("error", ({ message }) => {
      resolve({ problem: message });
    });
    call.end();
  });
