/** The rehearsal cloud in one process: both emulated APIs, edge, registries, name servers, faults and the status page. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fastify, { type FastifyInstance } from "fastify";
import type { Progress } from "../../toolchain/src/progress.ts";
import { AcmeAuthority } from "../acme/acme-authority.ts";
import { registerCloudflare } from "../cloudflare/api.ts";
import { Edge } from "../cloudflare/edge/edge.ts";
import { type R2Call, R2Endpoint } from "../cloudflare/objects/r2-endpoint.ts";
import { S3Server } from "../cloudflare/objects/s3-server.ts";
import { accessKeys } from "../cloudflare/objects/keys.ts";
import { noObjects } from "../cloudflare/objects/storage.ts";
import type { CloudflareObjects } from "../cloudflare/state.ts";
import { Clock, type ClockObjects } from "../clock.ts";
import { type FaultObjects, Faults } from "../faults.ts";
import { registerHetzner } from "../hetzner/api.ts";
import { MetadataService } from "../hetzner/metadata.ts";
import { publicAddress } from "../hetzner/server-links.ts";
import type { HetznerObjects } from "../hetzner/state.ts";
import { DockerMachines } from "../machines/docker/docker-machines.ts";
import { Naming } from "../machines/docker/naming.ts";
import type { Machines } from "../machines/machines.ts";
import { NoMachines } from "../machines/none.ts";
import { NameServer } from "../dns/name-server.ts";
import { Resolver } from "../dns/resolver.ts";
import {
  acme as acmeProgram,
  ensureProgram,
  type Program,
  registry as registryProgram,
  storage as storageProgram,
} from "../programs/programs.ts";
import { namesOf, placeOf, Registry, type RegistryObjects } from "../registry/registry.ts";
import { Store } from "../store.ts";
import { CallLog, recordCalls, recorderOf } from "./call-log.ts";
import { ChangeLog } from "./change-log.ts";
import { registerControlApi } from "./control-api.ts";
import { injectCallFaults } from "./call-faults.ts";
import {
  authorityIn,
  cloudAddresses,
  cloudServices,
  type CloudSettings,
  hasStorage,
  registryPort,
  storageAddress,
  zoneOf,
} from "./settings.ts";

export interface EmulatorOptions {
  /** Folder of these sources. */
  readonly root: string;
  /** Folder of the cloud. */
  readonly folder: string;
  /** With port 0, it listens on any free ones: `settings` of the emulator has the port of the APIs. */
  readonly settings: CloudSettings;
  readonly progress: Progress;
  /** Writes a line to the log. */
  readonly log: (line: string) => void;
  /** Called when a client requests the deletion of the cloud. */
  readonly onDown: () => void;
}

/** Paths of the server programs that it runs. */
interface Programs {
  readonly storage: string;
  /** Those of a cloud with machines. */
  readonly machines: { readonly registry: string; readonly acme: string } | undefined;
}

/** R2's S3 interface, and the server behind it. */
interface Storage {
  readonly s3: S3Server;
  readonly r2: R2Endpoint;
}

/** The servers behind the APIs, in a cloud with machines. */
interface Parts {
  readonly registry: Registry;
  readonly acme: AcmeAuthority;
  readonly edge: Edge;
  readonly names: NameServer;
  readonly metadata: MetadataService;
}

type Objects = HetznerObjects & CloudflareObjects & FaultObjects & RegistryObjects & ClockObjects;

export class Emulator {
  readonly #options: EmulatorOptions;
  readonly #store: Store<Objects>;
  readonly #clock: Clock;
  readonly #machines: Machines & { start?: () => Promise<void>; close?: () => void };
  readonly #faults: Faults;
  readonly #calls = new CallLog();
  readonly #record: ReturnType<typeof recorderOf>;
  readonly #changes = new ChangeLog();
  readonly #app: FastifyInstance;
  readonly #hetzner: ReturnType<typeof registerHetzner>;
  readonly #world: ReturnType<typeof registerCloudflare>;
  readonly #storage: Storage | undefined;
  readonly #parts: Parts | undefined;
  #settings: CloudSettings;

