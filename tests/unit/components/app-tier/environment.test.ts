/** The app's environment variables, by what a stack sets. */
import * as pulumi from "@pulumi/pulumi";
import { reservedVariables } from "../../../../config/checks/environment.ts";
import { allowedHosts, appEnvironment, brokerEnvironment } from "../../../../components/app-tier/environment.ts";
import type { Phase } from "../../../../config/schema.ts";
import { settingsOf } from "../../support/settings.ts";

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

test("a stack can replace none of the variables that the program sets, but for the name of its environment", () => {
  const url = "url";
  const connections = {
    ...{
      databaseUrl: url,
      databaseDirectUrl: url,
      databaseReplicaUrl: url,
      redisUrl: url,
      brokerUrl: url,
      resultBackendUrl: url,
    },
    ...{ flagsUrl: url, secretKey: "key", pool: { size: 1, overflow: 1 } },
  };
  const emails = [
    { backend: "smtp", smtpHost: "a.example.com", smtpPort: 587, smtpUser: "me", from: "a@example.com" },
    { backend: "sendgrid" },
    { backend: "mailgun", mailgunDomain: "mg.example.com" },
    { backend: "ses", sesRegion: "eu-central-1", sesAccessKeyId: "AKIA0123456789ABCDEF" },
  ];
  const set = emails.flatMap((email) =>
    Object.keys(appEnvironment(settingsOf("mvp", { email }, ["emailApiKey"]), connections, {}, () => "secret")),
  );
  expect([...new Set(set)].filter((name) => !(name in reservedVariables))).toEqual(["ENVIRONMENT"]);
});
