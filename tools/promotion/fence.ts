/** Fencing: powers the lost primary's server off and confirms it, so that there are never two primaries. */
import { type Clock, systemClock } from "../../common/clock.ts";
import { type Hetzner, Refusal } from "../../common/hetzner.ts";
import { UserError } from "../../common/user-error.ts";

/** Hetzner's error codes after which a retry is of no use. */
const final = new Set(["unauthorized", "forbidden", "token_readonly"]);
/** Seconds until Hetzner must report the server as off, and milliseconds between two requests. */
const [patience, pause] = [180, 1000];

/**
 * Powers the server off and resolves when Hetzner reports it as off or as deleted.
 *
 * @param name the server's name at Hetzner
 * @param stack the stack that the server must belong to
 * @param say called with each finding
 * @throws {UserError} when it is not confirmed in time
 */
export async function fence(
  name: string,
  stack: string,
  hetzner: Pick<Hetzner, "server" | "act">,
  say: (line: string) => void,
  clock: Clock = systemClock,
): Promise<void> {
  const end = clock.now() + patience * 1000;
  let failure = "";
  for (let isAsked = false; clock.now() < end;) {
    try {
      const server = await hetzner.server(name);
      if (!server) {
        say(`${name} does not exist at Hetzner any more.`);
        return;
      }
      if (server.labels["app"] !== "orion" || server.labels["stack"] !== stack) {
        throw new UserError(
          `The server ${name} at Hetzner does not have the labels app=orion and stack=${stack}, so it is not this stack's, and was not changed.`,
        );
      }
      if (server.status === "off") {
        say(`${name} is off at Hetzner${isAsked ? "" : " already"}.`);
        return;
      }
      failure = `it is '${server.status}' there`;
      if (!isAsked) await hetzner.act(server.id, "poweroff");
      isAsked = true;
    } catch (error) {
      // An API that is busy or does not answer is retried: the outage that took the primary may affect it, too.
      if (error instanceof UserError) throw error;
      if (failure === "") say(`Hetzner does not report yet whether ${name} is off; retrying for up to ${patience} s.`);
      failure = error instanceof Error ? error.message : String(error);
      if (error instanceof Refusal && final.has(error.code)) break;
    }
    await clock.sleep(pause);
  }
  throw new UserError(
    `It is not known whether ${name} is off at Hetzner: ${failure}. Nothing was promoted; ` +
      "power it off there, or wait until the API answers, and run this again.",
  );
}
