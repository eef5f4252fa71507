/**
 * The rules of `make advise` as tables, each with its source. `make tables` writes them into docs/choosing.md. Pure data.
 *
 * "The guide" is the infrastructure guide of the platform that this program was made for: its phases, its decision matrix and
 * its options. What the guide does not say is measured here (bench/), or follows from a figure of this program.
 */
import { priceList } from "../../config/prices.ts";
import type { Phase } from "../../config/schema.ts";

/** The phases with servers, the smallest first. */
export const serverPhases = ["mvp", "scale", "enterprise", "ha"] as const satisfies readonly Phase[];
export type ServerPhase = (typeof serverPhases)[number];

/** Who operates the platform. */
export const operators = {
  nobody: "nobody has time for servers, or knows Linux",
  developer: "a person who knows Linux and Docker, beside other work",
  team: "people whose work it is, by day",
  "on-call": "people who also answer at night",
} as const;
export type Operator = keyof typeof operators;

/** What else decides. */
export const demands = {
  "database-access": "people look into the database directly (psql, slow queries, locks)",
  availability: "the platform continues without a person when a server or a location is lost",
  compliance: "rules from outside prescribe how the platform is run (audits, orchestration)",
} as const;
export type Demand = keyof typeof demands;

/** Ways to run the platform. */
export const options = {
  managed: "managed services",
  servers: "servers at Hetzner, run by this program",
  kubernetes: "Kubernetes",
} as const;
export type Option = keyof typeof options;

/** How much a phase is for: up to and including these figures. */
export interface Capacity {
  readonly phase: ServerPhase;
  /** Visitors at the same time. */
  readonly visitors: number;
  /** Orders per minute. */
  readonly orders: number;
  /** GB in PostgreSQL. */
  readonly gb: number;
}

/**
 * GB that are restored from a backup in an hour, as bench/restore.md of 2026-11-29 measured it on two shared cores: 280 MB
 * fetched, restored and compared in 17 s.
 */
const restoredGbPerHour = 60;
/** Orders per minute under which one app server moved from phase to phase and back without a failed request. */
const ordersMeasured = 120;
/** The largest `orion:database.volumeGb`. */
export const largestVolumeGb = 10_000;
/** A Volume is planned for twice the data: growth, an index that is built again, WAL of a replica that is away. */
export const volumePerGb = 2;

const most = Number.POSITIVE_INFINITY;
const largestGb = largestVolumeGb / volumePerGb;

export const capacities: readonly Capacity[] = [
  { phase: "mvp", visitors: 999, orders: ordersMeasured, gb: restoredGbPerHour },
  { phase: "scale", visitors: 4_999, orders: 4 * ordersMeasured, gb: largestGb },
  { phase: "enterprise", visitors: 9_999, orders: most, gb: largestGb },
  { phase: "ha", visitors: most, orders: most, gb: largestGb },
];

/** Where the figures of {@link capacities} come from: in short, and what to know about it. */
export const capacitySources = {
  visitors: {
    short: "the guide's phases",
    full: "The guide's phases: scale from 1,000 users at once, enterprise from 5,000, ha from 10,000.",
  },
  orders: {
    short: "measured: bench/scale.md of 2026-11-27; more was not tried",
    full:
      `For mvp, ${ordersMeasured} a minute: so many were taken while the platform moved between phases, without a failed request, on two shared ` +
      "cores (`bench/scale.md`, 2026-11-27). It is no limit, but nothing above it was tried. For scale the same four times, for the guide's two " +
      "to four app servers: computed, not measured.",
  },
  gb: {
    short:
      "restored from a backup in an hour: bench/restore.md of 2026-11-29; with a replica, half of the largest Volume",
    full:
      `For mvp, ${restoredGbPerHour} GB: so much is restored from a backup in about an hour (computed from \`bench/restore.md\`, 2026-11-29). With a ` +
      "replica nobody waits for that. For the other phases: half of the largest Volume that a stack can have.",
  },
} as const satisfies Record<keyof Omit<Capacity, "phase">, { readonly short: string; readonly full: string }>;

/** A scenario of the decision matrix. The first that applies decides about the option. */
export interface Scenario {
  readonly when: string;
  /** What leads here; all of it must be so. */
  readonly operator?: Operator;
  readonly demand?: Demand;
  readonly option: Option;
  /** At least this phase. */
  readonly phase?: ServerPhase;
  /** What the guide's decision matrix has for it. */
  readonly guide: string;
  readonly because: string;
}

