/** The schema of a stack's settings. It is strict: a misspelled key is an error, never a silent default. */
import { z } from "zod";
import { admin } from "./sections/admin.ts";
import { alerts } from "./sections/alerts.ts";
import { app } from "./sections/app.ts";
import { backups } from "./sections/backups.ts";
import { cache } from "./sections/cache.ts";
import { cloudflare } from "./sections/cloudflare.ts";
import { database } from "./sections/database.ts";
import { edge } from "./sections/edge.ts";
import { email } from "./sections/email.ts";
import { gateway } from "./sections/gateway.ts";
import { hetzner } from "./sections/hetzner.ts";
import { images } from "./sections/images.ts";
import { monitoring } from "./sections/monitoring.ts";
import { ports } from "./sections/ports.ts";
import { rehearsal } from "./sections/rehearsal.ts";
import { storage } from "./sections/storage.ts";
import { topLevel } from "./sections/top-level.ts";
import { workers } from "./sections/workers.ts";

export { type OptionalService, optionalServices, type Phase, phases } from "./sections/top-level.ts";
export { internalPaths } from "./sections/edge.ts";
export { locations } from "./sections/hetzner.ts";

export const settingsSchema = z.strictObject({
  ...topLevel,
  ...{ ports, images, app, workers, database, cache, gateway, monitoring, edge, storage, cloudflare, hetzner, admin },
  ...{ email, alerts, backups, rehearsal },
});

/** All settings of a stack, with every default filled in; holds no secret. */
export type Settings = Chosen & {
  /** Address of the Docker Engine of a local stack. */
  readonly dockerHost: string;
};
/** What a stack and the preset of its phase say: not yet what follows from other settings and from this machine. */
export type Chosen = z.infer<typeof settingsSchema>;
/** What an account at Hetzner may have of each kind. */
export type Limits = NonNullable<Settings["hetzner"]["limits"]>;

/**
 * Configuration keys whose values are secrets, with their meaning: set with `pulumi config set --secret`, never part of
 * {@link Settings}.
 */
export const secretMeanings = {
  registryPassword: "Password of `orion:images.login`.",
  databaseUrl: "Address of the PostgreSQL of `database.mode: external`.",
  redisUrl: "Address of the cache of `cache.mode: external`.",
  brokerUrl: "Address of the broker of `cache.mode: external`.",
  sentryDsn: "The project at Sentry that the app reports its errors to.",
  smtpPassword: "Password at the SMTP server of `orion:email`.",
  emailApiKey: "Key of SendGrid or Mailgun, or the secret of the access key for Amazon SES.",
  stripeSecretKey: "Stripe's secret key.",
  stripeWebhookSecret: "Stripe's signing secret of its webhooks.",
  alertWebhook: "URL that gets each alert by POST: a failed backup, restore drill or renewal of the certificate.",
  backupHeartbeat:
    "URL that is called after each good backup, of a service that raises an alarm when a call is missing.",
  drillHeartbeat: "URL that is called after each good restore drill, of the same kind of service.",
} as const;
export type SecretKey = keyof typeof secretMeanings;
export const secretKeys = Object.keys(secretMeanings) as readonly SecretKey[];

/** A secret of a stack: one that the program knows, or one of the image's own, of `orion:app.secrets`. */
export type SecretName = SecretKey | `app.secrets.${string}`;
