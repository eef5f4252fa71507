/** Where the containers of a plan go: this machine's Docker Engine in development, a server for each part from phase mvp on. */
import type * as pulumi from "@pulumi/pulumi";
import { type SecretKey, type Settings } from "../config/schema.ts";
import { type BuiltImages, imageReferences } from "../topology/images.ts";
import { type Naming } from "../topology/naming.ts";
import { type Service, type Topology } from "../topology/types.ts";
import { Fleet, type Member } from "./fleet/fleet.ts";
import { type HetznerAccess } from "./fleet/server-type.ts";
import { DockerRuntime, type RegistryLogin } from "./runtime/docker/runtime.ts";

export interface Runtimes {
  readonly of: (service: Service) => DockerRuntime;
  /** The servers by name; empty in development. */
  readonly members: ReadonlyMap<string, Member>;
  /** The private network of the servers; undefined in development. */
  readonly subnetId: pulumi.Output<string> | undefined;
}

export interface RuntimesArgs {
  readonly settings: Settings;
  readonly topology: Topology;
  readonly builtImages: BuiltImages;
  /** The stack's secrets by name; undefined for one that it does not set. */
  readonly secret: (key: SecretKey) => pulumi.Output<string> | undefined;
  /** @default - Hetzner is not asked which types of servers it has */
  readonly hetznerAccess?: HetznerAccess | undefined;
}

/** Makes what the plan stands on. @param parent the component that it belongs to */
export function createRuntimes(args: RuntimesArgs, parent: pulumi.Resource): Runtimes {
  const { stack, phase, servers } = args.topology;
  const naming = { stack, phase };
  return servers.length === 0 ? localPlace(args, naming, parent) : fleet(args, naming, parent);
}

/** The rules that let the servers reach each other. */
export const peerRulesOf = ({ members }: Runtimes): pulumi.Resource[] =>
  [...members.values()].map(({ peerRules }) => peerRules);

/** How images of a private registry are fetched; undefined when none is named. */
function loginOf({ settings, secret }: RuntimesArgs): RegistryLogin | undefined {
  const { login } = settings.images;
  const password = secret("registryPassword");
  return login && password && { ...login, password };
}

function localPlace(args: RuntimesArgs, naming: Naming, parent: pulumi.Resource): Runtimes {
  const { settings, topology, builtImages } = args;
  const images = imageReferences(topology.services, settings, builtImages);
  const place = new DockerRuntime(
    "local",
    { naming, dockerHost: settings.dockerHost, images, login: loginOf(args) },
    { parent },
  );
  return { of: () => place, members: new Map(), subnetId: undefined };
}

function fleet(own: RuntimesArgs, naming: Naming, parent: pulumi.Resource): Runtimes {
  const { settings, topology, builtImages, hetznerAccess: access } = own;
  const { hetzner, admin, cloudflare, protection } = settings;
  const imagesOf = (name: string) =>
    imageReferences(
      topology.services.filter(({ server }) => server === name),
      settings,
      builtImages,
    );
  const args = {
    ...{ naming, topology, hetzner, admin, protection, access, imagesOf },
    behindCloudflare: cloudflare.enabled,
    login: loginOf(own),
  };
  const { members, subnetId } = new Fleet("fleet", args, { parent });
  const of = ({ name, server }: Service): DockerRuntime => {
    const member = members.get(server);
    if (!member) throw new Error(`${name} is to run on ${server}, which the plan does not have`);
    return member.place;
  };
  return { of, members, subnetId };
}
