/** Where replies of the emulated Hetzner Cloud are not what the document of the real API says, and why. */
import type { Deviation } from "../support/openapi.ts";

export const deviations: readonly Deviation[] = [
  {
    complaint: /^POST \/(primary_ips|floating_ips) 201 action must be object$/,
    reason: "An address that nothing gets has no action; hcloud-go reads it as one that may be missing.",
  },
  {
    complaint: /\/server_type(s\/\*)?\/locations\/\*\/(available|recommended) is not in the document$/,
    reason: "Newer than the document: hcloud-go reads both, and the provider refuses a type that is not available.",
  },
  {
    complaint: /\/load_balancers?\/.*services\/\*\/http\/timeout_idle is not in the document$/,
    reason: "Newer than the document: hcloud-go reads and writes it.",
  },
  {
    complaint: /^DELETE \/load_balancers\/:id 200 /,
    reason: "Newer than the document: the Python client reads the action of a deletion, which was a 204 before.",
  },
  {
    complaint: /^GET \/actions 200 \/meta is not in the document$/,
    reason: "hcloud-go's waiter reads this list in pages, as it does every other.",
  },
];
