/** The app's environment variables, by what a stack sets. */
import * as pulumi from "@pulumi/pulumi";
import {
  replaceableVariables,
  reservedIn,
  reservedVariables,
  variablesIn,
} from "../../../../config/checks/environment.ts";
import { allowedHosts, appEnvironment, brokerEnvironment } from "../../../../components/app-tier/environment.ts";
import type { Phase, SecretKey } from "../../../../config/schema.ts";
import type { Stack } from "../../../../policy/program.ts";
import { stackOf } from "../../policy/support.ts";
import { sharedGraph } from "../../support/graphs.ts";
import { leastValues, refusalOf, settingsOf } from "../../support/settings.ts";

const resolved = <T>(output: pulumi.Output<T>): Promise<T> =>
  new Promise((resolve) => {
    output.apply(resolve);
  });

describe("the app's environment", () => {
  const connections = {
    ...{
      databaseUrl: "d",
      databaseDirectUrl: "dd",
      redisUrl: "r",
      brokerUrl: "b",
      resultBackendUrl: "rb",
      flagsUrl: "f",
      secretKey: "s",
    },
  };
  const environmentOf = (email: Record<string, unknown>, secrets: Record<string, string> = {}) =>
    appEnvironment(
      settingsOf("development", { email }, ["emailApiKey"]),
      connections,
      { STORAGE_BACKEND: "local" },
      (key) => secrets[key],
    );
  const common = {
    ...{
      ENVIRONMENT: "development",
      DATABASE_URL: "d",
      DATABASE_DIRECT_URL: "dd",
      REDIS_URL: "r",
      CELERY_BROKER_URL: "b",
    },
    ...{
      CELERY_RESULT_BACKEND: "rb",
      CELERY_TASK_TIME_LIMIT: "300",
      FEATURE_FLAGS_URL: "f",
      SECRET_KEY: "s",
      CLOUDFLARE_ENABLED: "false",
    },
    ...{ PUBLIC_URL: "http://127.0.0.1:8080", STORAGE_BACKEND: "local" },
  };

  test("has nothing of Celery in a stack without it", () => {
    const settings = settingsOf("development", { workers: { enabled: false } });
    const names = Object.keys(appEnvironment(settings, connections, {}, () => undefined));
    expect(names.filter((name) => name.startsWith("CELERY_"))).toEqual([]);
    const wanted = { app: { environment: { BROKER: "${CELERY_BROKER_URL}" } }, workers: { enabled: false } };
    expect(() => settingsOf("development", wanted)).toThrow(/app\.environment\.BROKER: got "\$\{CELERY_BROKER_URL\}"/);
  });

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

  test("a stack's own variable may contain others, without a prefix where its driver has another scheme", async () => {
    const own = {
      DB: "postgresql+asyncpg://${DATABASE_URL#postgresql://}?x=1",
      BOTH: "${REDIS_URL} ${CELERY_BROKER_URL}",
      PRICE: "$$5, $5 and $${REDIS_URL}",
    };
    const settings = settingsOf("development", { app: { environment: own } });
    const full = {
      ...connections,
      databaseUrl: "postgresql://app@database/orion",
      redisUrl: pulumi.secret("redis://a"),
    };
    const environment = appEnvironment(settings, full, {}, () => undefined);
    const values = await resolved(pulumi.output(pulumi.unsecret(pulumi.all(environment))));
    expect(values).toMatchObject({
      ...{ DB: "postgresql+asyncpg://app@database/orion?x=1", BOTH: "redis://a b" },
      PRICE: "$5, $5 and ${REDIS_URL}",
    });
    expect(await pulumi.isSecret(pulumi.output(environment["BOTH"]))).toBe(true);
  });

  test("Beat and Flower do not get a variable that contains one which they do not know", async () => {
    const environment = { CACHE: "${REDIS_URL}", BROKER: "${CELERY_BROKER_URL}", PLAIN: "a" };
    const settings = settingsOf("development", { app: { environment } });
    const got = brokerEnvironment(settings, { brokerUrl: "b", resultBackendUrl: "rb" });
    expect(Object.keys(got)).toEqual(["ENVIRONMENT", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "BROKER", "PLAIN"]);
    expect(await resolved(pulumi.output(got["BROKER"]))).toBe("b");
  });

  test.each<[Phase, Record<string, unknown>, string]>([
    ["development", {}, "http://127.0.0.1:8080"],
    ["development", { services: ["cache", "app"] }, "http://127.0.0.1:8000"],
    ["mvp", {}, "https://orion.example.com"],
  ])("links of phase %s with %j lead to where visitors are", (phase, values, url) => {
    const { PUBLIC_URL } = appEnvironment(settingsOf(phase, values), connections, {}, () => undefined);
    expect(PUBLIC_URL).toBe(url);
  });

  test("on servers an app answers for the platform's host name, and to its health check; in a local stack for any", () => {
    expect(allowedHosts(settingsOf("mvp"))).toEqual({ ALLOWED_HOSTS: "orion.example.com,127.0.0.1" });
    expect(allowedHosts(settingsOf("development"))).toEqual({});
  });

  test("Sentry and Stripe when the stack sets them; own variables last", () => {
    const secrets = { sentryDsn: "dsn", stripeSecretKey: "sk", stripeWebhookSecret: "wh" };
    const settings = settingsOf("development", { app: { environment: { ENVIRONMENT: "staging" } } });
    const own = appEnvironment(settings, connections, {}, (key) => (secrets as Record<string, string>)[key]);
    expect(own).toMatchObject({ SENTRY_DSN: "dsn", STRIPE_SECRET_KEY: "sk", STRIPE_WEBHOOK_SECRET: "wh" });
    expect(own["ENVIRONMENT"]).toBe("staging");
  });
});

