/** The components that run the platform's own image, and what stands before them. */
import * as pulumi from "@pulumi/pulumi";
import { AppTier } from "../../../components/app-tier/app-tier.ts";
import { appEnvironment } from "../../../components/app-tier/environment.ts";
import { Release } from "../../../components/app-tier/release.ts";
import { createContainer, dockerDuration } from "../../../components/runtime/docker/container.ts";
import { beatProbe, httpProbe, redisProbe, workerProbe } from "../../../components/runtime/docker/health.ts";
import { Docs } from "../../../components/docs/docs.ts";
import { EdgeProxy, type EdgeProxyArgs } from "../../../components/edge-proxy/edge-proxy.ts";
import { nginxConfig } from "../../../components/edge-proxy/nginx-config.ts";
import { WorkerTier } from "../../../components/worker-tier/worker-tier.ts";
import type { Phase } from "../../../config/schema.ts";
import { compose, mocksFor, type Recorded } from "../support/compose.ts";
import { containerBasics, healthOf, known, named, placeOf, serviceOf } from "../support/place.ts";
import { settingsOf } from "../support/settings.ts";

const modes = ["preview", "up"] as const;
/** What has the kernel kill a process before PostgreSQL. */
const expendable = ["sh", "-c", 'echo 500 2>/dev/null > /proc/self/oom_score_adj; exec "$@"', "sh"];
const environment = { DATABASE_URL: "postgresql://database" };

/** The name of a version, as it goes to the engine. */
const aliasOf = (tier: AppTier): Promise<string> =>
  new Promise((resolve) => {
    tier.alias.apply(resolve);
  });

describe.each(modes)("AppTier in mode %s", (mode) => {
  const tier = (instances: number, sideBySide = false) =>
    compose(mode, () => {
      const services = Array.from({ length: instances }, (_, n) => serviceOf("app", { name: `app-${n + 1}` }));
      const args = { place: placeOf("app"), services, environment, uvicornWorkers: 4 };
      return new AppTier("app", { ...args, sideBySide, uploads: "orion-test-uploads" });
    });

  test("a container for each instance, all under one name", async () => {
    const { resources, result } = await tier(2);
    const alias = mode === "preview" ? "[unknown]" : await aliasOf(result);
    expect(named(resources, "app-2").inputs).toEqual({
      ...containerBasics("app", 35, 512, "app-2"),
      name: "orion-test-app-2",
      image: known(mode, "sha256:local-image-app"),
      command: [
        ...expendable,
        ...["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8000", "--workers", "4", "--proxy-headers"],
        ...["--forwarded-allow-ips", "*", "--timeout-graceful-shutdown", "30", "--timeout-keep-alive", "75"],
        ...["--ws-ping-interval", "20"],
      ],
      envs: ["DATABASE_URL=postgresql://database", "INSTANCE_NAME=app-2"],
      networksAdvanced: [{ name: "orion-test-network", aliases: ["app-2", alias] }],
      ports: [],
      volumes: [{ volumeName: "orion-test-uploads", containerPath: "/app/uploads" }],
      healthcheck: healthOf(httpProbe(8000, "/health")),
      shmSize: 64,
    });
  });

  test("another version has another name, which is no secret", async () => {
    const networks = async (uvicornWorkers: number) => {
      const { resources } = await compose(mode, () => {
        const args = { place: placeOf("app"), services: [serviceOf("app")], environment };
        return new AppTier("app", { ...args, uvicornWorkers, sideBySide: true });
      });
      return named(resources, "app").inputs["networksAdvanced"];
    };
    const versions = [await networks(1), await networks(2)];
    expect(JSON.stringify(versions[0]) === JSON.stringify(versions[1])).toBe(mode === "preview");
    expect(JSON.stringify(versions)).not.toContain("[secret]");
  });

  test("side by side, a new one has a name of its own and comes before the old one goes", async () => {
    const { inputs, options } = named((await tier(1, true)).resources, "app-1");
    expect(inputs["name"]).toBeUndefined();
    expect(options.deleteBeforeReplace).toBe(false);
  });

  test("every container waits for its end, and is made anew when its start failed", async () => {
    const { resources } = await tier(1);
    expect(named(resources, "app-1").options).toEqual({
      parent: "orion:app:AppTier app",
      provider: "pulumi:providers:docker local-docker",
      dependencies: [
        "docker:index/network:Network local-network",
        "docker:index/remoteImage:RemoteImage local-image-app",
      ],
      aliases: ["app-app-1"],
      deleteBeforeReplace: true,
      replaceOnChanges: ["healthcheck", "init", "tmpfs", "#initerror"],
    });
  });
});

