/**
 * Switches that emulate reported defects of the real API and of version 5 of its Terraform provider; off by default. The
 * number is the issue of terraform-provider-cloudflare.
 */
import type { CloudflareStore } from "./state.ts";

export const quirks = {
  "dns.cname-settings": "CNAME records are returned with settings that were never set (#5858)",
  "dns.null-tags": "records without tags are returned with null instead of an empty list (#5517)",
  "ruleset.new-rule-ids": "every update of a ruleset gives all its rules new ids (#5390)",
  "ruleset.logging": "rules are returned with a logging object that was never set (#5600)",
  "zone-setting.editable": "whether a setting is editable differs between PATCH and GET (#5795)",
  "pool.sorted-origins": "a pool's origins are returned sorted by name (#6140)",
  "pool.port-zero": "origins without a port are returned with port 0 (#7329)",
  "token.fixed-groups": "an update of a token ignores its permission groups (#7125)",
  "origin-ca.no-validity": "a certificate's requested_validity is missing when it is read (#5725)",
  "origin-ca.sorted-hostnames": "a certificate's hostnames are returned sorted (#5392)",
  "r2.no-patch": "PATCH of a bucket answers 405 with code 7001 (Alos-no/Cloudflare.NET#41)",
} as const;

export type Quirk = keyof typeof quirks;

export const isQuirk = (name: string): name is Quirk => Object.hasOwn(quirks, name);

export function setQuirk(store: CloudflareStore, quirk: Quirk, on: boolean): void {
  if (on) store.put("cloudflare.quirk", quirk, { on });
  else store.delete("cloudflare.quirk", quirk);
}

export const hasQuirk = (store: CloudflareStore, quirk: Quirk): boolean =>
  store.get("cloudflare.quirk", quirk)?.on === true;
