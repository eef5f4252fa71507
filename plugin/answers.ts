/** An address that answers, before visitors are sent there. */
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

export const answersSchema = z.strictObject({
  address: z.string().min(1),
  port: z.int().min(1).max(65_535),
  /** The host name that is asked for. */
  hostname: z.string().min(1),
  path: z.string().startsWith("/"),
  /** The servers behind the address; when they change, the resource waits again. */
  behind: z.array(z.string()),
  /** How many answers in a row it takes. */
  inARow: z.int().min(1),
  /** After this time the update fails and says what it waited for. */
  timeoutSeconds: z.number().min(0),
});
export type AnswersInputs = z.infer<typeof answersSchema>;

const secondsBetween = 0.5;
const patienceSeconds = 5;

/** What came back: a status, or why none did. */
export type Asked = { readonly status: number } | { readonly problem: string };

/**
 * Resolves when the address has answered as often as asked, each time with something below 500: whether it lets this
 * machine in is not the question.
 *
 * @throws {Error} when it has not in time, saying what was seen last and what to do
 */
export async function waitForAnswers(
  inputs: AnswersInputs,
  ask: (inputs: AnswersInputs) => Promise<Asked> = askOverTls,
  pause: () => Promise<void> = () => sleep(secondsBetween * 1000),
): Promise<void> {
  const { address, port, timeoutSeconds, inARow, behind } = inputs;
  const end = Date.now() + timeoutSeconds * 1000;
  for (let good = 0; good < inARow;) {
    const asked = await ask(inputs);
    const isGood = "status" in asked && asked.status < 500;
    good = isGood ? good + 1 : 0;
    if (good === inARow) return;
    if (!isGood && Date.now() > end) {
      const seen = "status" in asked ? `it answered ${asked.status}` : asked.problem;
      throw new Error(
        `${address}:${port} did not answer ${inARow} times in a row within ${timeoutSeconds} s: ${seen}. Nobody was sent ` +
          `there. Look at the health of its targets at Hetzner, and at the edges of ${behind.join(", ")}; then run up again.`,
      );
    }
    await pause();
  }
}

/** A connection of its own each time, so that it can reach each target. Whether its certificate is trusted is not asked. */
const askOverTls = ({ address, port, hostname, path }: AnswersInputs): Promise<Asked> =>
  new Promise((resolve) => {
    const call = request(
      {
        ...{ host: address, port, path, servername: hostname, headers: { host: hostname } },
        ...{ agent: false, rejectUnauthorized: false, timeout: patienceSeconds * 1000 },
      },
      (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0 });
      },
    );
    call.on("timeout", () => call.destroy(new Error(`no answer within ${patienceSeconds} s`)));
    call.on("error", ({ message }) => {
      resolve({ problem: message });
    });
    call.end();
  });
