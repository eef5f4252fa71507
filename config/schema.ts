/** The schema of a stack's settings. It is strict: a misspelled key is an error, never a silent default. */
import { z } from "zod";

export const phases = ["development", "mvp", "scale", "enterprise", "ha"] as const;
export type Phase = (typeof phases)[number];

/**
 * The services that `orion:services` can leave out on a local Docker Engine. PostgreSQL always runs there, and with servers
 * nothing can be left out.
 */
export const optionalServices = ["testDatabase", "cache", "app", "workers", "beat", "flower", "edge", "docs"] as const;
export type OptionalService = (typeof optionalServices)[number];

export const queues = ["default", "imports", "emails", "reports"] as const;
export type Queue = (typeof queues)[number];

/** The locations of Hetzner's network zone eu-central; a private network does not reach beyond its zone. */
export const locations = ["fsn1", "nbg1", "hel1"] as const;

const port = z.int().min(1).max(65535);
const count = (least: number, most: number) => z.int().min(least).max(most);
const memoryMb = z.int().min(32).max(262_144);
const cidr = z.union([z.cidrv4(), z.cidrv6()], "an address range such as 203.0.113.0/24");
/** In lower case, as DNS providers return it. */
const hostname = z.hostname().toLowerCase();
const imageReference = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]*(:\d+)?(\/[a-z0-9._-]+)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
    "an image reference such as registry.example.com/team/app:1.2.3",
  );
/** The prefix of official images at a mirror: host, port and path. */
const registry = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9.-]*(:\d+)?(\/[a-z0-9._-]+)*\/?$/,
    "the address of a registry without https://, such as registry.example.com/mirror",
  );
/** The part of an image's name before the first slash. */
const registryHost = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.-]*(:\d+)?$/, "host and port of a registry such as registry.example.com");
/** A path of the app without a trailing slash, and with what is below it. */
const path = z.string().regex(/^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)+$/, "a path such as /admin");
/** Not the headers that nginx and the app need for a response itself. */
const browserHeader = z
  .string()
  .regex(
    /^(?!(Content-(Length|Type|Encoding)|Transfer-Encoding|Connection|Set-Cookie|Location|X-XSS-Protection)$)[A-Z][A-Za-z0-9]*(-[A-Z][A-Za-z0-9]*)*$/,
    "the name of a header for browsers, spelled like Content-Security-Policy",
  );
/** `$`, `"` and `\` mean something to nginx. */
const headerValue = z.string().regex(/^[\x20\x21\x23\x25-\x5b\x5d-\x7e]*$/, 'a text of one line without $, " and \\');
const variableName = z.string().regex(/^[A-Z][A-Z0-9_]*$/, "a variable's name of upper-case letters, digits and _");
/** A Hetzner server type, or several in order of preference for when the first is sold out. */
const serverTypes = z.array(z.string().regex(/^[a-z]{2,4}\d{2}$/, "a server type such as cpx32")).min(1);

/** Servers that do the same work, spread over `orion:hetzner.locations` in turn. A placement group has room for ten. */
const serverPool = z.strictObject({ count: count(1, 10), types: serverTypes });

/** Paths of the app that operators use; visitors reach those alone that `orion:edge.public` names. */
export const internalPaths = ["/metrics", "/ready", "/docs", "/redoc", "/openapi.json"] as const;

