/** The components that live at Cloudflare, as a stack of phase mvp or later makes them. */
import * as pulumi from "@pulumi/pulumi";
import { CloudflareZone } from "../../../../components/ingress/cloudflare/zone.ts";
import { HostName } from "../../../../components/ingress/host-name.ts";
import { Storage } from "../../../../components/storage/storage.ts";
import { loadCloudflareAccess } from "../../../../config/load.ts";
import type { Settings } from "../../../../config/schema.ts";

const config = new pulumi.Config();
const domain = "orion.example.com";
const custom = config.getBoolean("custom") ?? false;

const zone = new CloudflareZone("cloudflare", {
  zone: "example.com",
  domain,
  plan: config.require<Settings["cloudflare"]["plan"]>("plan"),
  certificate: true,
  access: loadCloudflareAccess(),
});
new HostName("hostname", { zone, domain, address: config.require("address") });
const storage = new Storage("storage", {
  backend: "r2",
  accountId: "0".repeat(32),
  bucket: "orion-files",
  endpoint: "https://files.example.net",
  lockDays: 14,
  domain,
  ...(custom && { custom: { domain: "files.example.com", zone: "example.com" } }),
});

export const { url, certificate } = zone;
export const { environment, backups } = storage;