export const scenarios: readonly Scenario[] = [
  {
    when: "an enterprise with rules from outside",
    demand: "compliance",
    option: "kubernetes",
    guide: "Kubernetes",
    because: "auditors know it, and everything of the platform is in one place; this program does not run it",
  },
  {
    when: "high availability is required",
    demand: "availability",
    option: "servers",
    phase: "ha",
    guide: "Docker with orchestration",
    because:
      "several locations, automatic failover of the database. Not built yet: until then, a managed database (`orion:database.mode external`), or another product",
  },
  {
    when: "people must reach the database directly",
    demand: "database-access",
    option: "servers",
    guide: "a traditional VPS",
    because: "every component can be reached: `make psql`, `make logs`, `make shell`",
  },
  {
    when: "nobody has time for servers, or knows Linux",
    operator: "nobody",
    option: "managed",
    guide: "managed services (Railway)",
    because: "a person must look after servers: patches, full disks, restores",
  },
  {
    when: "a small team with a small budget, or one that knows Docker",
    option: "servers",
    guide: "a traditional VPS; Docker Compose for those who know Docker",
    because: "low, fixed price and full control; the same containers everywhere",
  },
];

/** Who a phase needs at least, and why. */
export const operatorOf: Readonly<Record<ServerPhase, { readonly operator: Operator; readonly because: string }>> = {
  mvp: { operator: "developer", because: "one server; updates, patches and backups are commands" },
  scale: { operator: "developer", because: "more servers, the same commands; a lost primary is replaced by a person" },
  enterprise: { operator: "team", because: "nine servers, Sentinel and PgBouncer need people who know them" },
  ha: { operator: "on-call", because: "a promise of availability at night needs a person on call at night" },
};

/** What a phase, or another way, does not do. */
export const notCovered: Readonly<Record<ServerPhase | "managed" | "kubernetes", readonly string[]>> = {
  mvp: [
    "the loss of core-1: visitors wait until it is back, or until a backup is restored",
    "a change of its server type without a pause",
  ],
  scale: [
    "automatic failover: when core-1 is lost, a person runs `make promote-replica`",
    "a second Redis: sessions and waiting tasks of a lost core-1 are lost",
  ],
  enterprise: ["automatic failover of the database, and the loss of a location"],
  ha: ["another continent: all locations are in Hetzner's zone eu-central"],
  managed: [
    "this program does not set up managed services; it can use a managed database or Redis (`orion:database.mode external`)",
    "direct access to servers, and one bill",
  ],
  kubernetes: ["this program renders nothing for Kubernetes, and operates no cluster"],
};

/** Above this a nightly dump may exceed what a backup can be (docs/backups.md). */
export const largestDumpGb = 160;

/** The cheaper server type of a database server, with the same memory; Hetzner had none of its kind in stock on the price list's date. */
export const cheapDatabaseType = "cx33";

/** Prices of Cloudflare's plans for a zone, US$ a month when paid monthly (cloudflare.com, 2026-10-07). */
export const cloudflarePlans = { free: 0, pro: 25, business: 250 } as const;
export const cloudflareSource = "Cloudflare's plans, paid monthly, 2026-10-07";

/** The price of another provider, for comparison. */
export interface Elsewhere {
  readonly what: string;
  readonly parts: readonly { readonly what: string; readonly monthly: number; readonly source: string }[];
  readonly currency: "US$" | "€";
  readonly remark: string;
}

const hours = 730;

export const elsewhere: readonly Elsewhere[] = [
  {
    what: "Managed: Railway, Neon, Upstash",
    currency: "US$",
    parts: [
      {
        what: "app, workers and Beat: 3 GB of memory and half a vCPU in use all month, at 10 per GB and 20 per vCPU (the plan's 20 are part of it)",
        monthly: 3 * 10 + 0.5 * 20,
        source: "railway.com/pricing, 2026-07-02",
      },
      {
        what: "PostgreSQL: one compute unit all month at 0.106 an hour, 20 GB at 0.35",
        monthly: hours * 0.106 + 20 * 0.35,
        source: "neon.com/docs/introduction/plans, 2026-11-12",
      },
      {
        what: "Redis: two databases of 250 MB, fixed price; Celery asks too often for a price by the command",
        monthly: 2 * 10,
        source: "upstash.com/pricing/redis, 2026-11-09",
      },
    ],
    remark: "small: about what mvp runs. Can start near 0 where services may sleep; Celery's do not",
  },
  {
    what: "AWS: RDS, EKS, a NAT gateway",
    currency: "US$",
    parts: [
      {
        what: "PostgreSQL with a standby: db.t4g.medium Multi-AZ",
        monthly: 94.9,
        source: "infratally.com, RDS in us-east-1, 2026",
      },
      { what: "the control plane of a Kubernetes cluster", monthly: 73, source: "cloudburn.io, EKS, 2026-04-01" },
      { what: "one NAT gateway before any traffic", monthly: 32.85, source: "projecthelena.com, 2026" },
    ],
    remark: "before the first app server, Redis, storage or traffic",
  },
  {
    what: "Kubernetes on Hetzner",
    currency: "€",
    parts: [
      {
        what: "three servers cpx22 for the control plane",
        monthly: 3 * priceList.server.cpx22,
        source: `${priceList.source}, ${priceList.date}`,
      },
    ],
    remark: "before the first app server, database or load balancer",
  },
];
