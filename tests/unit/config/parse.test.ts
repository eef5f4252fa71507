import { standardEngine } from "../../../common/docker-host.ts";
import { parseConfig } from "../../../config/parse.ts";
import { presets } from "../../../config/presets.ts";
import { phases } from "../../../config/schema.ts";
import { leastValues, publicKey, refusalOf, settingsOf } from "../support/settings.ts";

describe("defaults", () => {
  test("development needs nothing but its phase and is exactly its preset", () => {
    expect(settingsOf("development")).toEqual({
      phase: "development",
      ...presets.development,
      dockerHost: standardEngine,
    });
    const values = { phase: "development" };
    const dockerHost = "unix:///home/one/.colima/docker.sock";
    expect(parseConfig({ values, secrets: new Set(), dockerHost }).settings.dockerHost).toBe(dockerHost);
  });

  test.each(phases)("phase %s fills in what a stack leaves out", (phase) => {
    const settings = settingsOf(phase);
    expect(settings.database).toEqual(presets[phase].database);
    expect(settings.workers).toEqual(presets[phase].workers);
  });

  test("an object is merged key by key, a list replaces", () => {
    const settings = settingsOf("development", { ports: { edge: 18080 }, services: ["cache"] });
    expect(settings.ports).toEqual({ ...presets.development.ports, edge: 18080 });
    expect(settings.services).toEqual(["cache"]);
  });

  test("the empty texts that Pulumi.yaml fills in say nothing", () => {
    expect(settingsOf("development", { domain: "" }).domain).toBeUndefined();
  });

  test("memory that PostgreSQL is tuned for stays from mvp to scale: another figure would restart it in a move", () => {
    expect(presets.scale.database.memoryMb).toBe(presets.mvp.database.memoryMb);
  });
});

describe("what follows from other keys", () => {
  const memoryOf = (database: object) => settingsOf("mvp", { database }).database.memoryMb;

  test("PostgreSQL has three eighths of the memory of its server, the smallest one that it may get", () => {
    expect(memoryOf({})).toBe(3072);
    expect(memoryOf({ servers: ["ccx33", "ccx23"] })).toBe(6144);
    expect(memoryOf({ servers: ["ccx33"], memoryMb: 20_000 })).toBe(20_000);
    expect(settingsOf("development", { database: { servers: ["ccx33"] } }).database.memoryMb).toBe(512);
  });

  test("a server type with unknown memory needs database.memoryMb", () => {
    expect(memoryOf({ servers: ["zz99"], memoryMb: 4096 })).toBe(4096);
    expect(refusalOf({ ...leastValues("mvp"), database: { servers: ["cpx32", "zz99"] } })).toContain(
      "orion:database.memoryMb: is needed with cpx32, zz99, whose memory is not known here",
    );
  });

  const derived = (values: Readonly<Record<string, unknown>>) => {
    const { cloudflare, storage } = settingsOf("mvp", values);
    return { zone: cloudflare.zone, endpoint: storage.endpoint };
  };
  const endpoint = `https://${"0".repeat(32)}.r2.cloudflarestorage.com`;

  test("the zone is the domain's last two labels, the S3 interface that of the account", () => {
    expect(derived({})).toEqual({ zone: "example.com", endpoint });
  });

  test("what a stack says itself counts", () => {
    const values = {
      domain: "Orion.shop.co.uk",
      cloudflare: { accountId: "0".repeat(32), zone: "shop.co.uk" },
      storage: { bucket: "files", endpoint: "http://10.20.1.11:8471", clearText: true },
      backups: { pointInTime: false },
    };
    expect(derived(values)).toEqual({ zone: "shop.co.uk", endpoint: "http://10.20.1.11:8471" });
    expect(settingsOf("mvp", values).domain).toBe("orion.shop.co.uk");
  });

  test("nothing is made up for what is off", () => {
    const values = {
      cloudflare: { enabled: false },
      edge: { tls: "acme" },
      storage: { backend: "local", noBackups: true },
    };
    expect(derived(values)).toEqual({ zone: undefined, endpoint: undefined });
  });
});

