/** Types of a plan's services, and of the definition that each kind of service provides. */
import type { ImageKey } from "../config/images.ts";
import type { Settings } from "../config/schema.ts";
import type { catalogue } from "./catalogue.ts";
import type { Planning } from "./planning.ts";
import type { ServerRole } from "./server.ts";

/** A port of a container, as others reach it. */
export interface Published {
  readonly address: string;
  /** The port at {@link address}. */
  readonly port: number;
  /** The port inside the container. */
  readonly containerPort: number;
}

/** What every service of a plan has, whatever its kind. */
export interface BaseService<Kind extends string = string> {
  /** Its logical name, by kind and server: `database`, `edge-core-1`, `worker-nbg1-1-emails`. */
  readonly name: string;
  readonly kind: Kind;
  /** The name of the server that it runs on, or `local` for the local Docker Engine. */
  readonly server: string;
  /** The container's name. */
  readonly container: string;
  readonly published: readonly Published[];
  /** Memory limit of its container, in MiB. */
  readonly memoryMb: number;
}

/** The kinds of services: the catalogue's keys. */
export type ServiceKind = keyof typeof catalogue;

/** A service of a plan, by its kind. */
export type Service = {
  [Kind in ServiceKind]: (typeof catalogue)[Kind] extends Definition<infer Planned> ? Planned : never;
}[ServiceKind];

/** A service of one kind. */
export type ServiceOf<Kind extends ServiceKind> = Extract<Service, { readonly kind: Kind }>;

/** How `make doctor` checks a service of a kind. */
export type Probe =
  /** Docker's health check alone. */
  | { readonly kind: "health" }
  | { readonly kind: "postgres" | "replica" | "redis" | "sentinel" | "worker" | "edge" | "gateway" | "pooler" }
  /** A request to a port inside the container; `failure` is the advice for a failed one (tools/doctor/advice.ts). */
  | {
      readonly kind: "http";
      readonly path: string;
      readonly port: number;
      readonly failure: "app-not-ready" | "no-answer";
    };

/**
 * A container network of a machine: `edge` has the proxy and the apps behind it, `data` everything that uses or is the database or
 * Redis. So the process that strangers talk to reaches no database.
 */
export type ContainerNetwork = "data" | "edge";

/** A privilege of root that a container may keep. */
export type Capability = "CHOWN" | "DAC_OVERRIDE" | "FOWNER" | "KILL" | "SETGID" | "SETUID";

/** What the containers of a kind may do. Everything else is taken from them: other privileges, and writing to the image's files. */
export interface Confinement {
  /** The first one is the way to other machines. */
  readonly networks: readonly ContainerNetwork[];
  /** The privileges of its processes that run as root; other users have none. */
  readonly capabilities: readonly Capability[];
  /** Folders that it writes to, on the disk beside its volumes: their contents are the image's, and go with the container. */
  readonly writable: readonly string[];
  /** Folders in memory, with their mount options; their size counts as the container's memory. */
  readonly memoryFolders: Readonly<Record<string, string>>;
  /** How many processes and threads it may have: far more than it needs, far less than a machine can. */
  readonly processes: number;
}

/** What it means for people when no container of a kind is left. */
export type Loss =
  /** Nobody can use the platform: no move may do it. */
  | { readonly weight: "end"; readonly effect: string }
  /** A stack can do without, once it agrees: `keep` is how the kind stays, `giveUp` what comes before it goes. */
  | { readonly weight: "choice"; readonly effect: string; readonly keep: string; readonly giveUp: string }
  /** It is said. */
  | { readonly weight: "notice"; readonly effect: string; readonly keep: string };

/** Everything that the rest of the program needs to know about a kind of service; one file for each in topology/services/. */
export interface Definition<Planned extends BaseService = BaseService> {
  /** The images that it runs, by key. */
  readonly images: (settings: Settings) => readonly ImageKey[];
  /** Its ports inside the container, by what they are for. */
  readonly ports: Readonly<Record<string, number>>;
  /** The kinds that connect to it: their servers may reach its published ports over the private network. Empty: none. */
  readonly callers: readonly (ServiceKind | "load-balancer")[];
  /**
   * The roles whose servers run it where a stack has them; other stacks run it on the core server. A move takes it from one to the
   * other, and both serve meanwhile. Empty: no move takes it to other servers while it serves.
   */
  readonly movesTo: readonly ServerRole[];
  /** What its volumes hold: data that must survive, files that the program can write again, or nothing. */
  readonly keeps: "data" | "files" | "nothing";
  /** Whether its container runs always, once in an update, or whenever a timer starts it. */
  readonly runs: "always" | "once" | "by timer";
  /** What the loss of all its containers means. Undefined: nothing that people notice, or what is said of its data covers it. */
  readonly lossEffect: Loss | undefined;
  /** Scheme of the URL at which it is reached. @default - it publishes no port */
  readonly scheme?: "postgresql" | "redis" | "http";
  /** The port inside the container that speaks TLS: the scheme there has one `s` more. @default - none of its own */
  readonly tlsPort?: number;
  /** Share of a busy CPU in relation to the others on its server; Docker's default is 1024. */
  readonly cpuShares: number;
  /** What its containers may do. */
  readonly confinement: Confinement;
  /** The settings that decide how much memory its containers may take on a server, with their values. Empty: no setting does. */
  readonly memorySettings: (settings: Settings) => readonly string[];
  /** Commands for people, by purpose; they run in its container, or on the server of a service that runs by timer. */
  commands(service: Planned): Readonly<Record<string, string>>;
  probe(service: Planned): Probe;
  /** The services of the kind in a plan. */
  readonly plan: (planning: Planning) => readonly Planned[];
}
