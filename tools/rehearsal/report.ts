/** Formats the summary of `make rehearse`: how to reach the platform and what to run next. Pure. */
import { builtPhases } from "../../config/presets.ts";
import type { Status } from "../../rehearsal/cloud/status.ts";
import { physicalName } from "../../topology/naming.ts";
import type { StackFile } from "../stack-file.ts";
import { bold, table } from "../terminal.ts";

/** Files of the rehearsal, relative to the project's folder. */
export interface RehearsalPaths {
  /** Its Pulumi project. */
  readonly folder: string;
  /** Certificate of the authority that signs the edge's certificates. */
  readonly authority: string;
}

export function reportOf(file: StackFile, status: Status, paths: RehearsalPaths, isUp: boolean): string {
  const { stack, settings, variables } = file;
  const { instance } = status;
  const next = builtPhases[builtPhases.indexOf(settings.phase) + 1];
  const again = (phase: string) => `make rehearse PHASE=${phase} STACK=${stack} CLOUD=${instance}`;
  const rows = [
    ["the platform", isUp ? visit(file, status, paths) : ""],
    ["the commands", `make doctor ${variables}, and all others with the same variables`],
    ["the engine", `npx pulumi -C ${paths.folder} stack, preview, up, ...`],
    ["the cloud", status.page],
    ["a move", isUp && next !== undefined ? again(next) : ""],
    ["again", isUp ? "" : again(settings.phase)],
    ["delete it", `make cloud-down CLOUD=${instance}`],
  ].filter(([, text]) => text !== "");
  const title = isUp
    ? `Stack '${stack}' is up in phase ${settings.phase} on the rehearsal cloud '${instance}'.`
    : `Stack '${stack}' did not come up on the rehearsal cloud '${instance}'; what was created is kept, and the next try continues from there.`;
  return `\n${bold(title)}\n\n${table(rows)}`;
}

/** The command that requests a page of the platform; no DNS server has its name. */
function visit({ stack, settings, topology }: StackFile, status: Status, { authority }: RehearsalPaths): string {
  const { domain = "", cloudflare } = settings;
  const curl = (address: string | null | undefined, trust: string): string =>
    address ? `curl --resolve ${domain}:443:${address} ${trust} https://${domain}/` : "";
  if (cloudflare.enabled) return curl(status.edge, `--cacert ${authority}`);
  const first = topology.servers.find(({ publicWeb }) => publicWeb);
  const name = first && physicalName({ stack }, first.name);
  const entrances = [...status.balancers, ...status.servers.filter((server) => server.name === name)];
  // Its certificate is self-signed or from the cloud's own authority.
  return curl(entrances[0]?.address, "--insecure");
}
