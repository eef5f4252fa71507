/** Checks that the values of `orion:app.environment` contain variables that the stack has, and that neither it nor `orion:app.secrets` sets a variable that the program sets. Pure. */
import { nearest } from "../../common/nearest.ts";
import { didYouMean, line } from "../line.ts";
import type { Settings } from "../schema.ts";
import { misspeltIn, namesIn, unknownPartsIn, urlParts } from "../template.ts";

const leaveOut = (why: string): string => `leave it out: ${why}`;

/** The variables that the program sets, with what to do instead of setting them. */
export const reservedVariables: Readonly<Record<string, string>> = {
  ...{ PUBLIC_URL: "use orion:domain", INSTANCE_NAME: leaveOut("each instance has its own") },
  ...{ DATABASE_URL: "use the secret orion:databaseUrl with orion:database.mode external" },
  ...{ DATABASE_DIRECT_URL: "it follows from orion:database" },
  ...{ DATABASE_REPLICA_URL: "use orion:database.availability" },
  ...{
    DATABASE_POOL_SIZE: "use orion:database.maxConnections",
    DATABASE_MAX_OVERFLOW: "use orion:database.maxConnections",
  },
  ...{ REDIS_URL: "use the secret orion:redisUrl with orion:cache.mode external" },
  ...{ FEATURE_FLAGS_URL: "use the secret orion:redisUrl with orion:cache.mode external" },
  ...{ CELERY_BROKER_URL: "use the secret orion:brokerUrl with orion:cache.mode external" },
  ...{ CELERY_RESULT_BACKEND: "use the secret orion:brokerUrl with orion:cache.mode external" },
  ...{ CELERY_TASK_TIME_LIMIT: leaveOut("a worker that is stopped is given as long") },
  ...{ SECRET_KEY: leaveOut("it is generated, and sessions are signed with it") },
  ...{ CLOUDFLARE_ENABLED: "use orion:cloudflare.enabled", SENTRY_DSN: "use the secret orion:sentryDsn" },
  ...{ STRIPE_SECRET_KEY: "use the secret orion:stripeSecretKey" },
  ...{ STRIPE_WEBHOOK_SECRET: "use the secret orion:stripeWebhookSecret" },
  ...{
    EMAIL_BACKEND: "use orion:email.backend",
    EMAIL_FROM: "use orion:email.from",
    SMTP_HOST: "use orion:email.smtpHost",
  },
  ...{ SMTP_PORT: "use orion:email.smtpPort", SMTP_USER: "use orion:email.smtpUser" },
  ...{ SMTP_PASSWORD: "use the secret orion:smtpPassword", MAILGUN_DOMAIN: "use orion:email.mailgunDomain" },
  ...{ SENDGRID_API_KEY: "use the secret orion:emailApiKey", MAILGUN_API_KEY: "use the secret orion:emailApiKey" },
  ...{ SES_REGION: "use orion:email.sesRegion", SES_ACCESS_KEY_ID: "use orion:email.sesAccessKeyId" },
  ...{ SES_SECRET_ACCESS_KEY: "use the secret orion:emailApiKey" },
  ...{ STORAGE_BACKEND: "use orion:storage.backend", UPLOAD_DIR: "use orion:storage.backend local" },
  ...{ R2_ENDPOINT_URL: "use orion:storage.endpoint", R2_BUCKET: "use orion:storage.bucket" },
  ...{ R2_ACCESS_KEY_ID: leaveOut("it is generated"), R2_SECRET_ACCESS_KEY: leaveOut("it is generated") },
  ...{ R2_PUBLIC_URL: "use orion:storage.customDomain", FLOWER_BASIC_AUTH: leaveOut("it is generated") },
  ...{ TASK_API_TOKEN: leaveOut("it is generated: pulumi stack output taskApiToken --show-secrets") },
};

const verified = leaveOut("clients verify the stack's own PostgreSQL with it");

/** Variables that the program sets where clients verify the stack's own PostgreSQL: elsewhere a stack may set them. */
const verifyingVariables: Readonly<Record<string, string>> = {
  ...{ PGSSLMODE: verified, PGSSLROOTCERT: verified, PGCHANNELBINDING: verified },
};

