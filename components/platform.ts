import * as pulumi from "@pulumi/pulumi";
import { type Settings } from "../config/schema.ts";
import { endpointsOf } from "../topology/access.ts";
import { type BuiltImages } from "../topology/images.ts";
import { type Service, type ServiceKind, servicesOf } from "../topology/types.ts";
import { accessOf } from "./access.ts";
import { type BackingServicesArgs, createCache, createDatabase } from "./backing-services.ts";
import { Docs } from "./docs/docs.ts";
import { type HetznerAccess } from "./fleet/server-type.ts";
import { createIngress } from "./ingress/ingress.ts";
import { NotBuiltError } from "./not-built.ts";
import { createPassword } from "./password.ts";
import { createRuntimes, type Runtimes } from "./runtimes.ts";
import { Storage } from "./storage/storage.ts";
import { createTiers } from "./tiers.ts";

export interface PlatformArgs extends BackingServicesArgs {
  /** References of the images that are built from this repository. */
  readonly builtImages: BuiltImages;
  /** @default - Hetzner is not asked which types of servers it has */
  readonly hetznerAccess?: HetznerAccess | undefined;
}

/** Phases whose servers this version brings up. */
const builtPhases: readonly Settings["phase"][] = ["development", "mvp", "scale"];

/** Whether this version brings the phase up. */
export const isBuilt = (phase: Settings["phase"]): boolean => builtPhases.includes(phase);

/** The whole of Orion in one stack: the components of its topology, connected. */
export class Platform extends pulumi.ComponentResource {
  /** Where each service is reached from this machine, by the service's name. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** `postgresql://` URL from inside the container network; a secret. */
  readonly databaseUrl: pulumi.Output<string>;
  /** How each server is reached from this machine: the arguments of `ssh`, by the server's name. */
  readonly ssh: Readonly<Record<string, pulumi.Output<string[]>>>;
  /** Command lines that reach each server and each service, by what they are for. */
  readonly access: ReturnType<typeof accessOf>;
  /** What Flower asks for, beside its user `orion`; a secret. Undefined in development. */
  readonly flowerPassword: pulumi.Output<string> | undefined;

  readonly #args: PlatformArgs;
  readonly #hasServers: boolean;

  constructor(name: string, args: PlatformArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:index:Platform", name, {}, opts);
    const { settings, topology } = args;
    this.#args = args;
    this.#hasServers = topology.servers.length > 0;
    if (!isBuilt(settings.phase)) throw new NotBuiltError(`Phase ${settings.phase} on real servers`);

    const places = createRuntimes(args, this);
    const storage = this.#createStorage(places);
    const database = createDatabase(args, places, storage, this);
    const cache = createCache(args, places, this);
    this.flowerPassword = this.#createFlowerPassword();
    const { flowerPassword } = this;
    const apps = cache && createTiers({ ...args, places, storage, database, cache, flowerPassword }, this);
    if (apps && apps.size > 0) createIngress({ ...args, places, storage, apps }, this);
    this.#createDocs(places);

    this.databaseUrl = database.url;
    this.endpoints = endpointsOf(topology);
    this.ssh = Object.fromEntries([...places.members].map(([server, { ssh }]) => [server, ssh]));
    this.access = accessOf(topology, this.ssh);
    this.registerOutputs({ endpoints: this.endpoints });
  }

  #services(kind: ServiceKind): readonly Service[] {
    return servicesOf(this.#args.topology, kind);
  }

  #createStorage(places: Runtimes): Storage {
    const { domain, storage, cloudflare, protection } = this.#args.settings;
    if (storage.backend === "local") {
      const [home] = [...this.#services("app"), ...this.#services("worker"), ...this.#args.topology.services];
      if (!home) throw new Error("a plan has at least one service");
      return new Storage("storage", { backend: "local", place: places.of(home), protection }, { parent: this });
    }
    const { bucket, endpoint, customDomain } = storage;
    const { accountId, zone } = cloudflare;
    if (bucket === undefined || accountId === undefined || endpoint === undefined) {
      throw new Error("config/parse.ts asks for them with r2");
    }
    const args = {
      ...{ bucket, accountId, endpoint, protection },
      ...(domain !== undefined && { domain }),
      ...(customDomain !== undefined && zone !== undefined && { custom: { domain: customDomain, zone } }),
    };
    return new Storage("storage", { backend: "r2", ...args }, { parent: this });
  }

  /** In development Flower is on this machine's loopback; on a server it is behind SSH, and behind a password as well. */
  #createFlowerPassword(): pulumi.Output<string> | undefined {
    const isAsked = this.#hasServers && this.#services("flower").length > 0;
    return isAsked ? createPassword("flower-password", 24, { parent: this }) : undefined;
  }

  #createDocs(places: Runtimes): void {
    for (const service of this.#services("docs"))
      new Docs("docs", { place: places.of(service), service }, { parent: this });
  }
}
