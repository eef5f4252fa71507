/** The Docker Engines of a stack: this machine's own, or one on each of its servers. */
import type * as pulumi from "@pulumi/pulumi";
import type { ImageKey } from "../config/images.ts";
import { type BuiltImages, imageRecipes, imageReferences } from "../topology/images.ts";
import type { BaseService } from "../topology/service.ts";
import { hasServers } from "../topology/topology.ts";
import type { Stack } from "./context.ts";
import { DockerRuntime, type RegistryLogin } from "./runtime/docker/runtime.ts";
import { Fleet } from "./fleet/fleet.ts";
import type { Member } from "./fleet/member.ts";
import type { HetznerAccess } from "./fleet/server-type.ts";

export interface Runtimes {
  /** The Docker Engine that a service runs on. */
  readonly of: (service: Pick<BaseService, "name" | "server">) => DockerRuntime;
  /** The servers by name; empty with a local Docker Engine. */
  readonly members: ReadonlyMap<string, Member>;
  /** The private network of the servers; undefined with a local Docker Engine. */
  readonly subnetId: pulumi.Output<string> | undefined;
  /** Packet-filter rules that admit the other servers, for each server; clients must depend on them. */
  readonly peerRules: readonly pulumi.Resource[];
}

export interface RuntimesArgs extends Stack {
  readonly builtImages: BuiltImages;
  /** @default - the availability of server types is not checked at Hetzner */
  readonly hetznerAccess?: HetznerAccess | undefined;
  /** Ids of SSH keys that Hetzner has without this stack, by fingerprint. @default - none */
  readonly existingKeys?: ReadonlyMap<string, string>;
}

/** Creates the servers of a stack, or finds the local Docker Engine. @param parent the component that they belong to */
export const createRuntimes = (args: RuntimesArgs, parent: pulumi.Resource): Runtimes =>
  hasServers(args.topology) ? onServers(args, parent) : onThisMachine(args, parent);

/** The login at a private image registry; undefined without one. */
function loginOf({ settings, secret }: RuntimesArgs): RegistryLogin | undefined {
  const { login } = settings.images;
  const password = secret("registryPassword");
  return login && password && { ...login, password };
}

function onThisMachine(args: RuntimesArgs, parent: pulumi.Resource): Runtimes {
  const { settings, topology, builtImages } = args;
  const images = imageReferences(topology.services, settings, builtImages);
  const own = {
    ...{ naming: topology, dockerHost: settings.dockerHost, images, login: loginOf(args) },
    ...(builtImages.appId !== undefined && { ids: new Map<ImageKey, string>([["app", builtImages.appId]]) }),
  };
  const runtime = new DockerRuntime("local", own, { parent });
  return { of: () => runtime, members: new Map(), subnetId: undefined, peerRules: [] };
}

function onServers(args: RuntimesArgs, parent: pulumi.Resource): Runtimes {
  const { settings, topology, builtImages, hetznerAccess: access, existingKeys = new Map<string, string>() } = args;
  const { hetzner, admin, cloudflare, protection } = settings;
  const servicesOn = (name: string) => topology.services.filter(({ server }) => server === name);
  const imagesOf = (name: string) => imageReferences(servicesOn(name), settings, builtImages);
  const recipesOf = (name: string) => imageRecipes(servicesOn(name), settings, builtImages);
  const fleet = new Fleet(
    "fleet",
    {
      ...{ naming: topology, topology, hetzner, admin, protection, access, existingKeys, imagesOf, recipesOf },
      behindCloudflare: cloudflare.enabled,
      login: loginOf(args),
    },
    { parent },
  );
  const { members, subnetId } = fleet;
  const of = ({ name, server }: Pick<BaseService, "name" | "server">): DockerRuntime => {
    const member = members.get(server);
    if (!member) throw new Error(`The service ${name} is planned on the server ${server}, which is not in the plan.`);
    return member.runtime;
  };
  return { of, members, subnetId, peerRules: [...members.values()].map(({ peerRules }) => peerRules) };
}
