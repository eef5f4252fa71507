import type * as pulumi from "@pulumi/pulumi";
import { lastingLabels } from "../../topology/naming.ts";
import { formerly } from "../former.ts";
import { type DockerPlace } from "../host/docker-place.ts";
import { HostFiles } from "../host/host-files.ts";

/**
 * Stops the apps beside an edge before the edge is deleted. The apps complete their requests and close their WebSockets
 * with a close frame, which the edge passes on; an edge that stopped first could only cut them off.
 *
 * @param name `<edge>-drain`
 * @param place the server of the edge and its apps
 */
export function createEdgeDrain(
  name: string,
  place: DockerPlace,
  opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
): HostFiles {
  const labels = Object.entries(lastingLabels(place.naming, "app"));
  const filters = labels.map(([key, value]) => `--filter label=${key}=${value}`).join(" ");
  const stop = `docker ps --quiet ${filters} | xargs -r docker stop --time 35`;
  return new HostFiles(
    name,
    { place, files: {}, command: ["true"], removal: ["sh", "-c", stop] },
    formerly(opts, { name: name.replace(/-drain$/, "-farewell") }),
  );
}
