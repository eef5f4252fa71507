/** What each growth phase means in numbers. A stack overrides any of them by naming it. */
import { type Phase, type Settings } from "./schema.ts";

type Preset = Omit<Settings, "phase">;

const development: Preset = {
  services: ["testDatabase", "cache", "app", "workers", "beat", "flower", "edge", "docs"],
  ports: { database: 5432, testDatabase: 5433, cache: 6380, app: 8000, flower: 5555, edge: 8080, docs: 9991 },
  protection: true,
  images: {},
  app: { instances: 1, uvicornWorkers: 1, memoryMb: 512, environment: {} },
  workers: { dedicated: false, concurrency: { default: 2, imports: 1, emails: 1, reports: 1 }, memoryMb: 768 },
  database: { mode: "provision", memoryMb: 512, volumeGb: 10, replicas: 0, primary: "core-1", servers: ["cpx32"] },
  cache: { mode: "provision", maxMemoryMb: 256, brokerMaxMemoryMb: 256 },
  edge: { tls: "none", bodyLimitMb: 50, acme: { server: "https://acme-v02.api.letsencrypt.org/directory" } },
  storage: { backend: "local" },
  cloudflare: { enabled: false, plan: "free" },
  hetzner: { locations: ["fsn1"], image: "debian-12", loadBalancerType: "lb11" },
  admin: { cidrs: [], sshPublicKeys: [], sshFolder: "~/.orion/ssh" },
  email: { backend: "console" },
  dockerHost: "unix:///var/run/docker.sock",
};

const mvp: Preset = {
  ...development,
  services: ["cache", "app", "workers", "beat", "flower", "edge"],
  app: { instances: 2, uvicornWorkers: 4, memoryMb: 1024, environment: {} },
  workers: { dedicated: true, concurrency: { default: 2, imports: 2, emails: 2, reports: 1 }, memoryMb: 512 },
  // Half of the servers' memory, as config/server-types.ts gives it.
  database: { ...development.database, memoryMb: 4096, volumeGb: 20, servers: ["cpx32", "cx33"] },
  edge: { ...development.edge, tls: "cloudflare-origin-ca" },
  storage: { backend: "r2" },
  cloudflare: { enabled: true, plan: "free" },
  email: { backend: "smtp" },
};

const scale: Preset = {
  ...mvp,
  app: { ...mvp.app, servers: { count: 2, types: ["cpx22", "cx23"] } },
  workers: { ...mvp.workers, servers: { count: 1, types: ["cpx22", "cx23"] } },
  // The Volume stays as it is: a move resizes nothing.
  database: { ...mvp.database, replicas: 1 },
  // A copy of the data stands elsewhere from the start: phase ha has it there, and nothing that holds data can be moved.
  hetzner: { ...mvp.hetzner, locations: ["fsn1", "nbg1", "hel1"] },
};

const enterprise: Preset = {
  ...scale,
  app: { ...scale.app, servers: { count: 3, types: ["cpx32", "cx33"] } },
  workers: { ...scale.workers, servers: { count: 2, types: ["cpx32", "cx33"] } },
  database: { ...scale.database, volumeGb: 100 },
  cloudflare: { enabled: true, plan: "pro" },
};

const ha: Preset = {
  ...enterprise,
  app: { ...enterprise.app, servers: { count: 3, types: ["cpx32", "cx33"] } },
  workers: { ...enterprise.workers, servers: { count: 3, types: ["cpx32", "cx33"] } },
  database: { ...enterprise.database, replicas: 2 },
  cloudflare: { enabled: true, plan: "business" },
};

export const presets: Readonly<Record<Phase, Preset>> = { development, mvp, scale, enterprise, ha };
