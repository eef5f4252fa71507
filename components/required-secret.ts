/** A secret that config/checks/required-settings.ts has found to be set. */
import * as pulumi from "@pulumi/pulumi";
import type { SecretKey } from "../config/schema.ts";
import type { Stack } from "./context.ts";

/** @throws {pulumi.RunError} when it is not set, with the command that sets it */
export function requiredSecret({ secret }: Stack, key: SecretKey): pulumi.Output<string> {
  const value = secret(key);
  if (value) return value;
  throw new pulumi.RunError(
    `orion:${key}: got nothing, allowed: a URL; set it with: pulumi config set --secret ${key}`,
  );
}