describe("secrets", () => {
  test("are named, and never part of the settings", () => {
    const { settings, secrets } = parseConfig({
      values: { phase: "development", sentryDsn: "hidden" },
      secrets: new Set(["sentryDsn"]),
    });
    expect(secrets).toEqual(["sentryDsn"]);
    expect(JSON.stringify(settings)).not.toContain("hidden");
  });

  test("one in clear text is refused, without being repeated", () => {
    const message = refusalOf({ phase: "development", stripeSecretKey: "sk_live_1" });
    expect(message).toContain("orion:stripeSecretKey: is a secret but stored in clear text");
    expect(message).toContain("pulumi config set --secret stripeSecretKey");
    expect(message).not.toContain("sk_live_1");
  });

  test("a setting that is stored as a secret is refused", () => {
    expect(refusalOf({ phase: "development", domain: "hidden.example.com" }, ["domain"])).toContain(
      "orion:domain: is stored as a secret",
    );
  });
});

describe("secrets of the image's own", () => {
  const app = (values: object) => ({ phase: "development", app: values });

  test("are known by their names alone", () => {
    const values = app({ secrets: { OPENAI_API_KEY: { secure: "v1:hidden" }, B: "hidden" } });
    const { settings } = parseConfig({ values, secrets: new Set(["app.secrets.OPENAI_API_KEY", "app.secrets.B"]) });
    expect(settings.app.secrets).toEqual(["B", "OPENAI_API_KEY"]);
    expect(JSON.stringify(settings)).not.toContain("hidden");
  });

  test("are taken when only that something of orion:app is encrypted is known", () => {
    const values = app({ instances: 2, secrets: { OPENAI_API_KEY: "hidden" } });
    const { settings } = parseConfig({ values, secrets: new Set(["app"]) });
    expect(settings.app).toMatchObject({ instances: 2, secrets: ["OPENAI_API_KEY"] });
  });

  test.each<[string, object, string[], string]>([
    [
      "one in clear text",
      { secrets: { OPENAI_API_KEY: "sk-hidden" } },
      [],
      "orion:app.secrets.OPENAI_API_KEY: is stored in clear text; set it with: pulumi config set --secret --path orion:app.secrets.OPENAI_API_KEY",
    ],
    [
      "a secret among the plain variables",
      { environment: { OPENAI_API_KEY: { secure: "sk-hidden" } } },
      ["app.environment.OPENAI_API_KEY"],
      "orion:app.environment.OPENAI_API_KEY: is stored as a secret, but of orion:app only app.secrets holds secrets; set it with: pulumi config set --secret --path orion:app.secrets.OPENAI_API_KEY",
    ],
    [
      "a secret somewhere else in the section",
      { environment: { A: "sk-hidden" } },
      ["app"],
      "orion:app: is stored as a secret, but of orion:app only app.secrets holds secrets",
    ],
    [
      "no map",
      { secrets: "sk-hidden" },
      [],
      "orion:app.secrets: allowed: a secret for each variable's name; set one with: pulumi config set --secret --path",
    ],
    [
      "a name that is no variable's",
      { secrets: { "openai-key": "sk-hidden" } },
      ["app.secrets.openai-key"],
      'orion:app.secrets.0: got "openai-key", allowed: a variable\'s name of upper-case letters, digits and _',
    ],
    [
      "a variable that the program sets",
      { secrets: { DATABASE_URL: "sk-hidden" } },
      ["app.secrets.DATABASE_URL"],
      'orion:app.secrets.DATABASE_URL: got "a value", allowed: variables that the program does not set; use the secret orion:databaseUrl',
    ],
    [
      "a variable that is plain as well",
      { secrets: { A: "sk-hidden" }, environment: { A: "plain" } },
      ["app.secrets.A"],
      "orion:app.environment.A: is set in orion:app.secrets as well",
    ],
  ])("%s is refused, and no value is repeated", (_, values, secrets, expected) => {
    const message = refusalOf(app(values), secrets);
    expect(message).toContain(expected);
    expect(message).not.toContain("sk-hidden");
  });
});

