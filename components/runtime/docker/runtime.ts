/** One Docker Engine that containers run on: its provider, and the stack's network and images there. */
import type { ImageKey } from "../../../config/images.ts";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { withAliases } from "../../aliases.ts";
import { type Naming, physicalName } from "../../../topology/naming.ts";
import type { ContainerNetwork } from "../../../topology/service.ts";
import type { ImageRecipe } from "../../../topology/images.ts";
import { ImageBuild } from "./image-build.ts";
import { dockerLabels } from "./labels.ts";

export interface DockerRuntimeArgs {
  readonly naming: Naming;
  /** Address of the engine: `unix://`, `tcp://` or `ssh://`. */
  readonly dockerHost: pulumi.Input<string>;
  /** Options of the system's ssh for an `ssh://` address. @default - none */
  readonly sshOptions?: pulumi.Input<string[]>;
  /** References of the images that the containers here need, by key. */
  readonly images: ReadonlyMap<ImageKey, string>;
  /** How the engine makes those images that it cannot pull, by key. @default - it pulls all */
  readonly recipes?: ReadonlyMap<ImageKey, ImageRecipe>;
  /** The engine that has such an image before this one, to copy it from, by key. @default - this engine builds them */
  readonly imagesFrom?: ReadonlyMap<ImageKey, DockerRuntime>;
  /** Ids of images that have other contents under the same reference now and then: another id is another image. @default - none has */
  readonly ids?: ReadonlyMap<ImageKey, string>;
  /** Login for private images; the password is sent with each call and stored on no engine. */
  readonly login?: RegistryLogin | undefined;
  /** MTU of the container networks; Hetzner's private network has 1450. @default 1500 */
  readonly mtu?: number;
  /** Name of the network interface of the network `edge`, for packet filters. @default - Docker's choice */
  readonly edgeInterface?: string;
  /** The server of the engine; resources on it are deleted with the server. @default - the stack does not manage the machine */
  readonly server?: pulumi.Resource;
  /** What must exist before the first call to the engine. @default - nothing */
  readonly ready?: pulumi.Resource;
}

/** Login at a private image registry. */
export interface RegistryLogin {
  /** Host and port, as images name them. */
  readonly registry: string;
  readonly user: string;
  readonly password: pulumi.Output<string>;
}

/** A Docker Engine with the networks and the images of one stack; other components create containers on it. */
export class DockerRuntime extends pulumi.ComponentResource {
  readonly naming: Naming;
  /** The engine's address for resources of the `orion` plugin. */
  readonly engine: {
    readonly dockerHost: pulumi.Input<string>;
    readonly sshOptions?: pulumi.Input<string[]>;
  };
  readonly provider: docker.Provider;
  /** The name of each container network. */
  readonly networks: Readonly<Record<ContainerNetwork, pulumi.Output<string>>>;
  /** The images that the engine makes itself, by key. */
  readonly builds = new Map<ImageKey, ImageBuild>();
  readonly #images: ReadonlyMap<ImageKey, docker.RemoteImage>;
  readonly #server: pulumi.Resource | undefined;
  /** What must exist before the first connection to the engine's server; undefined for a machine of its own. */
  readonly ready: pulumi.Resource | undefined;

  constructor(name: string, args: DockerRuntimeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:runtime:DockerRuntime", name, {}, withAliases({ ...opts }, { type: "orion:host:DockerPlace" }));
    this.naming = args.naming;
    this.engine = { dockerHost: args.dockerHost, ...(args.sshOptions && { sshOptions: args.sshOptions }) };
    this.#server = args.server;
    this.ready = args.ready;
    this.provider = this.#createProvider(name, args);
    this.networks = this.#createNetworks(name, args);
    this.#images = this.#createImages(name, args);
    this.registerOutputs({});
  }

  /** The image's id, so that a container runs exactly this image and a preview shows a change of its contents. */
  image(key: ImageKey): pulumi.Output<string> {
    return this.#find(key).imageId;
  }

  /** The name of a pulled image, for scripts on the server that run it. */
  reference(key: ImageKey): pulumi.Output<string> {
    return this.#find(key).name;
  }

  #find(key: ImageKey): docker.RemoteImage {
    const image = this.#images.get(key);
    if (image) return image;
    throw new Error(
      `The image '${key}' is not one of this Docker Engine's: ${[...this.#images.keys()].join(", ")}. ` +
        "The service's definition in topology/services/ must list it.",
    );
  }

  /** Options for a resource on this engine. It is deleted with its server, without a call to a machine that may be dead. */
  options(parent: pulumi.Resource): pulumi.CustomResourceOptions {
    return { parent, provider: this.provider, ...(this.#server && { deletedWith: this.#server }) };
  }

  #createProvider(name: string, args: DockerRuntimeArgs): docker.Provider {
    const { login } = args;
    const registryAuth = login && [{ address: login.registry, username: login.user, password: login.password }];
    return new docker.Provider(
      `${name}-docker`,
      {
        host: args.dockerHost,
        ...(args.sshOptions && { sshOpts: args.sshOptions }),
        ...(registryAuth && { registryAuth }),
      },
      { parent: this, ...(this.ready && { dependsOn: this.ready }) },
    );
  }

  #createNetworks(name: string, args: DockerRuntimeArgs): DockerRuntime["networks"] {
    const create = (suffix: string, options: Readonly<Record<string, string>> = {}) =>
      new docker.Network(
        `${name}-${suffix}`,
        {
          name: physicalName(args.naming, suffix),
          driver: "bridge",
          labels: dockerLabels(args.naming, suffix),
          options: { "com.docker.network.driver.mtu": String(args.mtu ?? 1500), ...options },
        },
        this.options(this),
      ).name;
    const { edgeInterface } = args;
    return {
      data: create("network"),
      // Docker sends what leaves a container of both through the network whose name is first in the alphabet: `data`.
      edge: create(
        "network-edge",
        edgeInterface === undefined ? {} : { "com.docker.network.bridge.name": edgeInterface },
      ),
    };
  }

  #createImages(name: string, args: DockerRuntimeArgs): ReadonlyMap<ImageKey, docker.RemoteImage> {
    return new Map(
      [...args.images].map(([key, reference]) => {
        const id = args.ids?.get(key);
        const image = new docker.RemoteImage(
          `${name}-image-${key}`,
          // Never deleted: other stacks of this machine share it, and the next `up` after a `down` needs it. The provider
          // looks at an image again only when one of its triggers has changed.
          { name: reference, keepLocally: true, ...(id !== undefined && { pullTriggers: [id] }) },
          { ...this.options(this), ...this.#afterBuild(name, args, key) },
        );
        return [key, image];
      }),
    );
  }

  /** The option of an image that the engine has to make first. */
  #afterBuild(name: string, { recipes, imagesFrom }: DockerRuntimeArgs, key: ImageKey): pulumi.CustomResourceOptions {
    const recipe = recipes?.get(key);
    if (!recipe) return {};
    const first = imagesFrom?.get(key);
    const earlier = first?.builds.get(key);
    const build = new ImageBuild(
      `${name}-image-${key}-build`,
      {
        ...this.engine,
        ...recipe,
        ...(first && earlier && { from: first.engine }),
      },
      {
        parent: this,
        ...(this.#server && { deletedWith: this.#server }),
        dependsOn: [...(this.ready ? [this.ready] : []), ...(earlier ? [earlier] : [])],
      },
    );
    this.builds.set(key, build);
    return { dependsOn: build };
  }
}
