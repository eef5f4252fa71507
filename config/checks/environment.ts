/** Checks that `orion:app.environment` sets no variable that the program sets. Pure. */
import { line } from "../line.ts";

/** The variables that the program sets, each with the setting to use instead. */
export const reservedVariables: Readonly<Record<string, string>> = {
  ...{ PUBLIC_URL: "orion:domain", INSTANCE_NAME: "nothing: each instance has its own" },
  ...{ DATABASE_URL: "the secret orion:databaseUrl with orion:database.mode external" },
  ...{ DATABASE_REPLICA_URL: "orion:database.availability" },
  ...{ DATABASE_POOL_SIZE: "orion:database.maxConnections", DATABASE_MAX_OVERFLOW: "orion:database.maxConnections" },
  ...{ REDIS_URL: "the secret orion:redisUrl with orion:cache.mode external" },
  ...{ FEATURE_FLAGS_URL: "the secret orion:redisUrl with orion:cache.mode external" },
  ...{ CELERY_BROKER_URL: "the secret orion:brokerUrl with orion:cache.mode external" },
  ...{ CELERY_RESULT_BACKEND: "the secret orion:brokerUrl with orion:cache.mode external" },
  ...{ SECRET_KEY: "nothing: it is generated, and sessions are signed with it" },
  ...{ CLOUDFLARE_ENABLED: "orion:cloudflare.enabled", SENTRY_DSN: "the secret orion:sentryDsn" },
  ...{ STRIPE_SECRET_KEY: "the secret orion:stripeSecretKey" },
  ...{ STRIPE_WEBHOOK_SECRET: "the secret orion:stripeWebhookSecret" },
  ...{ EMAIL_BACKEND: "orion:email.backend", EMAIL_FROM: "orion:email.from", SMTP_HOST: "orion:email.smtpHost" },
  ...{ SMTP_PORT: "orion:email.smtpPort", SMTP_USER: "orion:email.smtpUser" },
  ...{ SMTP_PASSWORD: "the secret orion:smtpPassword", MAILGUN_DOMAIN: "orion:email.mailgunDomain" },
  ...{ SENDGRID_API_KEY: "the secret orion:emailApiKey", MAILGUN_API_KEY: "the secret orion:emailApiKey" },
  ...{ SES_REGION: "orion:email.sesRegion", SES_ACCESS_KEY_ID: "orion:email.sesAccessKeyId" },
  ...{ SES_SECRET_ACCESS_KEY: "the secret orion:emailApiKey" },
  ...{ STORAGE_BACKEND: "orion:storage.backend", UPLOAD_DIR: "orion:storage.backend local" },
  ...{ R2_ENDPOINT_URL: "orion:storage.endpoint", R2_BUCKET: "orion:storage.bucket" },
  ...{ R2_ACCESS_KEY_ID: "nothing: it is generated", R2_SECRET_ACCESS_KEY: "nothing: it is generated" },
  ...{ R2_PUBLIC_URL: "orion:storage.customDomain", FLOWER_BASIC_AUTH: "nothing: it is generated" },
};

/** @returns the variables that the program sets itself, one line each; the values are not repeated, they may be secrets */
export const checkEnvironment = (environment: Readonly<Record<string, string>>): string[] =>
  Object.keys(environment).flatMap((name) => {
    const instead = reservedVariables[name];
    return instead === undefined
      ? []
      : [line(`app.environment.${name}`, "a value", `variables that the program does not set; use ${instead}`)];
  });