export const settingsSchema = z.strictObject({
  phase: z.enum(phases),
  /** Where containers run: on the Docker Engine of this machine, or on servers at Hetzner. */
  hosting: z.enum(["local", "hetzner"]),
  services: z.array(z.enum(optionalServices)),
  domain: hostname.optional(),
  /** Whether the engine and the providers refuse to delete resources with data. Switch it off before deleting a stack for good. */
  protection: z.boolean(),
  /**
   * What the stack gives up knowingly, as the guard names it: a host name that it answered to, or an extension that its new
   * PostgreSQL image lacks. Default: nothing.
   */
  agreed: z.array(z.string().regex(/^[\w.-]+$/, "a name that a refused update has shown, such as www.example.com")),
  ports: z.strictObject({
    database: port,
    testDatabase: port,
    cache: port,
    app: port,
    flower: port,
    edge: port,
    docs: port,
  }),
  images: z.strictObject({
    registry: registry.optional(),
    /** Whether official images are named with their digests of config/image-pins.json, and not by tag alone. */
    pinned: z.boolean(),
    /** Login at a private image registry; its password is the secret orion:registryPassword. Default: anonymous. */
    login: z.strictObject({ registry: registryHost, user: z.string().min(1) }).optional(),
    postgres: imageReference.optional(),
    redis: imageReference.optional(),
    nginx: imageReference.optional(),
    rclone: imageReference.optional(),
    certbot: imageReference.optional(),
  }),
  app: z.strictObject({
    /** The platform's own image. Default: the sample application, built from this repository. */
    image: imageReference.optional(),
    instances: count(1, 16),
    uvicornWorkers: count(1, 64),
    /** Memory limit of an instance, in MiB. */
    memoryMb,
    /** Servers for apps alone. Default: they run on the server with the database. */
    servers: serverPool.optional(),
    /** An image that runs on a newer image's database without its own migrations: `make rollback` sets it. */
    skipMigrationsFor: imageReference.optional(),
    /** Plain environment of the app and its workers, added to what the program sets itself. */
    environment: z.record(variableName, z.string().regex(/^[^\r\n\0]*$/, "a text of one line")),
    /**
     * Names of the image's own secrets, as environment variables of apps, workers and the release. A stack sets each with
     * `pulumi config set --secret --path orion:app.secrets.NAME`; parse.ts keeps the names alone.
     */
    secrets: z.array(variableName),
    /**
     * Folders that the image's processes write to, beside /tmp and /app/run; all else of the image is read-only. They are on
     * the server's disk and deleted with the container.
     */
    writable: z.array(
      z
        .string()
        .regex(/^(\/[\w][\w.-]*)+$/, "an absolute path such as /app/cache")
        .refine((path) => !/^\/(proc|sys|dev|etc)(\/|$)/.test(path), "a folder outside /proc, /sys, /dev and /etc"),
    ),
  }),
  workers: z.strictObject({
    /** Queues with a container each: all, none, or a list. The other queues share one container. */
    dedicated: z.union(
      [z.boolean(), z.array(z.enum(queues))],
      `true, false, or a list of queues that get dedicated workers: ${queues.join(", ")}`,
    ),
    concurrency: z.strictObject({
      default: count(1, 64),
      imports: count(1, 64),
      emails: count(1, 64),
      reports: count(1, 64),
    }),
    /** Memory limit of a worker, of Beat and of Flower, in MiB. */
    memoryMb,
    beatMemoryMb: memoryMb,
    flowerMemoryMb: memoryMb,
    /**
     * What Beat and Flower know: the broker's URLs and `orion:app.environment` alone, or everything that a worker knows, for an
     * image that reads its whole configuration when Celery starts.
     */
    beatAndFlower: z.enum(["broker", "everything"]),
    /** Servers for workers alone. Default: they run on the server with the database. */
    servers: serverPool.optional(),
  }),
  database: z.strictObject({
    mode: z.enum(["provision", "external"]),
    /** One server; a primary with a streaming replica; three members with automatic failover. */
    availability: z.enum(["single", "replica", "patroni"]),
    /** Whether clients reach PostgreSQL through PgBouncer. */
    pooler: z.boolean(),
    /**
     * Memory limit of PostgreSQL, in MiB; it is tuned for this much. Default: three eighths of the memory of the smallest of
     * its server types.
     */
    memoryMb,
    /** PostgreSQL's max_connections; a change restarts it. With an external database: the number that it accepts. */
    maxConnections: count(30, 5000),
    volumeGb: count(10, 10_000),
    /** The server with the primary: `core-1`, or the promoted replica's server after `make promote-replica`. */
    primary: z
      .string()
      .regex(/^(core-1|db-[2-8])$/, "core-1, or the server that make promote-replica has set, such as db-2"),
    servers: serverTypes,
    /** Major version of the data and of orion:images.postgres, for when neither can be asked. Default: both are asked. */
    version: count(10, 99).optional(),
    /** Extensions that are created in the database; migrations may create those that PostgreSQL calls trusted themselves. */
    extensions: z.array(
      z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, "the name of an extension of PostgreSQL such as pg_trgm"),
    ),
    /**
     * How often the app's password was changed. Raised by one, the app logs in as its other role with a new password: even numbers
     * are orion_app_a, odd ones orion_app_b.
     */
    rotation: count(0, 1_000_000),
  }),
  cache: z.strictObject({
    mode: z.enum(["provision", "external"]),
    /** One Redis for each purpose, or three nodes with Sentinel. */
    availability: z.enum(["single", "sentinel"]),
    /** Redis' maxmemory for the data of the cache, and of the broker, in MiB. */
    maxMemoryMb: memoryMb,
    brokerMaxMemoryMb: memoryMb,
    /**
     * Keys of the broker that the app may use besides Celery's own, as Redis' patterns: `redbeat:*`. Workers may use all.
     */
    appKeys: z.array(z.string().regex(/^[^\s"'()%~&]+$/, "a pattern of Redis' keys without spaces, such as redbeat:*")),
    /** Types of the servers with Redis' replicas. */
    servers: serverTypes,
    /** Major version of the data and of orion:images.redis, for when neither can be asked. Default: both are asked. */
    version: count(5, 99).optional(),
  }),
  monitoring: z.strictObject({
    /** Whether a separate server collects metrics and logs. */
    enabled: z.boolean(),
    servers: serverTypes,
  }),
  edge: z.strictObject({
    /**
     * How visitors reach the edges: `direct`: at the address of the one server with an edge; `regional`: by one load
     * balancer; `global`: by a load balancer in each location, over which Cloudflare spreads visitors.
     */
    balancing: z.enum(["direct", "regional", "global"]),
    /** Memory limit of nginx, in MiB. */
    memoryMb,
    tls: z.enum(["none", "cloudflare-origin-ca", "acme", "self-signed"]),
    /** Says aloud that visitors of a stack with servers come without TLS (`tls: none`). Default: refused. */
    clearText: z.boolean().optional(),
    bodyLimitMb: count(1, 100),
    /** How long the app may take for an answer, in seconds. Cloudflare waits 120 s, on every plan but Enterprise. */
    responseSeconds: count(1, 6000),
    /** Paths at which the app takes WebSockets; elsewhere the edge passes no `Upgrade` on. */
    websockets: z.array(path),
    /** Further paths of the app, with what is below them, that visitors get 404 for. */
    private: z.array(path),
    /** The app's paths for operators that visitors may reach nevertheless. */
    public: z.array(z.enum(internalPaths)),
    /** Headers for browsers, where the app does not set them itself; an empty text leaves one out. */
    headers: z.record(browserHeader, headerValue),
    /** Limits for each client's address. */
    limits: z.strictObject({
      /** Requests that the app answers; twice as many may come at once. */
      requestsPerSecond: count(1, 100_000),
      /** Requests at a time, WebSockets not included. */
      connections: count(1, 4096),
      /** WebSockets at a time. */
      websockets: count(1, 4096),
    }),
    acme: z.strictObject({
      /** Directory of the authority. */
      server: z.url({ protocol: /^https$/ }),
      /** The address that the authority sends its notices to. Default: none. */
      email: z.email().optional(),
      /** CA certificates, in PEM, that verify the authority's own server. Default: the public CAs. */
      authority: z
        .string()
        .regex(/^-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*$/, "certificates in PEM")
        .optional(),
    }),
  }),
  storage: z.strictObject({
    backend: z.enum(["local", "r2"]),
    /** R2 takes 63 characters; the bucket of the backups has `-backups` behind the same name. */
    bucket: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{1,53}[a-z0-9]$/, "a bucket name of 3 to 55 lower-case letters, digits and hyphens")
      .optional(),
    /** Address of the S3 interface. Default: R2's own for the account. */
    endpoint: z
      .string()
      .regex(/^https?:\/\/[^/\s]+$/, "an address such as https://<account>.r2.cloudflarestorage.com")
      .optional(),
    /** Says aloud that files and backups cross the network in clear text (an `endpoint` with http://). Default: refused. */
    clearText: z.boolean().optional(),
    /** Says aloud that a stack with servers has no backups (`backend: local`). Default: refused. */
    noBackups: z.boolean().optional(),
    /** Host name in the zone under which the files are public. Default: they are served through the app. */
    customDomain: hostname.optional(),
  }),
  cloudflare: z.strictObject({
    enabled: z.boolean(),
    plan: z.enum(["free", "pro", "business"]),
    /** The zone at Cloudflare that contains the domain. Default: the domain's last two labels. */
    zone: hostname.optional(),
    accountId: z
      .string()
      .regex(/^[0-9a-f]{32}$/, "a Cloudflare account id of 32 hexadecimal digits")
      .optional(),
  }),
  hetzner: z.strictObject({
    locations: z.array(z.enum(locations)).min(1).max(3),
    /** Operating system of new servers; those that exist keep theirs. */
    image: z.string().regex(/^debian-\d+$/, "a Debian image of Hetzner such as debian-12"),
    /** Size of the load balancers. */
    loadBalancerType: z.string().regex(/^lb\d{2}$/, "a type of load balancer such as lb11"),
    /** What the account may have, as Hetzner's Console shows it; the API does not tell. Default: not known. */
    limits: z
      .strictObject({
        servers: count(1, 10_000),
        primaryIps: count(1, 10_000),
        volumes: count(1, 10_000),
        loadBalancers: count(1, 10_000),
      })
      .partial()
      .optional(),
  }),
  admin: z.strictObject({
    /** Private key file on this machine that the servers accept. Default: the keys that ssh tries by default. */
    identityFile: z.string().min(1).optional(),
    /** Folder of this machine for known hosts and shared connections. */
    sshFolder: z.string().min(1),
    cidrs: z.array(cidr),
    /** Says aloud that SSH is open to the Internet (`cidrs` with 0.0.0.0/0 or the like). Default: refused. */
    openToInternet: z.boolean().optional(),
    sshPublicKeys: z.array(z.string().regex(/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+) \S+/, "an OpenSSH public key")),
  }),
  email: z.strictObject({
    backend: z.enum(["console", "smtp", "sendgrid", "mailgun", "ses"]),
    from: z.email().optional(),
    smtpHost: z.hostname().optional(),
    smtpPort: port.optional(),
    smtpUser: z.string().min(1).optional(),
    mailgunDomain: z.hostname().optional(),
    sesRegion: z
      .string()
      .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region of AWS such as eu-central-1")
      .optional(),
    /** The access key whose secret is orion:emailApiKey. */
    sesAccessKeyId: z
      .string()
      .regex(/^[A-Z0-9]{16,128}$/, "the id of an access key of AWS")
      .optional(),
  }),
  /** Who is told when a backup, a restore drill or a renewal of the certificate fails. */
  alerts: z.strictObject({
    /** Address for alerts; they go through the SMTP server of orion:email. */
    email: z.email().optional(),
  }),
  /** Backups of PostgreSQL, in phases with servers and R2. */
  backups: z.strictObject({
    /** How many of the newest good backups are kept, whatever their age, and for how many days all are kept. */
    daily: count(1, 365),
    /** The last good backup of each of so many weeks, and months, is kept. */
    weekly: count(0, 520),
    monthly: count(0, 240),
    /** For so many days R2 lets nobody delete or overwrite a backup. 0: no lock. */
    lockDays: count(0, 3650),
    /** A backup is suspect when a table has lost more than this share of its rows, or the dump of its bytes, in percent. */
    lossPercent: count(1, 100),
    /** Tables whose rows come and go, as `schema.table`, with * for any text; their rows are not compared. */
    fluctuating: z.array(
      z.string().regex(/^[^\s'"]+\.[^\s'"]+$/, "a table such as public.outbox, or several such as public.events_*"),
    ),
    /** How many seconds a replica may need to replay what the primary has; then the primary itself is dumped. */
    replicaWaitSeconds: count(1, 3600),
  }),
  /**
   * Where the engine's state of the stack is; the engine's wrapper reads it before the program runs. Absent: what PULUMI_BACKEND_URL or
   * `backend:` in Pulumi.yaml says, otherwise files in the project's folder.
   */
  stateUrl: z
    .string()
    .regex(
      /^(file:\/\/\/|s3:\/\/[a-z0-9][a-z0-9.-]+)[^\s#]*$/,
      "an address that starts with file:/// or s3://BUCKET, such as s3://orion-state?endpoint=https://ACCOUNT.r2.cloudflarestorage.com&region=auto",
    )
    .optional(),
  /** What `make rehearse` does with this stack; production is not changed by it. */
  rehearsal: z.strictObject({
    /** A file with SQL, relative to the project, that runs on data restored by `DATA=` before any app starts with it. */
    scrub: z
      .string()
      .regex(/\.sql$/, "a file that ends in .sql")
      .optional(),
  }),
  /** Address of the Docker Engine that local containers run on. */
  dockerHost: z.string().regex(/^(unix|tcp|ssh):\/\/\S+$/, "an address that starts with unix://, tcp:// or ssh://"),
});

/** All settings of a stack, with every default filled in; holds no secret. */
export type Settings = z.infer<typeof settingsSchema>;
/** What an account at Hetzner may have of each kind. */
export type Limits = NonNullable<Settings["hetzner"]["limits"]>;

/** Configuration keys whose values are secrets: set with `pulumi config set --secret`, never part of {@link Settings}. */
export const secretKeys = [
  "registryPassword",
  "databaseUrl",
  "redisUrl",
  "brokerUrl",
  "sentryDsn",
  "smtpPassword",
  "emailApiKey",
  "stripeSecretKey",
  "stripeWebhookSecret",
  "alertWebhook",
  "backupHeartbeat",
  "drillHeartbeat",
] as const;
export type SecretKey = (typeof secretKeys)[number];

/** A secret of a stack: one that the program knows, or one of the image's own, of `orion:app.secrets`. */
export type SecretName = SecretKey | `app.secrets.${string}`;