describe.each(modes)("WorkerTier in mode %s", (mode) => {
  const emails = { queues: ["emails"], concurrency: 3 } as const;
  const tier = () =>
    compose(mode, () => {
      const services = [
        {
          ...serviceOf("beat"),
          kind: "worker",
          name: "worker-emails",
          container: "orion-test-worker-emails",
          ...emails,
        } as const,
        serviceOf("beat"),
        serviceOf("flower", { published: [{ address: "127.0.0.1", port: 5555, containerPort: 5555 }] }),
      ];
      const args = { place: placeOf("app"), services, environment, sideBySide: false };
      return new WorkerTier("workers", args);
    });

  test("a worker takes its queues with its concurrency, and has the time of the longest task to end", async () => {
    const { resources } = await tier();
    expect(named(resources, "worker-emails").inputs).toEqual({
      ...containerBasics("worker", 310, 512, "worker-emails"),
      name: "orion-test-worker-emails",
      image: known(mode, "sha256:local-image-app"),
      command: [
        ...expendable,
        ...["celery", "-A", "app.celery", "worker", "--loglevel=info", "--hostname=worker-emails@%h"],
        ...["--queues=emails", "--concurrency=3", "--without-gossip", "--pidfile=/dev/shm/celery.pid"],
      ],
      envs: ["DATABASE_URL=postgresql://database"],
      networksAdvanced: [{ name: "orion-test-network", aliases: ["worker-emails"] }],
      ports: [],
      healthcheck: healthOf(workerProbe()),
      shmSize: 64,
    });
  });

  test("Flower asks for a password where it is told one, and no command line shows it", async () => {
    const { resources } = await compose(mode, () => {
      const services = [
        serviceOf("flower", { published: [{ address: "127.0.0.1", port: 5555, containerPort: 5555 }] }),
      ];
      const args = { place: placeOf("app"), services, environment, sideBySide: true };
      return new WorkerTier("workers", { ...args, flowerPassword: pulumi.secret("hidden") });
    });
    expect(named(resources, "workers-flower").inputs["envs"]).toContainEqual({
      "[secret]": "FLOWER_BASIC_AUTH=orion:hidden",
    });
  });

  test("Beat and Flower run Celery's own commands", async () => {
    const { resources } = await tier();
    const commandOf = (name: string) => named(resources, name).inputs["command"];
    expect(commandOf("workers-beat")).toEqual([
      ...expendable,
      ...["celery", "-A", "app.celery", "beat", "--loglevel=info", "--schedule=/app/run/celerybeat-schedule"],
      ...["--pidfile=/dev/shm/celery.pid", "--max-interval=5"],
    ]);
    const checkOf = (name: string) => named(resources, name).inputs["healthcheck"];
    expect(checkOf("workers-beat")).toEqual(healthOf(beatProbe()));
    expect(checkOf("workers-flower")).toEqual(healthOf(httpProbe(5555, "/healthcheck")));
    expect(commandOf("workers-flower")).toEqual([
      ...expendable,
      ...["celery", "-A", "app.celery", "flower", "--address=0.0.0.0", "--port=5555"],
    ]);
  });
});

describe.each(modes)("Release in mode %s", (mode) => {
  test("migrations first, then the initialisation", async () => {
    const { resources } = await compose(
      mode,
      () => new Release("release", { place: placeOf("app"), service: serviceOf("release"), environment }),
    );
    expect(named(resources, "release-migrate").inputs).toEqual({
      dockerHost: "unix:///var/run/docker.sock",
      container: "orion-test-release-migrate",
      image: known(mode, "sha256:local-image-app"),
      command: ["alembic", "upgrade", "head"],
      environment,
      network: "orion-test-network",
      labels: { app: "orion", stack: "test", role: "release" },
      volumes: [],
      timeoutSeconds: 900,
    });
    expect(named(resources, "release-init").inputs["command"]).toEqual(["python", "scripts/seed/init_production.py"]);
    expect(named(resources, "release-init").options.dependencies).toContain("orion:index:Task release-migrate");
  });

  test("an image that is older than the data does not migrate", async () => {
    const { resources } = await compose(mode, () => {
      const args = { place: placeOf("app"), service: serviceOf("release"), environment, migrate: false };
      return new Release("release", args);
    });
    expect(resources.map(({ name }) => name)).not.toContain("release-migrate");
    expect(resources.map(({ name }) => name)).toContain("release-init");
  });
});

