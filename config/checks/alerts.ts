/** Checks that alerts can be delivered. Pure. */
import type { Settings } from "../schema.ts";

/** @returns the problems, one line each */
export function checkAlerts({ alerts, email }: Pick<Settings, "alerts" | "email">): string[] {
  if (alerts.email === undefined || email.backend === "smtp") return [];
  return [
    `orion:alerts.email: got "${alerts.email}", but servers send alerts by SMTP only and orion:email.backend is ` +
      `${email.backend}; remove it and set a webhook: pulumi config set --secret alertWebhook https://...`,
  ];
}