  /** @param programs paths of the server programs; undefined: only the APIs are served */
  private constructor(options: EmulatorOptions, programs: Programs | undefined) {
    this.#options = options;
    const { root, folder, settings, progress } = options;
    this.#record = recorderOf(this.#calls, options.log);
    const { instance, block, token, accountId } = settings;
    const places = { root, folder, authorityFile: authorityIn(folder), instance, block, progress };
    this.#store = new Store<Objects>(join(folder, "cloud.sqlite"));
    this.#changes.follow(this.#store);
    this.#clock = new Clock(this.#store);
    this.#settings = settings;
    this.#machines = programs?.machines
      ? new DockerMachines({ ...places, cloudServices: cloudServices(block) })
      : new NoMachines();
    this.#faults = new Faults(this.#store, this.#machines);
    const s3 =
      programs &&
      new S3Server({
        program: programs.storage,
        folder: join(folder, "objects"),
        ...storageAddress(block),
        token,
        accountId,
      });
    this.#app = this.#createApp();
    this.#hetzner = this.#registerHetzner();
    this.#world = this.#registerCloudflare(s3);
    const { port } = settings;
    const onCall = ({ method, path, status, milliseconds, problem, agent }: R2Call): void => {
      this.#record({ method, path: `r2:${path}`, status, milliseconds, problem, agent });
    };
    this.#storage = s3 && {
      s3,
      r2: new R2Endpoint({ world: this.#world, storage: s3, port: port && port + 1, onCall }),
    };
    this.#parts = programs?.machines && this.#storage && this.#createParts(programs.machines, this.#storage.r2);
    this.#registerControlApi();
  }

  /** With the port that the APIs have. */
  get settings(): CloudSettings {
    return this.#settings;
  }

  /** Port of R2's S3 interface; undefined: the cloud has none. */
  get storagePort(): number | undefined {
    return this.#storage?.r2.port;
  }

  #createApp(): FastifyInstance {
    const app = fastify({ forceCloseConnections: true, bodyLimit: 16 * 2 ** 20 });
    injectCallFaults(app, this.#faults);
    recordCalls(app, this.#record);
    app.setNotFoundHandler(async (request, reply) => {
      const message = `${request.method} ${request.url.split("?")[0] ?? ""} is not emulated: the APIs are below /hetzner/v1 and /client/v4`;
      await reply
        .code(501)
        .header("x-should-retry", "false")
        .send({ error: { code: "not_emulated", message } });
    });
    return app;
  }

  #registerHetzner(): ReturnType<typeof registerHetzner> {
    const { log, settings } = this.#options;
    return registerHetzner(this.#app, {
      store: this.#store,
      machines: this.#machines,
      now: this.#clock.now,
      block: settings.block,
      token: settings.token,
      shortage: this.#faults.shortage,
      actionFault: this.#faults.onAction,
      onError: (error) => {
        log(`PROBLEM ${error instanceof Error ? error.message : String(error)}`);
      },
    });
  }