describe.each(modes)("EdgeProxy in mode %s", (mode) => {
  const edge = (more: Partial<EdgeProxyArgs> = {}) =>
    compose(mode, () => {
      const service = serviceOf("edge", { published: [{ address: "127.0.0.1", port: 8080, containerPort: 8080 }] });
      return new EdgeProxy("edge", { place: placeOf("nginx"), service, app: "app-1a2b", bodyLimitMb: 50, ...more });
    });

  test("nginx with its whole configuration", async () => {
    const { resources } = await edge();
    expect(named(resources, "edge-nginx").inputs).toEqual({
      ...containerBasics("edge", 35),
      name: "orion-test-edge",
      image: known(mode, "sha256:local-image-nginx"),
      command: [...expendable, "nginx", "-c", "/etc/orion/edge/current/nginx.conf", "-g", "daemon off;"],
      envs: [],
      networksAdvanced: [{ name: "orion-test-network", aliases: ["edge"] }],
      ports: [{ ip: "127.0.0.1", external: 8080, internal: 8080, protocol: "tcp" }],
      volumes: [{ volumeName: "orion-test-edge-files", containerPath: "/etc/orion/edge", readOnly: true }],
      healthcheck: healthOf(httpProbe(8082, "/edge-health")),
      shmSize: 64,
    });
    expect(named(resources, "edge-nginx").options.dependencies).toContain("orion:index:LiveFiles edge-config");
  });

  test("its files are handed to it while it runs, so that no change of them is one of the container", async () => {
    const { resources } = await edge({ certificate: { chain: "chain", privateKey: "key" } });
    expect(named(resources, "edge-config").inputs).toEqual({
      dockerHost: "unix:///var/run/docker.sock",
      image: known(mode, "sha256:local-image-nginx"),
      volume: "orion-test-edge-files",
      directory: "/etc/orion/edge",
      files: {
        "nginx.conf": nginxConfig({
          ...{ port: 8080, app: { host: "app-1a2b", port: 8000 }, bodyLimitMb: 50, trustedProxies: [] },
          tls: { port: 8443, certificate: "edge.crt", key: "edge.key" },
        }),
        "edge.crt": "chain",
        "edge.key": { "[secret]": "key" },
      },
      check: ["nginx", "-t", "-q", "-c", "{}/nginx.conf"],
      container: "orion-test-edge",
      reload: ["nginx", "-q", "-s", "reload", "-c", "/etc/orion/edge/current/nginx.conf"],
      leaving: "worker process is shutting down",
      settleSeconds: 10,
    });
    const container = (from: readonly Recorded[]) => named(from, "edge-nginx").inputs;
    const acme = (await edge({ certificate: "acme" })).resources;
    expect(container(acme)).toEqual(container(resources));
    const { files, folders } = named(acme, "edge-config").inputs as { files: object; folders: unknown };
    expect([Object.keys(files), folders]).toEqual([["nginx.conf"], { "/etc/orion/acme": "/var/lib/orion/acme/edge" }]);
  });
});

test.each(modes)("Docs in mode %s is one container", async (mode) => {
  const { resources } = await compose(
    mode,
    () => new Docs("docs", { place: placeOf("docs"), service: serviceOf("docs") }),
  );
  expect(named(resources, "docs-mkdocs").inputs).toMatchObject({
    name: "orion-test-docs",
    healthcheck: healthOf(httpProbe(9991, "/")),
  });
});

