/** Schema of `orion:admin`: who may log in to the servers, and how this machine does. */
import { z } from "zod";
import { publicKeyProblem } from "../public-key.ts";
import { cidr } from "./value-schemas.ts";

export const admin = z
  .strictObject({
    identityFile: z
      .string()
      .min(1)
      .meta({ examples: ["~/.ssh/orion"] })
      .optional()
      .describe(
        "Private key file on this machine that the servers accept. Absent: the keys that ssh tries by default.",
      ),
    sshFolder: z
      .string()
      .min(1)
      .describe("Folder on this machine for the host keys of servers and for shared SSH connections."),
    cidrs: z
      .array(cidr)
      // As many as a rule of Hetzner's firewalls takes.
      .max(100)
      .describe("Address ranges from which SSH can be reached, 100 at most; required from phase mvp on."),
    openToInternet: z
      .boolean()
      .optional()
      .meta({ examples: [true] })
      .describe(
        "Confirms that SSH is open to the whole Internet (`cidrs` with 0.0.0.0/0 or the like). Absent: such ranges are refused.",
      ),
    sshPublicKeys: z
      .array(
        z
          .string()
          .refine((key) => publicKeyProblem(key) === undefined, {
            error: ({ input }) => publicKeyProblem(String(input)) ?? "",
          })
          .meta({
            format: "ssh-public-key",
            pattern: "^(ssh-ed25519|ssh-rsa|ecdsa-sha2-\\S+) \\S+",
            patternErrorMessage: "an OpenSSH public key",
            examples: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleKeyThatOpensNothingReplaceItWithYour alice"],
          }),
      )
      .describe("The public keys that may log in to the servers: the whole list; required from phase mvp on."),
  })
  .describe("Who may log in to the servers, and how this machine does.");