describe("host names", () => {
  const domainOf = (domain: string) =>
    settingsOf("mvp", { domain, cloudflare: { accountId: "0".repeat(32), zone: "example.com" } }).domain;

  test.each([
    ["orion.example.com.", "orion.example.com"],
    ["Orion.Example.COM", "orion.example.com"],
  ])("%s is %s", (domain, normal) => {
    expect(domainOf(domain)).toBe(normal);
  });

  test.each([
    ["203.0.113.9", "not an address: certificates and DNS records need a name"],
    ["2001:db8::9", "not an address"],
    ["localhost", "a single label is not a name of the Internet"],
    ["münchen.example.com", "write this one as DNS has it: xn--mnchen-3ya.example.com"],
    ["https://orion.example.com", "without https:// and without a path"],
    ["orion..example.com", "a host name such as orion.example.com"],
    ["-orion.example.com", "a host name such as orion.example.com"],
    [`${"a".repeat(64)}.example.com`, "a host name such as orion.example.com"],
    ["my_shop.example.com", "a host name such as orion.example.com"],
  ])("%s is refused with the reason", (domain, reason) => {
    expect(refusalOf({ ...leastValues("mvp"), domain })).toContain(reason);
  });
});

describe("public keys", () => {
  const ed25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleKeyThatOpensNothingReplaceItWithYour";
  const withKeys = (...sshPublicKeys: string[]) => ({
    ...leastValues("mvp"),
    admin: { cidrs: ["203.0.113.0/24"], sshPublicKeys },
  });

  test("with and without a comment are taken", () => {
    expect(settingsOf("mvp", withKeys(`${ed25519} alice and bob`)).admin.sshPublicKeys).toHaveLength(1);
    expect(settingsOf("mvp", withKeys(ed25519)).admin.sshPublicKeys).toHaveLength(1);
  });

  test.each([
    ["ssh-ed25519 notbase64!!", "the key is not Base64"],
    [`${ed25519} alice\n${ed25519.replace("ReplaceItWithYour", "ReplaceItWithYoux")} bob`, "one key in each entry"],
    [ed25519.slice(0, -8), "the key is cut or of another algorithm"],
    [ed25519.replace("ssh-ed25519", "ssh-rsa"), "the key is cut or of another algorithm"],
    ["-----BEGIN OPENSSH PRIVATE KEY-----", "an OpenSSH public key, as in a file that ends in .pub"],
  ])("%j is refused with the reason", (key, reason) => {
    expect(refusalOf(withKeys(key))).toContain(reason);
  });
});

test("numbers and truth values of the environment are texts, as a process has them", () => {
  const environment = { PORT: 8080, DEBUG: true, RATIO: "0.5", NAME: "orion" };
  expect(settingsOf("development", { app: { environment } }).app.environment).toEqual({
    ...{ PORT: "8080", DEBUG: "true", RATIO: "0.5", NAME: "orion" },
  });
});

