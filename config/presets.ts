/** The phases as traits and numbers: the default settings of each phase. A stack can override any value. */
import { type Chosen, internalPaths, optionalServices, type Phase } from "./schema.ts";

type Preset = Omit<Chosen, "phase">;

/**
 * Headers for browsers, by the advice of OWASP's Secure Headers project. The policy about contents reports what it would
 * refuse, in the browser's console: only the app knows which sources its pages need. HSTS is for this host name alone.
 */
const browserHeaders: Readonly<Record<string, string>> = {
  "Strict-Transport-Security": "max-age=31536000",
  "Content-Security-Policy-Report-Only":
    "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'",
  "Referrer-Policy": "strict-origin-when-cross-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=(), usb=()",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "SAMEORIGIN",
};

const development: Preset = {
  hosting: "local",
  services: [...optionalServices],
  ports: { database: 5432, testDatabase: 5433, cache: 6380, app: 8000, flower: 5555, edge: 8080, docs: 9991 },
  domains: {},
  protection: true,
  agreed: [],
  // The tag alone, so that an equivalent that this machine has built can stand in.
  images: { pinned: false },
  app: {
    ...{ module: "main:app", port: 8000, healthPath: "/health", readyPath: "/ready" },
    ...{ migrate: ["alembic", "upgrade", "head"], initialise: ["python", "scripts/seed/init_production.py"] },
    ...{ instances: 1, uvicornWorkers: 1, memoryMb: 512, environment: {}, secrets: [], writable: [] },
  },
  workers: {
    enabled: true,
    commands: {},
    celery: "app.celery",
    queues: ["default", "imports", "emails", "reports"],
    dedicated: false,
    concurrency: { default: 2, imports: 1, emails: 1, reports: 1 },
    memoryMb: 768,
    beatMemoryMb: 256,
    flowerMemoryMb: 256,
    beatAndFlower: "broker",
  },
  database: {
    mode: "provision",
    availability: "single",
    pooler: false,
    memoryMb: 512,
    // The platform's guide has 100; each costs memory whether it is used or not.
    maxConnections: 100,
    volumeGb: 10,
    primary: "core-1",
    servers: ["cpx32"],
    extensions: [],
    rotation: 0,
    movable: false,
  },
  cache: {
    mode: "provision",
    availability: "single",
    maxMemoryMb: 256,
    brokerMaxMemoryMb: 256,
    appKeys: [],
    replicas: 2,
    servers: ["cpx12", "cx23"],
  },
  gateway: { enabled: false, maxReplicaLagSeconds: 30 },
  monitoring: { enabled: false, servers: ["cpx32", "cx33"] },
  edge: {
    balancing: "direct",
    memoryMb: 256,
    tls: "none",
    bodyLimitMb: 50,
    responseSeconds: 120,
    websockets: ["/ws"],
    sticky: [],
    private: [],
    public: [...internalPaths],
    headers: browserHeaders,
    limits: { requestsPerSecond: 100, connections: 100, websockets: 200 },
    acme: { server: "https://acme-v02.api.letsencrypt.org/directory" },
  },
  storage: { backend: "local" },
  cloudflare: { enabled: false, plan: "free", zones: {} },
  hetzner: { locations: ["nbg1", "hel1", "fsn1"], image: "debian-12", loadBalancerType: "lb11" },
  admin: { cidrs: [], sshPublicKeys: [], sshFolder: "~/.orion/ssh" },
  email: { backend: "console" },
  alerts: {},
  backups: {
    ...{ daily: 7, weekly: 5, monthly: 12, lockDays: 14 },
    ...{ lossPercent: 20, fluctuating: [], replicaWaitSeconds: 300 },
    // The queue: an hour in which R2 cannot be reached, at a megabyte a second.
    ...{ pointInTime: false, pointInTimeDays: 14, archiveQueueGb: 4 },
  },
  rehearsal: {},
};

