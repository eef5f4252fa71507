/** One Docker Engine that containers are placed on: its provider, its network, its images. */
import type { ImageKey } from "../../../config/images.ts";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { formerly } from "../../former.ts";
import { type Naming, physicalName } from "../../../topology/naming.ts";
import { dockerLabels } from "./labels.ts";

export interface DockerRuntimeArgs {
  readonly naming: Naming;
  /** Address of the engine: `unix://`, `tcp://` or `ssh://`. */
  readonly dockerHost: pulumi.Input<string>;
  /** Options of the system's ssh for an `ssh://` address. @default - none */
  readonly sshOptions?: pulumi.Input<string[]>;
  /** References of the images that the containers here need, by key. */
  readonly images: ReadonlyMap<ImageKey, string>;
  /** With which private images are fetched; the password is sent with each call and kept by no engine. */
  readonly login?: RegistryLogin | undefined;
  /** Bytes of a packet in the container network; Hetzner's private network carries 1450. @default 1500 */
  readonly mtu?: number;
  /** The server that all of this goes away with. @default - a machine that is not ours */
  readonly server?: pulumi.Resource;
  /** What has to be done before the engine is spoken to. @default - nothing */
  readonly ready?: pulumi.Resource;
}

/** Whom a private registry knows us as. */
export interface RegistryLogin {
  /** Host and port, as images name them. */
  readonly registry: string;
  readonly user: string;
  readonly password: pulumi.Output<string>;
}

/** A Docker Engine with the network and the images of one stack; containers are put on it by the other components. */
export class DockerRuntime extends pulumi.ComponentResource {
  readonly naming: Naming;
  /** How the `orion` plugin finds the engine. */
  readonly engine: {
    readonly dockerHost: pulumi.Input<string>;
    readonly sshOptions?: pulumi.Input<string[]>;
  };
  readonly provider: docker.Provider;
  readonly network: pulumi.Output<string>;
  readonly #images: ReadonlyMap<ImageKey, docker.RemoteImage>;
  readonly #server: pulumi.Resource | undefined;
  readonly #ready: pulumi.Resource | undefined;

  constructor(name: string, args: DockerRuntimeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:runtime:DockerRuntime", name, {}, formerly({ ...opts }, { type: "orion:host:DockerPlace" }));
    this.naming = args.naming;
    this.engine = { dockerHost: args.dockerHost, ...(args.sshOptions && { sshOptions: args.sshOptions }) };
    this.#server = args.server;
    this.#ready = args.ready;
    this.provider = this.#createProvider(name, args);
    this.network = this.#createNetwork(name, args).name;
    this.#images = this.#createImages(name, args);
    this.registerOutputs({ network: this.network });
  }

  /** The exact image, by its content's digest, so that a container runs what was tested and a preview sees a change. */
  image(key: ImageKey): pulumi.Output<string> {
    return this.#find(key).imageId;
  }

  /** The name of an image that is there, for what is not run by the engine. */
  reference(key: ImageKey): pulumi.Output<string> {
    return this.#find(key).name;
  }

  #find(key: ImageKey): docker.RemoteImage {
    const image = this.#images.get(key);
    if (image) return image;
    throw new Error(`image '${key}' was not asked for at this place; known: ${[...this.#images.keys()].join(", ")}`);
  }

  /** Options for a resource on this engine. With its server it is gone: nothing is asked of a dead machine. */
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
      { parent: this, ...(this.#ready && { dependsOn: this.#ready }) },
    );
  }

  #createNetwork(name: string, args: DockerRuntimeArgs): docker.Network {
    return new docker.Network(
      `${name}-network`,
      {
        name: physicalName(args.naming, "network"),
        driver: "bridge",
        labels: dockerLabels(args.naming, "network"),
        options: { "com.docker.network.driver.mtu": String(args.mtu ?? 1500) },
      },
      this.options(this),
    );
  }

  #createImages(name: string, args: DockerRuntimeArgs): ReadonlyMap<ImageKey, docker.RemoteImage> {
    return new Map(
      [...args.images].map(([key, reference]) => [
        key,
        // Shared with other stacks of this machine, and wanted again after a `down`: never deleted.
        new docker.RemoteImage(`${name}-image-${key}`, { name: reference, keepLocally: true }, this.options(this)),
      ]),
    );
  }
}