describe("what is wrong is named: key, value, what is allowed", () => {
  test.each<[Record<string, unknown>, string]>([
    [{}, "orion:phase: got nothing, allowed: one of development, mvp, scale, enterprise, ha"],
    [{ phase: "prod" }, 'orion:phase: got "prod", allowed: one of development, mvp, scale, enterprise, ha'],
    [
      { phase: "development", colour: "red" },
      'orion:colour: got "red", allowed: a known key: phase, hosting, services',
    ],
    [{ phase: "development", app: { instance: 2 } }, "orion:app.instance: got 2, allowed: one of image, module"],
    [{ phase: "development", app: { instances: 0 } }, "orion:app.instances: got 0, allowed: 1 or more"],
    [{ phase: "development", app: { instances: 1.5 } }, "orion:app.instances: got 1.5, allowed: a whole number"],
    [{ phase: "development", app: "two" }, 'orion:app: got "two", allowed: an object'],
    [
      { phase: "development", app: { image: "NOT AN IMAGE" } },
      'orion:app.image: got "NOT AN IMAGE", allowed: an image',
    ],
    [{ phase: "development", ports: { edge: 70000 } }, "orion:ports.edge: got 70000, allowed: 65535 or less"],
    [
      { phase: "development", services: ["postgres"] },
      'orion:services.0: got "postgres", allowed: one of testDatabase',
    ],
    [{ phase: "development", dockerHost: "localhost" }, 'orion:dockerHost: got "localhost", allowed: an address that'],
    [
      { phase: "development", workers: { dedicated: 1 } },
      "orion:workers.dedicated: got 1, allowed: true, false, or a list of queues that get dedicated workers",
    ],
    [
      { phase: "development", workers: { dedicated: ["mails"] } },
      'orion:workers.dedicated: got "mails", allowed: queues of orion:workers.queues: default, imports, emails, reports',
    ],
    [
      { phase: "development", workers: { queues: ["high"], concurrency: { hgih: 2 } } },
      "orion:workers.concurrency.hgih: got 2, allowed: queues of orion:workers.queues: high",
    ],
    [{ phase: "development", workers: { queues: ["a", "a"] } }, "allowed: each queue once"],
    [{ phase: "development", workers: { queues: [] } }, "orion:workers.queues: got [], allowed: 1 or more entries"],
    [
      { phase: "development", app: { environment: { URL: "${REDIS_ULR}" } } },
      'orion:app.environment.URL: got "${REDIS_ULR}", allowed: variables that the program sets, and orion:app.secrets; did you mean REDIS_URL?; a dollar sign is $$',
    ],
    [
      { phase: "development", app: { environment: { TOKEN: "${TASK_API_TOKEN}" } } },
      'orion:app.environment.TOKEN: got "${TASK_API_TOKEN}", allowed: variables that the program sets',
    ],
    [
      { phase: "development", app: { user: "web user" } },
      'orion:app.user: got "web user", allowed: a user, or user:group, such as 1000:1000',
    ],
    [
      { phase: "development", app: { module: "main.py" } },
      'orion:app.module: got "main.py", allowed: a module and an object in it such as main:app',
    ],
    [{ ...leastValues("mvp"), admin: { cidrs: ["10.0.0.1/33"] } }, 'orion:admin.cidrs.0: got "10.0.0.1/33", allowed:'],
    [
      { ...leastValues("mvp"), hetzner: { locations: [] } },
      "orion:hetzner.locations: got [], allowed: 1 or more entries",
    ],
    [
      { ...leastValues("mvp"), hetzner: { locations: ["ash"] } },
      'orion:hetzner.locations.0: got "ash", allowed: one of',
    ],
    [
      { ...leastValues("mvp"), database: { servers: ["big"] } },
      'orion:database.servers.0: got "big", allowed: a server',
    ],
    [
      { ...leastValues("mvp"), storage: { bucket: "b".repeat(56) } },
      "allowed: a bucket name of 3 to 55 lower-case letters, digits and hyphens",
    ],
    [
      { ...leastValues("mvp"), storage: { bucket: "files", endpoint: "https://example.com/path" } },
      'orion:storage.endpoint: got "https://example.com/path", allowed: an address such as https://',
    ],
    [
      { ...leastValues("mvp"), cloudflare: { zone: "not a name" } },
      'orion:cloudflare.zone: got "not a name", allowed: a host name such as orion.example.com',
    ],
    [{ phase: "development", app: 2 }, "orion:app: got 2, allowed: an object"],
    [{ phase: "development", services: "cache" }, 'orion:services: got "cache", allowed: a list'],
    [
      { phase: "development", app: { environment: { lower: "x" } } },
      'orion:app.environment.lower: got "x", allowed: a variable\'s name of upper-case letters',
    ],
    [
      // As it arrives from 1234567890123456789.
      { phase: "development", app: { environment: { GUILD: 1234567890123456800 } } },
      "orion:app.environment.GUILD: got 1234567890123456800, allowed: a text, or a whole number of at most 15 digits; others lose digits: write it in quotes, or set it with npx pulumi config set --type string --path",
    ],
    [
      { phase: "development", app: { environment: { VERSION: 1.1 } } },
      "orion:app.environment.VERSION: got 1.1, allowed: a text, or a whole number of at most 15 digits",
    ],
    [
      { phase: "development", app: { environment: { TWO: "a\nb" } } },
      'orion:app.environment.TWO: got "a\\nb", allowed: a text of one line',
    ],
    [
      { phase: "development", images: { registry: "https://registry.example.com" } },
      'orion:images.registry: got "https://registry.example.com", allowed: the address of a registry without https://',
    ],
    [
      { ...leastValues("mvp"), rehearsal: { scrub: "scrub.sh" } },
      'orion:rehearsal.scrub: got "scrub.sh", allowed: a file that ends in .sql',
    ],
    [{ ...leastValues("mvp"), email: { from: "me" } }, 'orion:email.from: got "me", allowed: a valid e-mail address'],
  ])("%j", (values, expected) => {
    expect(refusalOf(values)).toContain(expected);
  });

  test.each<[Record<string, unknown>, string]>([
    [{ phse: "mvp" }, "enterprise, ha; did you mean orion:phase instead of orion:phse?"],
    [{ phase: "mpv" }, "enterprise, ha; did you mean mvp?"],
    [{ phase: "Scale" }, "; did you mean scale?"],
    [{ phase: "development", domian: "orion.example.com" }, "; did you mean orion:domain?"],
    [{ phase: "development", app: { instnaces: 2 } }, "; did you mean orion:app.instances?"],
    [{ phase: "development", instances: 2 }, "; did you mean orion:app.instances?"],
    [{ phase: "development", app: { servers: { counts: 2 } } }, "; did you mean orion:app.servers.count?"],
    [{ phase: "development", edge: { tls: "self_signed" } }, "; did you mean self-signed?"],
  ])("%j: what may have been meant", (values, expected) => {
    expect(refusalOf(values)).toContain(expected);
  });

  test("nothing is suggested for a word that is like none", () => {
    expect(refusalOf({ phase: "development", colour: "red" })).not.toContain("did you mean");
  });

  test("one error lists every problem", () => {
    const message = refusalOf({ phase: "development", colour: "red", app: { instances: 0, memoryMb: "much" } });
    expect(message.split("\n")).toHaveLength(4);
  });
});