describe("the app's environment", () => {
  const connections = {
    ...{ databaseUrl: "d", redisUrl: "r", brokerUrl: "b", resultBackendUrl: "rb", flagsUrl: "f", secretKey: "s" },
  };
  const environmentOf = (email: Record<string, unknown>, secrets: Record<string, string> = {}) =>
    appEnvironment(
      settingsOf("development", { email }, ["emailApiKey"]),
      connections,
      { STORAGE_BACKEND: "local" },
      (key) => secrets[key],
    );
  const common = {
    ...{ ENVIRONMENT: "development", DATABASE_URL: "d", REDIS_URL: "r", CELERY_BROKER_URL: "b" },
    ...{ CELERY_RESULT_BACKEND: "rb", FEATURE_FLAGS_URL: "f", SECRET_KEY: "s", CLOUDFLARE_ENABLED: "false" },
    ...{ PUBLIC_URL: "http://127.0.0.1:8080", STORAGE_BACKEND: "local" },
  };

  test("has the platform's own names, and nothing that is not set", () => {
    expect(environmentOf({})).toEqual({ ...common, EMAIL_BACKEND: "console" });
  });

  test.each([
    [
      { backend: "smtp", smtpHost: "mail.example.com", smtpPort: 587, smtpUser: "me", from: "a@example.com" },
      {
        ...{ EMAIL_BACKEND: "smtp", EMAIL_FROM: "a@example.com", SMTP_HOST: "mail.example.com", SMTP_PORT: "587" },
        ...{ SMTP_USER: "me", SMTP_PASSWORD: "hidden" },
      },
    ],
    [{ backend: "sendgrid" }, { EMAIL_BACKEND: "sendgrid", SENDGRID_API_KEY: "key" }],
    [
      { backend: "mailgun", mailgunDomain: "mg.example.com" },
      { EMAIL_BACKEND: "mailgun", MAILGUN_DOMAIN: "mg.example.com", MAILGUN_API_KEY: "key" },
    ],
    [
      { backend: "ses", sesRegion: "eu-central-1", sesAccessKeyId: "AKIA0123456789ABCDEF" },
      {
        ...{ EMAIL_BACKEND: "ses", SES_REGION: "eu-central-1", SES_ACCESS_KEY_ID: "AKIA0123456789ABCDEF" },
        SES_SECRET_ACCESS_KEY: "key",
      },
    ],
  ])("e-mail by %j", (email, expected) => {
    const secrets = { smtpPassword: "hidden", emailApiKey: "key" };
    expect(environmentOf(email, secrets)).toEqual({ ...common, ...expected });
  });

  test.each<[Phase, Record<string, unknown>, string]>([
    ["development", {}, "http://127.0.0.1:8080"],
    ["development", { services: ["cache", "app"] }, "http://127.0.0.1:8000"],
    ["mvp", {}, "https://orion.example.com"],
  ])("links of phase %s with %j lead to where visitors are", (phase, values, url) => {
    const { PUBLIC_URL } = appEnvironment(settingsOf(phase, values), connections, {}, () => undefined);
    expect(PUBLIC_URL).toBe(url);
  });

  test("Sentry and Stripe when the stack sets them; own variables last", () => {
    const secrets = { sentryDsn: "dsn", stripeSecretKey: "sk", stripeWebhookSecret: "wh" };
    const settings = settingsOf("development", { app: { environment: { ENVIRONMENT: "staging" } } });
    const own = appEnvironment(settings, connections, {}, (key) => (secrets as Record<string, string>)[key]);
    expect(own).toMatchObject({ SENTRY_DSN: "dsn", STRIPE_SECRET_KEY: "sk", STRIPE_WEBHOOK_SECRET: "wh" });
    expect(own["ENVIRONMENT"]).toBe("staging");
  });
});

describe("nginx.conf", () => {
  const config = nginxConfig({
    port: 8080,
    app: { host: "app", port: 8000 },
    bodyLimitMb: 50,
    trustedProxies: [],
    uploads: "/app/uploads",
  });

  test.each([
    ["client_max_body_size 50m;"],
    ['add_header X-Frame-Options "SAMEORIGIN" always;'],
    ["limit_req_zone $binary_remote_addr"],
    ["proxy_set_header Upgrade $http_upgrade;"],
    ["worker_shutdown_timeout 1h;"],
  ])("says %s", (line) => {
    expect(config).toContain(line);
  });

  /** The text of a location. */
  const location = (path: string) => new RegExp(`location ${path} \\{[^]*?\\n    \\}`).exec(config)?.[0] ?? "";

  test("what is uploaded is shown, and runs as no page of ours", () => {
    expect(location("/uploads/")).toContain(`add_header Content-Security-Policy "sandbox; default-src 'none'" always;`);
    expect(location("/uploads/")).toContain("expires 7d;");
  });

  test("what is static stays in a browser for a month", () => {
    expect(location("/static/")).toMatch(/expires 30d;\n *add_header Cache-Control "public, immutable";/);
  });

  test.each(["/static/", "/uploads/"])("%s adds a header and therefore repeats those of the server", (path) => {
    expect(location(path).match(/add_header X-[\w-]+/g)).toHaveLength(3);
  });
});

