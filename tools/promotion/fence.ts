/** Sees to it that a server is off, so that what ran there does not come back beside what took its place. */
import { type Clock, systemClock } from "../../common/clock.ts";
import { type Hetzner, Refusal } from "../../common/hetzner.ts";
import { UserError } from "../../common/user-error.ts";

/** Of these Hetzner does not think better of. */
const final = new Set(["unauthorized", "forbidden", "token_readonly"]);
/** Seconds that Hetzner has to say that the server is off, and milliseconds between two questions. */
const [patience, pause] = [180, 1000];

/**
 * Switches the server off and resolves when Hetzner says that it is, or that there is none.
 *
 * @param name of the server at Hetzner
 * @param stack that it must belong to
 * @param say told what was found and done
 * @throws {UserError} when that is not known in the end
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
        say(`${name} is not there any more at Hetzner.`);
        return;
      }
      if (server.labels["app"] !== "orion" || server.labels["stack"] !== stack) {
        throw new UserError(
          `The server ${name} at Hetzner does not have the labels app=orion and stack=${stack}: it is somebody else's, and was left alone.`,
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
      // An API that is busy or does not answer is asked again: it may be the same outage.
      if (error instanceof UserError) throw error;
      if (failure === "") say(`Hetzner does not say yet whether ${name} is off; it is asked for up to ${patience} s.`);
      failure = error instanceof Error ? error.message : String(error);
      if (error instanceof Refusal && final.has(error.code)) break;
    }
    await clock.sleep(pause);
  }
  throw new UserError(
    `Whether ${name} is off at Hetzner is not known: ${failure}. Nothing was promoted; ` +
      "switch it off there, or wait until the API answers, and run this again.",
  );
}
