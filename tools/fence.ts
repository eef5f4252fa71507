/** Sees to it that a server is off, so that what ran there does not come back beside what took its place. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type ServerPower } from "./cloud-apis.ts";
import { UserError } from "./user-error.ts";

const serversSchema = z.object({
  servers: z.array(
    z.object({ id: z.number(), status: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
  ),
});

const patience = { seconds: 180, pauseMs: 1000 };

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
  hetzner: ServerPower,
  say: (line: string) => void,
  { seconds, pauseMs } = patience,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  for (let asked = false; ; asked = true) {
    if (asked) await sleep(pauseMs);
    const [server] = serversSchema.parse(await hetzner.get(`/servers?name=${encodeURIComponent(name)}`)).servers;
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
      say(`${name} is off at Hetzner${asked ? "" : " already"}.`);
      return;
    }
    if (Date.now() > end) {
      throw new UserError(
        `${name} is '${server.status}' at Hetzner, after ${seconds} s still. Nothing was promoted; switch it off there and run it again.`,
      );
    }
    if (!asked) await hetzner.act(`/servers/${server.id}/actions/poweroff`);
  }
}