describe("nginx.conf with TLS behind proxies", () => {
  const config = nginxConfig({
    ...{ port: 8080, app: { host: "app", port: 8000 }, bodyLimitMb: 50, hostname: "orion.example.com" },
    tls: { port: 8443, certificate: "edge.crt", key: "edge.key" },
    trustedProxies: ["173.245.48.0/20"],
  });

  test.each([
    ["listen 8443 ssl http2;"],
    ["ssl_certificate edge.crt;"],
    ["return 301 https://$host$request_uri;"],
    ["set_real_ip_from 173.245.48.0/20;"],
    ["real_ip_header CF-Connecting-IP;"],
    ["server_name orion.example.com;"],
  ])("says %s", (line) => {
    expect(config).toContain(line);
  });
});

describe("what all containers share", () => {
  test("a time is written as Docker reports it, or a refresh would find a difference", () => {
    expect([5, 59, 60, 90, 600].map(dockerDuration)).toEqual(["5s", "59s", "1m0s", "1m30s", "10m0s"]);
  });

  test("an image that was not asked for at the place is an error that names those that were", async () => {
    const container = () => {
      const place = placeOf("redis");
      const args = { image: "postgres", health: redisProbe, stopSeconds: 1 } as const;
      return createContainer("c", serviceOf("cache"), args, place, { parent: place });
    };
    await expect(compose("up", container)).rejects.toThrow(
      "image 'postgres' was not asked for at this place; known: redis",
    );
  });

  test("a call that no mock covers is an error", () => {
    expect(() => mocksFor("up").call({ token: "docker:index/getNetwork:getNetwork", inputs: {} })).toThrow(
      "no mock for the invoke docker:index/getNetwork:getNetwork",
    );
  });
});

describe("nginx behind a load balancer", () => {
  const direct = {
    ...{ port: 8080, app: { host: "app", port: 8000 }, bodyLimitMb: 50, hostname: "orion.example.com" },
    tls: { port: 8443, certificate: "edge.crt", key: "edge.key" },
  };
  const common = { ...direct, balancers: { addresses: ["10.20.1.5"], healthPort: 8081 } };
  const guarded = nginxConfig({ ...common, trustedProxies: ["173.245.48.0/20"] });

  test("learns from it who is in front, and takes the word of no one but Cloudflare for who the client is", () => {
    expect(guarded).toContain("listen 8443 ssl http2 proxy_protocol;");
    expect(guarded).toContain("listen 8080 default_server proxy_protocol;");
    expect(guarded).toContain("set_real_ip_from 10.20.1.5;\n  real_ip_header CF-Connecting-IP;");
    expect(guarded).toContain("geo $proxy_protocol_addr $stranger {\n    default 1;\n    173.245.48.0/20 0;\n  }");
    expect(guarded).toContain("if ($stranger) {\n      return 403;\n    }");
  });

  test("without Cloudflare everybody is let in, under the address that the load balancer says", () => {
    const open = nginxConfig({ ...common, trustedProxies: [] });
    expect(open).toContain("set_real_ip_from 10.20.1.5;\n  real_ip_header proxy_protocol;");
    expect(open).not.toContain("stranger");
  });

  test("says at a port of its own whether an app answers, and no when it is about to go", () => {
    expect(guarded).toMatch(
      /listen 8081;[^]*location = \/edge-health \{\s+if \(-f \/dev\/shm\/orion-leaving\) \{\s+return 503;\s+\}[^}]*proxy_pass \$app\/health;/,
    );
  });

  test("without a load balancer there is nothing of it", () => {
    expect(nginxConfig({ ...direct, trustedProxies: ["173.245.48.0/20"] })).not.toMatch(/proxy_protocol|stranger|8081/);
  });
});
