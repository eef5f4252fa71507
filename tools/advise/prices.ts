/** What a phase costs at Hetzner with its defaults and a Volume for so much data. Pure. */
import { presets } from "../../config/presets.ts";
import { inventoryOf, type PlannedCost } from "../plan/inventory.ts";
import { describeStack } from "../stack-file.ts";
import { cheapDatabaseType, largestVolumeGb, type ServerPhase, volumePerGb } from "./rules.ts";

export interface PhasePrice {
  readonly phase: ServerPhase;
  readonly servers: number;
  /** `orion:database.volumeGb`. */
  readonly volumeGb: number;
  readonly cost: PlannedCost;
}

/** What every stack must say, and what costs nothing. */
const least = {
  "orion:domain": "orion.example.com",
  "orion:app": { image: "registry.example.com/orion/app:1.0.0" },
  "orion:storage": { bucket: "orion-files" },
  "orion:cloudflare": { accountId: "0".repeat(32) },
  "orion:email": { smtpHost: "smtp.example.com" },
  "orion:admin": {
    cidrs: ["203.0.113.0/24"],
    sshPublicKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleKeyThatOpensNothingReplaceItWithYour advice"],
  },
};

/**
 * @param gb GB of data
 * @param cheap whether the cheaper server types are taken, which are often sold out
 */
export function phasePrice(phase: ServerPhase, gb: number, cheap = false): PhasePrice {
  const wanted = Math.max(presets[phase].database.volumeGb, Math.ceil((gb * volumePerGb) / 10) * 10);
  // More data than any phase has room for is a warning; the price is that of the largest Volume.
  const volumeGb = Math.min(wanted, largestVolumeGb);
  const { topology, settings } = describeStack("prod", {
    config: {
      ...least,
      "orion:phase": phase,
      "orion:database": { volumeGb, ...(cheap && { servers: [cheapDatabaseType] }) },
      ...(cheap && cheapPools(phase)),
    },
  });
  const { servers, cost } = inventoryOf({ topology, settings });
  return { phase, servers: servers.length, volumeGb, cost };
}

/** The pools of a phase on cheaper types of the same memory. */
function cheapPools(phase: ServerPhase): Record<string, unknown> {
  const { app, workers } = presets[phase];
  const pool = (one: { readonly count: number; readonly types: readonly string[] }) => ({
    servers: { count: one.count, types: one.types.slice(-1) },
  });
  return {
    ...(app.servers && { "orion:app": { ...least["orion:app"], ...pool(app.servers) } }),
    ...(workers.servers && { "orion:workers": pool(workers.servers) }),
  };
}
