/** The components that live at Cloudflare, as a stack of phase mvp or later makes them. */
import * as pulumi from "@pulumi/pulumi";
import { CloudflareZone } from "../../../../components/ingress/cloudflare/zone.ts";
import { HostName } from "../../../../components/ingress/host-name.ts";
import { Storage } from "../../../../components/storage/storage.ts";
import { loadCloudflareAccess } from "../../../../config/load.ts";
import type { Settings } from "../../../../config/schema.ts";

const config = new pulumi.Config();
/** `orion:domain`, and the names of `orion:domains`. */
const [domain = "", ...others] = (config.get("names") ?? "orion.example.com").split(" ");
const custom = config.getBoolean("custom") ?? false;

const zone = new CloudflareZone("cloudflare-example.com", {
  zone: "example.com",
  hostnames: [domain, ...others],
  first: domain,
  plan: config.require<Settings["cloudflare"]["plan"]>("plan"),
  certificate: true,
  access: loadCloudflareAccess(),
});
for (const hostname of [domain, ...others]) {
  const args = { zone, hostname, isFirst: hostname === domain, address: config.require("address") };
  new HostName(`hostname-${hostname}`, args);
}
const storage = new Storage("storage", {
  backend: "r2",
  accountId: "0".repeat(32),
  bucket: "orion-files",
  endpoint: "https://files.example.net",
  lockDays: 14,
  pages: [domain],
  ...(custom && { custom: { domain: "files.example.com", zone: "example.com" } }),
});

export const certificate = zone.certificates.get(domain);
export const { environment, backups } = storage;
