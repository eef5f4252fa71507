/**
 * `orion:index:OriginPullsReady`: waits until Cloudflare presents a zone's client certificate to origins. Origins that demanded
 * it earlier would refuse visitors.
 */
import { z } from "zod";
import { type Clock, systemClock } from "../common/clock.ts";

export const originPullsReadySchema = z.strictObject({
  zoneId: z.string().min(1),
  /** Id of the uploaded certificate; with another one, the resource waits again. */
  certificateId: z.string().min(1),
  /** The authority that signed the certificate, in PEM. It is passed through: what depends on it waits as well. */
  authority: z.string().min(1),
  /** How long Cloudflare's servers may need after its API says that the certificate is active. */
  settleSeconds: z.number().min(0),
  /** How long to wait without access to the API. */
  blindSeconds: z.number().min(0),
  /** After this time the update fails. */
  timeoutSeconds: z.number().min(0),
  /** @default - Cloudflare is not asked */
  access: z
    .strictObject({
      /** With `/client/v4`, without a slash at the end. */
      endpoint: z.url(),
      token: z.string().min(1),
    })
    .optional(),
});
export type OriginPullsReadyInputs = z.infer<typeof originPullsReadySchema>;

const secondsBetween = 3;
const requestSeconds = 20;

/** A certificate's status at Cloudflare, or the reason why it is not known. */
export type Status = { readonly status: string } | { readonly problem: string };

/** @throws {Error} when Cloudflare does not call the certificate active in time, with what it says and what to do */
export async function waitForOriginPulls(
  inputs: OriginPullsReadyInputs,
  ask: (inputs: OriginPullsReadyInputs) => Promise<Status> = askCloudflare,
  clock: Clock = systemClock,
): Promise<void> {
  const { access, blindSeconds, settleSeconds, timeoutSeconds } = inputs;
  if (!access) {
    await clock.sleep(blindSeconds * 1000);
    return;
  }
  let waited = 0;
  for (;;) {
    const answer = await ask(inputs);
    if ("status" in answer && answer.status === "active") break;
    if (waited >= timeoutSeconds) {
      const seen = "status" in answer ? `its status is ${answer.status}` : answer.problem;
      throw new Error(
        `Cloudflare does not present the client certificate ${inputs.certificateId} of the zone after ${timeoutSeconds} s: ${seen}. ` +
          "The edges do not demand it yet, and go on as before. Look at SSL/TLS, Origin Server, at Cloudflare; then run up again.",
      );
    }
    await clock.sleep(secondsBetween * 1000);
    waited += secondsBetween;
  }
  await clock.sleep(settleSeconds * 1000);
}

const answerSchema = z.object({ result: z.object({ status: z.string() }) });

async function askCloudflare({ zoneId, certificateId, access }: OriginPullsReadyInputs): Promise<Status> {
  if (!access) return { problem: "there is no access to Cloudflare" };
  try {
    const response = await fetch(`${access.endpoint}/zones/${zoneId}/origin_tls_client_auth/${certificateId}`, {
      headers: { authorization: `Bearer ${access.token}` },
      signal: AbortSignal.timeout(requestSeconds * 1000),
    });
    const text = await response.text();
    const { data } = answerSchema.safeParse(response.ok ? JSON.parse(text) : undefined);
    return data
      ? { status: data.result.status }
      : { problem: `its API answers ${response.status}: ${text.slice(0, 200)}` };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
