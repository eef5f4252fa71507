/** The context that every part of the platform is created from: settings, plan, secrets and Docker Engines of the stack. */
import type * as pulumi from "@pulumi/pulumi";
import type { SecretName, Settings } from "../config/schema.ts";
import type { Topology } from "../topology/topology.ts";
import type { Authority } from "./authority/authority.ts";
import type { CloudflareAccess } from "./ingress/cloudflare/origin-pulls.ts";
import type { Runtimes } from "./runtimes.ts";

export interface Stack {
  readonly settings: Settings;
  readonly topology: Topology;
  /** The stack's secrets by name; undefined for one that it does not set. */
  readonly secret: (name: SecretName) => pulumi.Output<string> | undefined;
  /** @default - Cloudflare is not asked when a certificate is in use */
  readonly cloudflareAccess?: CloudflareAccess | undefined;
}

export interface Context extends Stack {
  readonly runtimes: Runtimes;
  /** Signs the certificates of data services; undefined with a local Docker Engine, where nothing leaves the machine. */
  readonly authority: Authority | undefined;
  /** The component that all parts belong to. */
  readonly parent: pulumi.Resource;
}
