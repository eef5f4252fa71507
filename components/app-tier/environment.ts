/** Builds the environment variables of the platform's image, for each kind of process what it needs. */
import * as pulumi from "@pulumi/pulumi";
import { taskTimeLimitSeconds } from "../../common/app-contract.ts";
import { sortedByName } from "../../common/record.ts";
import { publicUrl, servedNames } from "../../config/host-names.ts";
import type { SecretName, Settings } from "../../config/schema.ts";
import { filledIn, namesIn } from "../../config/template.ts";
import type { Pool } from "../../topology/pools.ts";

export type AppEnvironment = Readonly<Record<string, pulumi.Input<string>>>;

export interface Connections {
  readonly databaseUrl: pulumi.Input<string>;
  /** URL of the primary itself, without a pooler. */
  readonly databaseDirectUrl: pulumi.Input<string>;
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

/** A secret of the stack by its name; undefined for one that it does not set. */
type Secrets = (name: SecretName) => pulumi.Input<string> | undefined;

/**
 * Environment variables for the app, its workers and the release.
 *
 * @param storage what the storage component adds
 */
export function appEnvironment(
  settings: Settings,
  connections: Connections,
  storage: AppEnvironment,
  secret: Secrets,
): AppEnvironment {
  const own = settings.app.secrets.map((name) => [name, secret(`app.secrets.${name}`)] as const);
  const known = defined({
    ENVIRONMENT: environmentName(settings),
    DATABASE_URL: connections.databaseUrl,
    DATABASE_DIRECT_URL: connections.databaseDirectUrl,
    DATABASE_REPLICA_URL: connections.databaseReplicaUrl,
    DATABASE_POOL_SIZE: numeral(connections.pool?.size),
    DATABASE_MAX_OVERFLOW: numeral(connections.pool?.overflow),
    REDIS_URL: connections.redisUrl,
    ...(settings.workers.enabled && {
      CELERY_BROKER_URL: connections.brokerUrl,
      CELERY_RESULT_BACKEND: connections.resultBackendUrl,
      CELERY_TASK_TIME_LIMIT: String(taskTimeLimitSeconds),
    }),
    FEATURE_FLAGS_URL: connections.flagsUrl,
    SECRET_KEY: connections.secretKey,
    PUBLIC_URL: publicUrl(settings),
    CLOUDFLARE_ENABLED: String(settings.cloudflare.enabled),
    SENTRY_DSN: secret("sentryDsn"),
    STRIPE_SECRET_KEY: secret("stripeSecretKey"),
    STRIPE_WEBHOOK_SECRET: secret("stripeWebhookSecret"),
    ...emailEnvironment(settings, secret),
    ...storage,
    ...Object.fromEntries(own),
  });
  return { ...known, ...ownVariables(settings, known) };
}

/**
 * The stack's own variables, sorted: another order in the file would replace every container that has them. One that contains a
 * variable which this process does not know is left out.
 */
function ownVariables({ app }: Settings, known: AppEnvironment): AppEnvironment {
  return Object.fromEntries(
    sortedByName(app.environment).flatMap(([name, text]) => {
      const contained = namesIn(text);
      if (!contained.every((other) => other in known)) return [];
      const values = Object.fromEntries(contained.map((other) => [other, known[other] ?? ""]));
      return [[name, contained.length === 0 ? filledIn(text, {}) : filled(text, values)]];
    }),
  );
}

const filled = (text: string, values: AppEnvironment): pulumi.Output<string> =>
  pulumi.output(values).apply((plain) => filledIn(text, plain));

/** Environment variables for Beat and Flower: they only talk to the broker, so that they know none of the other secrets. */
export const brokerEnvironment = (
  settings: Settings,
  { brokerUrl, resultBackendUrl }: Pick<Connections, "brokerUrl" | "resultBackendUrl">,
): AppEnvironment => {
  const known = {
    ENVIRONMENT: environmentName(settings),
    CELERY_BROKER_URL: brokerUrl,
    CELERY_RESULT_BACKEND: resultBackendUrl,
  };
  return { ...known, ...ownVariables(settings, known) };
};

/**
 * `ALLOWED_HOSTS` of an app on servers: the host names that it answers, and the address that its health check asks. The edge passes on
 * requests for these names alone; this protects an app that is reached without the edge. In a local stack any name is fine.
 */
export const allowedHosts = (settings: Settings): Readonly<Record<string, string>> =>
  settings.hosting === "local" || settings.domain === undefined
    ? {}
    : { ALLOWED_HOSTS: [...servedNames(settings), "127.0.0.1"].join(",") };

const environmentName = ({ hosting }: Settings): string => (hosting === "local" ? "development" : "production");

const numeral = (value: number | undefined): string | undefined => (value === undefined ? undefined : String(value));

function emailEnvironment({ email }: Settings, secret: Secrets): Record<string, pulumi.Input<string> | undefined> {
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