describe("what needs each other", () => {
  test.each<[Record<string, unknown>, string]>([
    [{ phase: "development", services: ["app"] }, "cache as well, which app needs"],
    [{ phase: "development", services: ["cache", "edge"] }, "app as well, which edge needs"],
    [
      { phase: "development", services: [], database: { mode: "external" } },
      "orion:services: got [], allowed: at least one service, since the database is external",
    ],
    [
      {
        ...{ phase: "development", services: ["cache", "workers", "beat"], workers: { enabled: false } },
        ...{ database: { mode: "external" }, cache: { mode: "external" } },
      },
      'orion:services: got ["cache","workers","beat"], allowed: at least one service, since the database is external; ' +
        "those have no container with orion:cache.mode external and orion:workers.enabled false",
    ],
    [
      {
        ...{ phase: "development", services: ["beat", "flower"], workers: { commands: { beat: [], flower: [] } } },
        ...{ database: { mode: "external" }, cache: { mode: "external" } },
      },
      'orion:services: got ["beat","flower"], allowed: at least one service, since the database is external; ' +
        "those have no container with orion:workers.commands.beat [] and orion:workers.commands.flower []",
    ],
    [{ phase: "development", services: ["docs", "docs"] }, "each service once"],
    [
      { phase: "development", ports: { docs: 8000 } },
      "orion:ports.docs: got 8000, allowed: a port that no other service has; app has",
    ],
    [
      { phase: "development", edge: { tls: "self-signed" } },
      'orion:edge.tls: got "self-signed", allowed: none with orion:hosting local',
    ],
    [
      { phase: "development", alerts: { email: "ops@example.com" } },
      'orion:alerts.email: got "ops@example.com", but servers send alerts by SMTP only and orion:email.backend is console; ' +
        "remove it and set a webhook: pulumi config set --secret alertWebhook https://...",
    ],
    [
      { phase: "development", email: { backend: "smtp" } },
      "orion:email.smtpHost: is needed when orion:email.backend is smtp; a host name such as smtp.example.com",
    ],
    [
      { phase: "development", email: { backend: "sendgrid" } },
      "orion:emailApiKey: is needed when orion:email.backend is sendgrid; pulumi config set --secret emailApiKey",
    ],
    [{ phase: "development", email: { backend: "mailgun" } }, "orion:email.mailgunDomain: is needed when"],
    [{ phase: "development", email: { backend: "ses" } }, "orion:email.sesRegion: is needed when"],
    [
      { phase: "development", images: { login: { registry: "ghcr.io", user: "orion" } } },
      "orion:registryPassword: is needed with orion:images.login; pulumi config set --secret registryPassword",
    ],
    [
      { phase: "development", images: { login: { registry: "https://ghcr.io", user: "orion" } } },
      'orion:images.login.registry: got "https://ghcr.io", allowed: host and port of a registry',
    ],
    [{ phase: "mvp" }, "orion:domain: is needed in phase mvp; a host name such as orion.example.com"],
    [{ phase: "mvp" }, "orion:cloudflare.accountId: is needed when orion:storage.backend is r2"],
    [{ phase: "mvp" }, "orion:admin.sshPublicKeys: is needed in phase mvp"],
    [
      { ...leastValues("mvp"), database: { mode: "external" } },
      "orion:databaseUrl: is needed when orion:database.mode",
    ],
    [{ ...leastValues("mvp"), cache: { mode: "external" } }, "orion:brokerUrl: is needed when orion:cache.mode"],
    [{ ...leastValues("ha"), hetzner: { locations: ["nbg1", "nbg1"] } }, "each location once"],
    [
      { ...leastValues("scale"), database: { replicas: 2 } },
      "orion:database.replicas: got 2, allowed: one of mode, availability, pooler",
    ],
    // A list without the cache once emptied production, and was called safe.
    [
      { ...leastValues("mvp"), services: ["app", "workers", "beat", "flower", "edge"] },
      'orion:services: got ["app","workers","beat","flower","edge"], allowed: a list with cache, app, workers, beat, flower, edge, or no list: with servers no service can be left out (missing: cache)',
    ],
    [{ ...leastValues("scale"), services: ["app", "workers", "edge"] }, "(missing: cache, beat, flower)"],
    [
      { phase: "development", database: { availability: "replica" } },
      'orion:database.availability: got "replica", allowed: single with orion:hosting local',
    ],
    [
      { ...leastValues("mvp"), app: { servers: { count: 2, types: ["cpx22"] } } },
      'orion:edge.balancing: got "direct", allowed: regional or global while orion:app.servers is set',
    ],
    [
      { ...leastValues("scale"), edge: { tls: "acme" } },
      'orion:edge.tls: got "acme", allowed: cloudflare-origin-ca while orion:edge.balancing is regional',
    ],
    [
      { ...leastValues("ha"), cloudflare: { enabled: false, accountId: "0".repeat(32) }, edge: { tls: "self-signed" } },
      'orion:edge.balancing: got "global", allowed: regional while orion:cloudflare.enabled is false',
    ],
    [
      { ...leastValues("mvp"), admin: { cidrs: [], sshPublicKeys: [publicKey("someone")] } },
      "orion:admin.cidrs: is needed in phase mvp; a list of address ranges that may log in over SSH",
    ],
    [
      {
        ...leastValues("mvp"),
        admin: { cidrs: ["203.0.113.0/24"], sshPublicKeys: [publicKey("a"), publicKey("a").replace(/a$/, "b")] },
      },
      ' b", allowed: each key once, whatever its comment is',
    ],
    [
      { phase: "development", app: { environment: { DATABASE_URL: "postgresql://mine" } } },
      'orion:app.environment.DATABASE_URL: got "a value", allowed: variables that the program does not set; use the secret orion:databaseUrl',
    ],
    [
      { phase: "development", app: { environment: { SECRET_KEY: "short" } } },
      'orion:app.environment.SECRET_KEY: got "a value", allowed: variables that the program does not set',
    ],
    [
      { ...leastValues("scale"), database: { primary: "app-1" } },
      'orion:database.primary: got "app-1", allowed: core-1, or the server that make promote-replica has set, such as db-2',
    ],
    [
      { ...leastValues("mvp"), database: { primary: "db-2" } },
      'orion:database.primary: got "db-2", allowed: core-1 while orion:edge.balancing is direct: visitors would reach core-1 alone, and db-2 has the data',
    ],
    [
      { ...leastValues("scale"), database: { primary: "db-2", mode: "external" } },
      'orion:database.primary: got "db-2", allowed: core-1 while orion:database.mode is external',
    ],
    [
      { ...leastValues("mvp"), cloudflare: { enabled: false, accountId: "0".repeat(32) } },
      'orion:edge.tls: got "cloudflare-origin-ca", allowed: acme or self-signed while orion:cloudflare.enabled is false',
    ],
    [
      { ...leastValues("mvp"), edge: { tls: "self-signed" } },
      'orion:edge.tls: got "self-signed", allowed: cloudflare-origin-ca or acme while orion:cloudflare.enabled is true',
    ],
    [
      { ...leastValues("enterprise"), database: { servers: ["cpx32", "cax21"] } },
      'orion:database.servers: got ["cpx32","cax21"], allowed: types of one architecture, and cax21 is of ARM: PostgreSQL cannot',
    ],
    // What a message allows, no other one refuses.
    [
      { ...leastValues("scale"), edge: { tls: "self-signed" } },
      'orion:edge.tls: got "self-signed", allowed: cloudflare-origin-ca while orion:cloudflare.enabled is true',
    ],
    [
      { ...leastValues("enterprise"), cloudflare: { enabled: false, accountId: "0".repeat(32) } },
      'orion:edge.tls: got "cloudflare-origin-ca", allowed: self-signed while orion:cloudflare.enabled is false and orion:edge.balancing is regional',
    ],
    [
      {
        ...leastValues("enterprise"),
        cloudflare: { enabled: false, accountId: "0".repeat(32) },
        edge: { tls: "acme" },
      },
      'orion:edge.tls: got "acme", allowed: self-signed while orion:edge.balancing is regional: behind a load balancer',
    ],
    [
      {
        ...leastValues("enterprise"),
        cloudflare: { enabled: false, accountId: "0".repeat(32) },
        edge: { tls: "none" },
      },
      'orion:edge.tls: got "none", allowed: self-signed; without TLS',
    ],
    [
      { ...leastValues("mvp"), cloudflare: { accountId: "0".repeat(32), zone: "example.org" } },
      'orion:cloudflare.zone: got "example.org", allowed: the zone that contains orion:domain orion.example.com',
    ],
    [
      { ...leastValues("mvp"), domain: "a.orion.example.com" },
      'orion:domain: got "a.orion.example.com", allowed: example.com or one label below it',
    ],
    [
      { ...leastValues("mvp"), storage: { bucket: "files", customDomain: "files.example.org" } },
      'orion:storage.customDomain: got "files.example.org", allowed: a host name in the zone example.com',
    ],
    [
      { ...leastValues("mvp"), storage: { bucket: "files", customDomain: "orion.example.com" } },
      "allowed: another host name than orion:domain",
    ],
    [
      { ...leastValues("mvp"), storage: { backend: "local", customDomain: "files.example.com" } },
      "allowed: nothing unless orion:storage.backend is r2",
    ],
    [
      {
        ...leastValues("mvp"),
        edge: { tls: "acme" },
        cloudflare: { enabled: false, accountId: "0".repeat(32) },
        storage: { bucket: "files", customDomain: "files.example.com" },
      },
      "allowed: nothing unless orion:cloudflare.enabled is true",
    ],
  ])("%j", (values, expected) => {
    expect(refusalOf(values)).toContain(expected);
  });
});
