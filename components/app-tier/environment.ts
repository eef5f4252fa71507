/** Builds the environment variables of the app's image, which its workers share. */
import type * as pulumi from "@pulumi/pulumi";
import type { SecretKey, Settings } from "../../config/schema.ts";
import type { Pool } from "../../topology/budget.ts";

export type AppEnvironment = Readonly<Record<string, pulumi.Input<string>>>;

export interface Connections {
  readonly databaseUrl: pulumi.Input<string>;
  /** URL of a replica to read from. @default - no replica */
  readonly databaseReplicaUrl?: pulumi.Input<string>;
  /** Sessions and rate limits. */
  readonly redisUrl: pulumi.Input<string>;
  readonly brokerUrl: pulumi.Input<string>;
  readonly resultBackendUrl: pulumi.Input<string>;
  readonly flagsUrl: pulumi.Input<string>;
  /** The key that signs sessions. */
  readonly secretKey: pulumi.Input<string>;
  /** Connection pool of each process of the app. @default - the image's own defaults */
  readonly pool?: Pool;
}

/**
 * Environment variables for the app and its workers.
 *
 * @param storage what the storage component adds
 * @param secret the stack's secrets by name; those that it does not set are left out
 */
export function appEnvironment(
  settings: Settings,
  connections: Connections,
  storage: AppEnvironment,
  secret: (key: SecretKey) => pulumi.Input<string> | undefined,
): AppEnvironment {
  return defined({
    ENVIRONMENT: settings.hosting === "local" ? "development" : "production",
    DATABASE_URL: connections.databaseUrl,
    DATABASE_REPLICA_URL: connections.databaseReplicaUrl,
    DATABASE_POOL_SIZE: numeral(connections.pool?.size),
    DATABASE_MAX_OVERFLOW: numeral(connections.pool?.overflow),
    REDIS_URL: connections.redisUrl,
    CELERY_BROKER_URL: connections.brokerUrl,
    CELERY_RESULT_BACKEND: connections.resultBackendUrl,
    FEATURE_FLAGS_URL: connections.flagsUrl,
    SECRET_KEY: connections.secretKey,
    PUBLIC_URL: publicUrl(settings),
    CLOUDFLARE_ENABLED: String(settings.cloudflare.enabled),
    SENTRY_DSN: secret("sentryDsn"),
    STRIPE_SECRET_KEY: secret("stripeSecretKey"),
    STRIPE_WEBHOOK_SECRET: secret("stripeWebhookSecret"),
    ...emailEnvironment(settings, secret),
    ...storage,
    ...settings.app.environment,
  });
}

/** The URL at which visitors reach the platform. */
function publicUrl({ hosting, domain, services, ports, edge }: Settings): string {
  if (hosting === "local" || domain === undefined) {
    return `http://127.0.0.1:${services.includes("edge") ? ports.edge : ports.app}`;
  }
  return `${edge.tls === "none" ? "http" : "https"}://${domain}`;
}

const numeral = (value: number | undefined): string | undefined => (value === undefined ? undefined : String(value));

function emailEnvironment(
  { email }: Settings,
  secret: (key: SecretKey) => pulumi.Input<string> | undefined,
): Record<string, pulumi.Input<string> | undefined> {
  const common = { EMAIL_BACKEND: email.backend, EMAIL_FROM: email.from };
  const apiKey = secret("emailApiKey");
  switch (email.backend) {
    case "console":
      return common;
    case "smtp":
      return {
        ...common,
        SMTP_HOST: email.smtpHost,
        SMTP_PORT: numeral(email.smtpPort),
        SMTP_USER: email.smtpUser,
        SMTP_PASSWORD: secret("smtpPassword"),
      };
    case "sendgrid":
      return { ...common, SENDGRID_API_KEY: apiKey };
    case "mailgun":
      return { ...common, MAILGUN_DOMAIN: email.mailgunDomain, MAILGUN_API_KEY: apiKey };
    case "ses":
      return {
        ...common,
        SES_REGION: email.sesRegion,
        SES_ACCESS_KEY_ID: email.sesAccessKeyId,
        SES_SECRET_ACCESS_KEY: apiKey,
      };
  }
}

function defined(from: Record<string, pulumi.Input<string> | undefined>): AppEnvironment {
  return Object.fromEntries(
    Object.entries(from).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
