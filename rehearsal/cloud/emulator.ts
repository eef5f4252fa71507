/** The rehearsal cloud in one process: both emulated APIs, edge, registries, name servers, faults and the status page. */
import { timingSafeEqual } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fastify, { type FastifyInstance } from "fastify";
import { z } from "zod";
import { UserError } from "../../common/user-error.ts";
import type { Progress } from "../../toolchain/src/progress.ts";
import { AcmeAuthority } from "../acme/acme-authority.ts";
import { registerCloudflare } from "../cloudflare/api.ts";
import { Edge } from "../cloudflare/edge/edge.ts";
import { S3Server } from "../cloudflare/objects/s3-server.ts";
import { accessKeys } from "../cloudflare/objects/keys.ts";
import { noObjects } from "../cloudflare/objects/storage.ts";
import { isQuirk, setQuirk } from "../cloudflare/quirks.ts";
import type { CloudflareObjects } from "../cloudflare/state.ts";
import { type FaultObjects, Faults, faultSchema } from "../faults.ts";
import { registerHetzner } from "../hetzner/api.ts";
import type { HetznerObjects } from "../hetzner/state.ts";
import { DockerMachines } from "../machines/docker/docker-machines.ts";
import { Names } from "../machines/docker/names.ts";
import type { Machines } from "../machines/machines.ts";
import { NoMachines } from "../machines/none.ts";
import { NameServer } from "../dns/name-server.ts";
import { Resolver } from "../dns/resolver.ts";
import {
  acme as acmeProgram,
  ensureProgram,
  registry as registryProgram,
  storage as storageProgram,
} from "../programs/programs.ts";
import { namesOf, placeOf, Registry, type RegistryObjects } from "../registry/registry.ts";
import { Store } from "../store.ts";
import { CallLog, recordCalls } from "./call-log.ts";
import { resolveFaultTargets } from "./fault-targets.ts";
import { formatFault } from "./fault-syntax.ts";
import { injectCallFaults } from "./call-faults.ts";
import { pageOf } from "./page.ts";
import { cloudAddresses, type CloudSettings, registryPort, zoneOf } from "./settings.ts";
import { statusOf } from "./status.ts";

export interface EmulatorOptions {
  /** Folder of the project. */
  readonly root: string;
  /** Folder of the cloud. */
  readonly folder: string;
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
  readonly registry: string;
  readonly acme: string;
}

type Objects = HetznerObjects & CloudflareObjects & FaultObjects & RegistryObjects;

export class Emulator {
  readonly #options: EmulatorOptions;
  readonly #store: Store<Objects>;
  readonly #machines: Machines & { start?: () => Promise<void>; close?: () => void };
  readonly #faults: Faults;
  readonly #calls = new CallLog();
  readonly #app: FastifyInstance;
  readonly #hetzner: ReturnType<typeof registerHetzner>;
  readonly #world: ReturnType<typeof registerCloudflare>;
  readonly #parts: { s3: S3Server; registry: Registry; acme: AcmeAuthority; edge: Edge; names: NameServer } | undefined;