/** One server with 8 GB: the limits of all containers fit into it (topology/budget.ts adds them up). */
const mvp: Preset = {
  ...development,
  hosting: "hetzner",
  images: { pinned: true },
  app: { ...development.app, instances: 2, uvicornWorkers: 4, memoryMb: 608 },
  workers: {
    ...development.workers,
    dedicated: true,
    concurrency: { default: 2, imports: 2, emails: 2, reports: 1 },
    memoryMb: 320,
    beatMemoryMb: 128,
    flowerMemoryMb: 128,
  },
  // Three eighths of the servers' memory, as config/server-types.ts computes it.
  database: { ...development.database, memoryMb: 3072, volumeGb: 20, servers: ["cpx32", "cx33"] },
  edge: { ...development.edge, memoryMb: 160, tls: "cloudflare-origin-ca", public: [] },
  storage: { backend: "r2" },
  backups: { ...development.backups, pointInTime: true },
  cloudflare: { ...development.cloudflare, enabled: true },
  email: { backend: "smtp" },
};

const scale: Preset = {
  ...mvp,
  app: { ...mvp.app, servers: { count: 2, types: ["cpx22", "cx23"] } },
  workers: { ...mvp.workers, servers: { count: 1, types: ["cpx22", "cx23"] } },
  // The Volume stays as it is: a move resizes nothing.
  database: { ...mvp.database, availability: "replica" },
  gateway: { ...mvp.gateway, enabled: true },
  edge: { ...mvp.edge, balancing: "regional" },
};

const enterprise: Preset = {
  ...scale,
  app: { ...scale.app, servers: { count: 3, types: ["cpx32", "cx33"] } },
  workers: { ...scale.workers, servers: { count: 2, types: ["cpx32", "cx33"] } },
  database: { ...scale.database, pooler: true, volumeGb: 100 },
  cache: { ...scale.cache, availability: "sentinel" },
  cloudflare: { ...scale.cloudflare, plan: "pro" },
};

const ha: Preset = {
  ...enterprise,
  workers: { ...enterprise.workers, servers: { count: 3, types: ["cpx32", "cx33"] } },
  database: { ...enterprise.database, availability: "patroni" },
  edge: { ...enterprise.edge, balancing: "global" },
  cloudflare: { ...enterprise.cloudflare, plan: "business" },
};

export const presets: Readonly<Record<Phase, Preset>> = { development, mvp, scale, enterprise, ha };

/** Traits of which this version supports only some values, with the supported values. */
const traits: Readonly<
  Record<string, { readonly of: (settings: Preset) => unknown; readonly built: readonly unknown[] }>
> = {
  "database.availability": { of: ({ database }) => database.availability, built: ["single", "replica"] },
  "cache.availability": { of: ({ cache }) => cache.availability, built: ["single", "sentinel"] },
  "monitoring.enabled": { of: ({ monitoring }) => monitoring.enabled, built: [false] },
  "edge.balancing": { of: ({ edge }) => edge.balancing, built: ["direct", "regional"] },
};

/** The traits of a stack that this version plans but cannot bring up yet, as `orion:database.pooler true`. */
export const unbuiltTraits = (settings: Preset): string[] =>
  Object.entries(traits).flatMap(([name, { of, built }]) => {
    const value = of(settings);
    return built.includes(value) ? [] : [`orion:${name} ${String(value)}`];
  });

/** The phases that this version brings up. */
export const builtPhases = (Object.keys(presets) as Phase[]).filter(
  (phase) => unbuiltTraits(presets[phase]).length === 0,
);

/** What of a stack this version cannot bring up yet: its phase, or in a phase that it can bring up the traits that the stack sets. */
export function unbuiltIn(settings: Chosen): string[] {
  const traitsOfStack = unbuiltTraits(settings);
  return traitsOfStack.length === 0 || builtPhases.includes(settings.phase) ? traitsOfStack : [settings.phase];
}