  #registerCloudflare(s3: S3Server | undefined): ReturnType<typeof registerCloudflare> {
    const { token, accountId, zones } = this.#options.settings;
    return registerCloudflare(this.#app, {
      store: this.#store,
      now: this.#clock.now,
      token,
      accountId,
      zones: zones.map(zoneOf),
      objects: s3 ?? noObjects,
    });
  }

  #createParts(programs: Exclude<Programs["machines"], undefined>, r2: R2Endpoint): Parts {
    const { folder, settings } = this.#options;
    const { instance, block } = settings;
    const addresses = cloudAddresses(block);
    const naming = new Naming(instance, block);
    const fromServer = {
      edge: naming.fromServer(addresses.edge),
      registry: naming.fromServer(addresses.registry),
      acme: naming.fromServer(addresses.acme),
    };
    const acme = new AcmeAuthority({
      program: programs.acme,
      folder: join(folder, "acme"),
      host: addresses.acme,
      resolver: this.#resolver(addresses),
      store: this.#world.store,
      now: this.#clock.now,
    });
    const registry = new Registry({
      program: programs.registry,
      folder: join(folder, "registry"),
      host: addresses.registry,
      port: registryPort,
    });
    const edge = new Edge({
      world: this.#world,
      address: addresses.edge,
      objects: r2,
      authorities: () => acme.roots,
    });
    return {
      acme,
      registry,
      edge,
      names: new NameServer({ resolver: this.#resolver(fromServer), host: addresses.edge }),
      metadata: this.#createMetadata(naming, addresses.metadata),
    };
  }

  #createMetadata(naming: Naming, host: string): MetadataService {
    const { cloud } = this.#hetzner;
    const hostOf = (id: number): string | undefined => {
      const address = publicAddress(cloud, id);
      return address === undefined ? undefined : naming.behind(address).host;
    };
    const serverAt = (from: string) => cloud.store.list("hetzner.server").find(({ id }) => hostOf(id) === from);
    return new MetadataService({ cloud, host, serverAt });
  }

  #registerControlApi(): void {
    const { log, onDown } = this.#options;
    registerControlApi(this.#app, {
      settings: () => this.#settings,
      log,
      onDown,
      cloud: this.#hetzner.cloud,
      store: this.#store,
      faults: this.#faults,
      clock: this.#clock,
      forward: (milliseconds) => this.#forward(milliseconds),
      calls: this.#calls,
      changes: this.#changes,
      registry: this.#parts?.registry,
    });
  }

  /** Lets time pass. Objects become older, because their server and its clients have the clock of this machine. */
  async #forward(milliseconds: number): Promise<void> {
    this.#clock.forward(milliseconds);
    if (this.#storage) {
      this.#storage.s3.age(milliseconds);
      // A key begins with its token.
      await this.#storage.s3.setKeys(accessKeys(this.#world));
    }
    await this.#parts?.acme.restart();
  }

  /** @param addresses addresses of edge, registry and ACME authority, as the clients of this resolver reach them */
  #resolver(addresses: Pick<ReturnType<typeof cloudAddresses>, "edge" | "registry" | "acme">): Resolver {
    return new Resolver({
      ...addresses,
      world: this.#world,
      registryHosts: () =>
        new Set(this.#store.list("registry.image").flatMap(({ reference }) => namesOf(placeOf(reference).host))),
    });
  }

  /** @throws {Error} when a program or port is not available; everything started is stopped again, data is kept */
  static async start(options: EmulatorOptions): Promise<Emulator> {
    const { root, folder, settings, progress } = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = (program: Program) => ensureProgram(program, { root, progress });
    const machines =
      settings.machines === "docker"
        ? { registry: await path(registryProgram), acme: await path(acmeProgram) }
        : undefined;
    const programs = hasStorage(settings) ? { storage: await path(storageProgram), machines } : undefined;
    const emulator = new Emulator(options, programs);
    try {
      await emulator.#start();
    } catch (error) {
      await emulator.stop();
      throw error;
    }
    return emulator;
  }

  async #start(): Promise<void> {
    await this.#machines.start?.();
    if (this.#storage) {
      const { s3, r2 } = this.#storage;
      mkdirSync(join(this.#options.folder, "objects"), { recursive: true });
      await Promise.all([s3.start(), r2.start()]);
      await s3.setKeys(accessKeys(this.#world));
    }
    if (this.#parts) {
      const { registry, acme, edge, names, metadata } = this.#parts;
      mkdirSync(join(this.#options.folder, "registry"), { recursive: true });
      await Promise.all([registry.start(), acme.start(), edge.start(), names.start()]);
      await metadata.start();
      writeFileSync(authorityIn(this.#options.folder), await edge.authority());
    }
    await this.#hetzner.resume();
    await this.#faults.resume();
    await this.#app.listen({ host: "127.0.0.1", port: this.#settings.port });
    const address = this.#app.server.address();
    if (address !== null && typeof address === "object") this.#settings = { ...this.#settings, port: address.port };
  }

  /** Stops the servers of this process; machines and data stay, and a later start continues with them. */
  async stop(): Promise<void> {
    await this.#app.close();
    await this.#hetzner.cloud.settled();
    const { s3, r2 } = this.#storage ?? {};
    const { registry, acme, edge, names, metadata } = this.#parts ?? {};
    await Promise.all([s3?.stop(), r2?.stop(), registry?.stop(), acme?.stop(), edge?.stop(), names?.stop()]);
    await metadata?.stop();
    this.#machines.close?.();
    this.#store.close();
  }

  /** Stops everything and removes machines, networks and Volumes from this host. */
  async destroy(): Promise<void> {
    await this.stop();
    await this.#machines.destroyAll();
  }
}
