import type * as pulumi from "@pulumi/pulumi";
import { lastingLabels } from "../../topology/naming.ts";
import { type DockerPlace } from "../host/docker-place.ts";
import { HostFiles } from "../host/host-files.ts";

/**
 * When an edge is taken away, the apps beside it end before it does: they end what is under way and close WebSockets as one
 * should, which the edge passes on. An edge that ended first could only cut them off.
 *
 * @param place the server of the edge and its apps
 */
export function createEdgeFarewell(
  name: string,
  place: DockerPlace,
  opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
): HostFiles {
  const labels = Object.entries(lastingLabels(place.naming, "app"));
  const filters = labels.map(([key, value]) => `--filter label=${key}=${value}`).join(" ");
  const stop = `docker ps --quiet ${filters} | xargs -r docker stop --time 35`;
  return new HostFiles(name, { place, files: {}, command: ["true"], removal: ["sh", "-c", stop] }, opts);
}
