/** Stops the apps beside an edge before the edge is deleted. */
import type * as pulumi from "@pulumi/pulumi";
import { lastingLabels } from "../../topology/naming.ts";
import { withAliases } from "../aliases.ts";
import { HostFiles } from "../runtime/docker/host-files.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";

/**
 * The apps complete their requests and close their WebSockets with a close frame, which the edge passes on; an edge that stopped
 * first could only cut them off.
 *
 * @param name `<edge>-drain`
 * @param runtime the server of the edge and its apps
 */
export function createEdgeDrain(
  name: string,
  runtime: DockerRuntime,
  opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
): HostFiles {
  const labels = Object.entries(lastingLabels(runtime.naming, "app"));
  const filters = labels.map(([key, value]) => `--filter label=${key}=${value}`).join(" ");
  const stop = `docker ps --quiet ${filters} | xargs -r docker stop --time 35`;
  return new HostFiles(
    name,
    { runtime, files: {}, command: ["true"], removal: ["sh", "-c", stop] },
    withAliases(opts, { name: name.replace(/-drain$/, "-farewell") }),
  );
}
