/** Where the containers of a plan go: this machine's Docker Engine in development, a server for each part from phase mvp on. */
import type * as pulumi from "@pulumi/pulumi";
import { type Settings } from "../config/schema.ts";
import { type BuiltImages, imageReferences } from "../topology/images.ts";
import { type Naming } from "../topology/naming.ts";
import { type Service, type Topology } from "../topology/types.ts";
import { DockerPlace } from "./host/docker-place.ts";
import { Fleet, type Member } from "./host/fleet.ts";

export interface Places {
  readonly of: (service: Service) => DockerPlace;
  /** The servers by name; empty in development. */
  readonly members: ReadonlyMap<string, Member>;
  /** The private network of the servers; undefined in development. */
  readonly subnetId: pulumi.Output<string> | undefined;
}

export interface PlacesArgs {
  readonly settings: Settings;
  readonly topology: Topology;
  readonly builtImages: BuiltImages;
}

/** Makes what the plan stands on. @param parent the component that it belongs to */
export function createPlaces(args: PlacesArgs, parent: pulumi.Resource): Places {
  const { stack, phase, servers } = args.topology;
  const naming = { stack, phase };
  return servers.length === 0 ? localPlace(args, naming, parent) : fleet(args, naming, parent);
}

/** What lets the servers reach each other. */
export const openedOf = ({ members }: Places): pulumi.Resource[] => [...members.values()].map(({ opened }) => opened);

function localPlace({ settings, topology, builtImages }: PlacesArgs, naming: Naming, parent: pulumi.Resource): Places {
  const images = imageReferences(topology.services, settings, builtImages);
  const place = new DockerPlace("local", { naming, dockerHost: settings.dockerHost, images }, { parent });
  return { of: () => place, members: new Map(), subnetId: undefined };
}

function fleet({ settings, topology, builtImages }: PlacesArgs, naming: Naming, parent: pulumi.Resource): Places {
  const { hetzner, admin, cloudflare, protection } = settings;
  const imagesOf = (name: string) =>
    imageReferences(
      topology.services.filter(({ server }) => server === name),
      settings,
      builtImages,
    );
  const args = { naming, topology, hetzner, admin, protection, behindCloudflare: cloudflare.enabled, imagesOf };
  const { members, subnetId } = new Fleet("fleet", args, { parent });
  const of = ({ name, server }: Service): DockerPlace => {
    const member = members.get(server);
    if (!member) throw new Error(`${name} is to run on ${server}, which the plan does not have`);
    return member.place;
  };
  return { of, members, subnetId };
}