  /** @param programs paths of the server programs; undefined: only the APIs are served */
  private constructor(options: EmulatorOptions, programs: Programs | undefined) {
    this.#options = options;
    const { root, folder, settings, progress, log } = options;
    const { instance, block, token, accountId, zones } = settings;
    const addresses = cloudAddresses(block);
    const now = () => new Date();
    this.#store = new Store<Objects>(join(folder, "cloud.sqlite"));
    this.#machines = programs
      ? new DockerMachines({ root, folder, instance, block, cloudAddresses: addresses, progress })
      : new NoMachines();
    this.#faults = new Faults(this.#store, this.#machines);
    const s3 =
      programs &&
      new S3Server({ program: programs.storage, folder: join(folder, "objects"), port: settings.port + 1, token });
    this.#app = fastify({ forceCloseConnections: true, bodyLimit: 16 * 2 ** 20 });
    injectCallFaults(this.#app, this.#faults);
    recordCalls(this.#app, this.#calls, log);
    this.#app.setNotFoundHandler(async (request, reply) => {
      const message = `${request.method} ${request.url.split("?")[0] ?? ""} is not emulated: the APIs are below /hetzner/v1 and /client/v4`;
      await reply
        .code(501)
        .header("x-should-retry", "false")
        .send({ error: { code: "not_emulated", message } });
    });
    this.#hetzner = registerHetzner(this.#app, {
      store: this.#store,
      machines: this.#machines,
      now,
      block,
      token,
      soldOut: (type) => this.#faults.soldOut(type),
      actionFault: this.#faults.onAction,
      onError: (error) => {
        log(`PROBLEM ${error instanceof Error ? error.message : String(error)}`);
      },
    });
    this.#world = registerCloudflare(this.#app, {
      store: this.#store,
      now,
      token,
      accountId,
      zones: zones.map(zoneOf),
      objects: s3 ?? noObjects,
    });
    this.#addOwn();
    const acme =
      programs &&
      new AcmeAuthority({
        program: programs.acme,
        folder: join(folder, "acme"),
        host: addresses.acme,
        resolver: this.#resolver(addresses),
        store: this.#world.store,
        now,
      });
    const names = new Naming(instance, block);
    const fromServer = {
      edge: names.fromServer(addresses.edge),
      registry: names.fromServer(addresses.registry),
      acme: names.fromServer(addresses.acme),
    };
    this.#parts = programs &&
      s3 &&
      acme && {
        s3,
        acme,
        registry: new Registry({
          program: programs.registry,
          folder: join(folder, "registry"),
          host: addresses.registry,
          port: registryPort,
        }),
        edge: new Edge({
          world: this.#world,
          address: addresses.edge,
          objects: settings.port + 1,
          authorities: () => acme.roots,
        }),
        names: new NameServer({ resolver: this.#resolver(fromServer), host: addresses.edge }),
      };
  }

  /** @param addresses addresses of edge, registry and ACME authority, as the clients of this resolver reach them */
  #resolver(addresses: ReturnType<typeof cloudAddresses>): Resolver {
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
    const programs =
      settings.machines === "docker"
        ? {
            storage: await ensureProgram(storageProgram, { root, progress }),
            registry: await ensureProgram(registryProgram, { root, progress }),
            acme: await ensureProgram(acmeProgram, { root, progress }),
          }
        : undefined;
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
    if (this.#parts) {
      const { s3, registry, acme, edge, names } = this.#parts;
      for (const part of ["objects", "registry"]) mkdirSync(join(this.#options.folder, part), { recursive: true });
      await Promise.all([s3.start(), registry.start(), acme.start(), edge.start(), names.start()]);
      await s3.setKeys(accessKeys(this.#world));
      writeFileSync(join(this.#options.folder, "edge-authority.pem"), await edge.authority());
    }
    await this.#hetzner.resume();
    await this.#faults.resume();
    await this.#app.listen({ host: "127.0.0.1", port: this.#options.settings.port });
  }

  /** Stops the servers of this process; machines and data stay, and a later start continues with them. */
  async stop(): Promise<void> {
    await this.#app.close();
    await this.#hetzner.cloud.settled();
    await Promise.all(Object.values(this.#parts ?? {}).map((part) => part.stop()));
    this.#machines.close?.();
    this.#store.close();
  }

  /** Stops everything and removes machines, networks and Volumes from this host. */
  async destroy(): Promise<void> {
    await this.stop();
    await this.#machines.destroyAll();
  }

  /** Serves the status page and the control API below `/rehearsal`. */
  #addOwn(): void {
    const { log, settings } = this.#options;
    const { token } = settings;
    void this.#app.register((scope, _options, done) => {
      scope.addHook("onRequest", (request, reply, next) => {
        const { token: given } = z.object({ token: z.string().optional() }).parse(request.query);
        if (isToken(request.headers.authorization ?? `Bearer ${given ?? ""}`, token)) next();
        else void reply.code(401).send({ error: "the cloud's token is required: make cloud-status prints it" });
      });
      scope.setErrorHandler((error, _request, reply) => {
        const message = error instanceof Error ? error.message : String(error);
        return reply.code(error instanceof UserError ? 422 : 500).send({ error: message });
      });
      const status = () =>
        statusOf({
          settings: this.#options.settings,
          cloud: this.#hetzner.cloud,
          cloudflare: this.#store,
          faults: this.#faults.list(),
          calls: this.#calls.last,
          totalCalls: this.#calls.total,
          hasEdge: this.#parts !== undefined,
        });
      scope.get("/", async (_request, reply) => reply.type("text/html; charset=utf-8").send(pageOf(await status())));
      scope.get("/rehearsal/status", status);
      scope.get("/rehearsal/faults", () => ({ faults: this.#faults.list() }));
      scope.post("/rehearsal/faults", async (request, reply) => {
        const { data, error } = faultSchema.safeParse(resolveFaultTargets(request.body, this.#hetzner.cloud));
        if (!data) return reply.code(422).send({ error: z.prettifyError(error) });
        const fault = await this.#faults.add(data);
        log(`FAULT ${fault.id} added: ${formatFault(fault)}`);
        return reply.code(201).send({ fault });
      });
      scope.delete("/rehearsal/faults", async () => {
        const removed = await this.#faults.remove();
        if (removed) log("FAULT all removed");
        return { removed };
      });
      scope.delete<{ Params: { id: string } }>("/rehearsal/faults/:id", async ({ params }, reply) => {
        const removed = await this.#faults.remove(Number(params.id));
        if (removed) log(`FAULT ${params.id} removed`);
        return removed ? { removed } : reply.code(404).send({ error: `there is no fault ${params.id}` });
      });
      scope.put<{ Params: { name: string } }>("/rehearsal/quirks/:name", ({ params, body }, reply) => {
        const { data } = z.strictObject({ on: z.boolean() }).safeParse(body);
        if (!isQuirk(params.name) || !data)
          return reply.code(422).send({ error: 'expected a known quirk and a body such as {"on": true}' });
        setQuirk(this.#store, params.name, data.on);
        return reply.send(data);
      });
      scope.post("/rehearsal/images", async (request, reply) => {
        const asked = z.strictObject({ image: z.string(), reference: z.string().optional() }).parse(request.body);
        if (!this.#parts) return reply.code(422).send({ error: "a cloud without machines has no registry" });
        const { image, reference = image } = asked;
        await this.#parts.registry.push(image, reference);
        this.#store.put("registry.image", reference, { reference });
        return reply.code(201).send({ registry: this.#parts.registry.address });
      });
      scope.post("/rehearsal/down", async (_request, reply) => {
        await reply.code(202).send({});
        this.#options.onDown();
      });
      done();
    });
  }
}

function isToken(authorization: string, token: string): boolean {
  const [given, wanted] = [Buffer.from(authorization), Buffer.from(`Bearer ${token}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