/** Whether processes reach the stack's own PostgreSQL, or poolers in front of it. */
const reachesOwn = ({ mode, movable, pooler }: Settings["database"]): boolean =>
  mode === "provision" || (movable && pooler);

/** Variables that the program sets and that a stack may replace: docs/image.md says so of each. */
export const replaceableVariables: readonly string[] = ["ENVIRONMENT", "ALLOWED_HOSTS", "SSL_CERT_FILE"];

/** Variables that no stack with these settings may set, with what to do instead. */
export const reservedIn = ({ hosting, database }: Settings): Readonly<Record<string, string>> =>
  hosting !== "local" && reachesOwn(database) ? { ...reservedVariables, ...verifyingVariables } : reservedVariables;

/** Variables that only one kind of process has, or each with a value of its own. */
const ofOneProcess: ReadonlySet<string> = new Set(["INSTANCE_NAME", "TASK_API_TOKEN", "FLOWER_BASIC_AUTH"]);

/** Variables of Celery, which a stack without workers does not have. */
const ofCelery: ReadonlySet<string> = new Set(["CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "CELERY_TASK_TIME_LIMIT"]);

/**
 * The variables that the values of `orion:app.environment` may contain. Those that only some phases or a secret bring are among them,
 * because a stack's file is also that of its rehearsal and of its other phases; where they are missing, so is the value.
 */
export const variablesIn = ({ app, workers }: Settings): readonly string[] => [
  ...Object.keys(reservedVariables).filter(
    (name) => !ofOneProcess.has(name) && (workers.enabled || !ofCelery.has(name)),
  ),
  ...app.secrets,
];

/** @returns the problems, one line each; values that may be secrets are not repeated */
export function checkEnvironment(settings: Settings): string[] {
  const { environment, secrets } = settings.app;
  const instead = reservedIn(settings);
  const reserved = (section: string, names: readonly string[]): string[] =>
    names.flatMap((name) => {
      const other = Object.hasOwn(instead, name) ? instead[name] : undefined;
      return other === undefined
        ? []
        : [line(`app.${section}.${name}`, "a value", `variables that the program does not set; ${other}`)];
    });
  const contained = variablesIn(settings);
  return [
    ...Object.entries(environment).flatMap(([name, text]) =>
      namesIn(text)
        .filter((other) => !contained.includes(other))
        .map((other) => {
          const allowed = `variables that the program sets, and orion:app.secrets${didYouMean(nearest(other, contained))}; a dollar sign is $$`;
          return line(`app.environment.${name}`, `\${${other}}`, allowed);
        }),
    ),
    ...checkAllowedHosts(settings),
    ...Object.entries(environment).flatMap(([name, text]) =>
      misspeltIn(text).map((part) =>
        line(`app.environment.${name}`, part, "a variable such as ${DATABASE_URL}, in capitals; a dollar sign is $$"),
      ),
    ),
    ...Object.entries(environment).flatMap(([name, text]) =>
      unknownPartsIn(text).map((part) =>
        line(`app.environment.${name}`, part, `a part of a URL: ${urlParts.join(", ")}`),
      ),
    ),
    ...reserved("environment", Object.keys(environment)),
    ...reserved("secrets", secrets),
    ...secrets
      .filter((name) => name in environment)
      .map((name) => `orion:app.environment.${name}: is set in orion:app.secrets as well; leave one of them out`),
  ];
}

/** An app that answers for these names alone would refuse its own health check, and no container would become healthy. */
function checkAllowedHosts({ hosting, app: { environment } }: Settings): string[] {
  const hosts = environment["ALLOWED_HOSTS"];
  if (hosting === "local" || hosts === undefined || namesIn(hosts).length > 0) return [];
  // Frameworks take a list in one of several forms: with commas, with spaces, as JSON.
  if (hosts.split(/[\s,"'[\]]+/).some((host) => host === "*" || host === "127.0.0.1")) return [];
  return [
    line("app.environment.ALLOWED_HOSTS", hosts, "a list with 127.0.0.1, at which an app's own health check asks it"),
  ];
}