test("Beat and Flower know the broker, and none of the stack's other secrets", () => {
  const settings = settingsOf("mvp", { app: { environment: { LOG_LEVEL: "DEBUG" } } });
  expect(brokerEnvironment(settings, { brokerUrl: "b", resultBackendUrl: "rb" })).toEqual({
    ...{
      ENVIRONMENT: "production",
      CELERY_BROKER_URL: "b",
      CELERY_RESULT_BACKEND: "rb",
      LOG_LEVEL: "DEBUG",
    },
  });
});

/** Stacks that together have every variable which the program sets. */
const stacks: readonly (readonly [Phase, Readonly<Record<string, unknown>>, readonly SecretKey[]])[] = [
  ["development", {}, ["sentryDsn", "stripeSecretKey", "stripeWebhookSecret"]],
  [
    "mvp",
    { email: { smtpHost: "a.example.com", smtpPort: 587, smtpUser: "me", from: "a@example.com" } },
    ["smtpPassword"],
  ],
  ["mvp", { email: { backend: "sendgrid" }, database: { mode: "external" } }, ["emailApiKey", "databaseUrl"]],
  ["mvp", { workers: { enabled: false }, storage: { bucket: "b-1", customDomain: "files.example.com" } }, []],
  ["scale", { email: { backend: "mailgun", mailgunDomain: "mg.example.com" } }, ["emailApiKey"]],
  [
    "scale",
    {
      email: { backend: "ses", sesRegion: "eu-central-1", sesAccessKeyId: "AKIA0123456789ABCDEF" },
      ...{ gateway: { enabled: false }, workers: { beatAndFlower: "everything" } },
    },
    ["emailApiKey"],
  ],
  ["scale", { gateway: { enabled: false }, database: { availability: "single" } }, []],
];

/** The variables of containers and commands of some roles. */
async function variablesOf(stack: Stack, roles: readonly string[]): Promise<string[]> {
  const { resources } = await sharedGraph(stack);
  const names = resources.flatMap(({ inputs: { labels, envs, environment } }) => {
    const role = Array.isArray(labels)
      ? (labels as readonly { label: string; value: string }[]).find(({ label }) => label === "role")?.value
      : (labels as { readonly role?: string } | undefined)?.role;
    if (role === undefined || !roles.includes(role)) return [];
    const texts = (envs ?? []) as readonly (string | { readonly "[secret]": string })[];
    const ofContainer = texts.map((text) => (typeof text === "string" ? text : text["[secret]"]).replace(/=.*$/s, ""));
    return [...ofContainer, ...Object.keys(environment ?? {})];
  });
  return [...new Set(names)];
}

test.each(stacks)(
  "phase %s, %j: a stack can replace the documented variables alone",
  async (phase, values, secrets) => {
    const stack = stackOf(phase, values, secrets);
    const set = await variablesOf(stack, ["app", "worker", "beat", "flower", "release"]);
    expect(set).toContain("DATABASE_URL");
    const known = [...Object.keys(reservedIn(stack.settings)), ...replaceableVariables];
    expect(set.filter((name) => !known.includes(name))).toEqual([]);
  },
);

test.each(stacks)("phase %s, %j: a value may contain whatever the app has", async (phase, values, secrets) => {
  const stack = stackOf(phase, values, secrets);
  const ofApp = await variablesOf(stack, ["app"]);
  const allowed = variablesIn(stack.settings);
  const every = Object.keys(reservedVariables).filter((name) => !["INSTANCE_NAME", "TASK_API_TOKEN"].includes(name));
  expect(every.filter((name) => ofApp.includes(name) && !allowed.includes(name))).toEqual([]);
});

const refusedWith = (phase: Phase, environment: Readonly<Record<string, string>>) =>
  refusalOf({ ...leastValues(phase), app: { environment } });

test.each<[Phase, Readonly<Record<string, string>>, string]>([
  [
    "mvp",
    { PGSSLMODE: "disable" },
    'PGSSLMODE: got "a value", allowed: variables that the program does not set; leave it out',
  ],
  [
    "mvp",
    { ALLOWED_HOSTS: "orion.example.com" },
    "allowed: a list with 127.0.0.1, at which an app's own health check asks it",
  ],
  ["mvp", { ALLOWED_HOSTS: "*.example.com" }, "allowed: a list with 127.0.0.1"],
])("phase %s refuses %j", (phase, environment, message) => {
  expect(refusedWith(phase, environment)).toContain(message);
});

test("hosts that contain another variable are not judged, nor is every host", () => {
  for (const hosts of ["*", '["orion.example.com", "127.0.0.1"]', "${PUBLIC_URL.host} x", "a,127.0.0.1"])
    expect(settingsOf("mvp", { app: { environment: { ALLOWED_HOSTS: hosts } } }).app.environment).toHaveProperty(
      "ALLOWED_HOSTS",
    );
});

test("a value may contain what only another phase, a secret or a provider brings: the file is also that of a rehearsal", () => {
  const environment = { A: "${DATABASE_REPLICA_URL}", B: "${SENTRY_DSN}", C: "${SMTP_HOST}", D: "${R2_BUCKET}" };
  expect(settingsOf("development", { app: { environment } }).app.environment).toEqual(environment);
});

test("variables that a provider's URL may ask for are the stack's own with an external database", () => {
  const own = { app: { environment: { PGSSLMODE: "require" } } };
  expect(settingsOf("mvp", { ...own, database: { mode: "external" } }, ["databaseUrl"]).app.environment).toEqual({
    PGSSLMODE: "require",
  });
});
