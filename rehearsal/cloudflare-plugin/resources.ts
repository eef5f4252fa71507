/** Table of the supported resources: API paths, replacing properties, defaults, import ids. */
import type { Spelling } from "./shapes.ts";
import type { Values } from "./values.ts";

type Method = "POST" | "PUT" | "PATCH";

export interface ApiCall {
  readonly method: Method;
  readonly path: string;
  readonly body: Values;
}

export interface Resource {
  /** The module of its type token: `cloudflare:index/<module>:<Name>`. */
  readonly module: string;
  /** Method and path of its creation; `{property}` is filled in. */
  readonly create: { readonly method: Method; readonly path: string };
  /** Path for reading, updating and deleting it; `{id}` is the resource's id. */
  readonly item: string;
  /** @default "PUT" */
  readonly update?: Method | "none";
  /** `none`: deletion sends no call; a function: the call to send instead. @default a DELETE of the item */
  readonly delete?: "none" | ((properties: Values) => ApiCall);
  /** The name of the id in the API's answer, or a template over the properties. @default "id" */
  readonly id?: string;
  /** Parts of its import id, which are separated by slashes. */
  readonly importId: readonly string[];
  /** Inputs whose change replaces the resource. */
  readonly replaces: readonly string[];
  /** Defaults of inputs by dotted path, in which list items have no index. */
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Properties that the API does not return: their previous value is kept. */
  readonly kept?: readonly string[];
  /** Path properties that the body of a create contains as well. */
  readonly inBody?: readonly string[];
  /** Properties compared without regard to case. */
  readonly caseless?: readonly string[];
  /** Properties sent in a header, with the header's name. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Properties sent in the query string. */
  readonly query?: readonly string[];
  readonly spelling?: Spelling;
  /** Names that differ in the body of a create, by their usual name. */
  readonly createNames?: Readonly<Record<string, string>>;
  /** Form of the answer. @default "plain" */
  readonly frame?: Frame;
}

/** `plain`: an object; `first`: a list with one object. */
export type Frame = "plain" | "first";

/** A setting that every zone has: creation sets it, deletion sends no call. */
const zoneSetting = (module: string, path: string, more: Partial<Resource> = {}): Resource => ({
  module,
  create: { method: "PATCH", path: `/zones/{zoneId}${path}` },
  item: `/zones/{zoneId}${path}`,
  update: "PATCH",
  delete: "none",
  id: "{zoneId}",
  importId: ["zoneId"],
  replaces: ["zoneId"],
  ...more,
});

const token = (module: string, collection: string, owner: readonly string[]): Resource => ({
  module,
  create: { method: "POST", path: collection },
  item: `${collection}/{id}`,
  importId: [...owner, "id"],
  replaces: owner,
  kept: ["value"],
  spelling: { names: { ins: "in", notIns: "not_in" }, json: ["resources"] },
});

const bucket = "/accounts/{accountId}/r2/buckets";
const jurisdiction = {
  headers: { jurisdiction: "cf-r2-jurisdiction" },
  kept: ["jurisdiction"],
  defaults: { jurisdiction: "default" },
};

/** A setting of an R2 bucket, which a PUT creates and changes. */
const bucketSetting = (module: string, path: string, more: Partial<Resource>): Resource => ({
  module,
  create: { method: "PUT", path: `${bucket}/{bucketName}${path}` },
  item: `${bucket}/{bucketName}${path}`,
  id: "{bucketName}",
  importId: ["accountId", "bucketName", "jurisdiction"],
  replaces: ["accountId", "bucketName", "jurisdiction"],
  ...jurisdiction,
  spelling: { camel: true },
  ...more,
});

/** An object of the account's load balancing: a pool or a monitor. */
const balancingPart = (module: string, path: string, more: Partial<Resource>): Resource => ({
  module,
  create: { method: "POST", path: `/accounts/{accountId}/load_balancers${path}` },
  item: `/accounts/{accountId}/load_balancers${path}/{id}`,
  importId: ["accountId", "id"],
  replaces: ["accountId"],
  ...more,
});

export const resources: Readonly<Record<string, Resource>> = {
  DnsRecord: {
    module: "dnsRecord",
    create: { method: "POST", path: "/zones/{zoneId}/dns_records" },
    item: "/zones/{zoneId}/dns_records/{id}",
    importId: ["zoneId", "id"],
    replaces: ["zoneId"],
    defaults: { proxied: false },
    kept: ["includeShadowMetadata"],
    query: ["includeShadowMetadata"],
    spelling: { json: ["meta"] },
  },
  Ruleset: {
    module: "ruleset",
    create: { method: "POST", path: "{scope}/rulesets" },
    item: "{scope}/rulesets/{id}",
    importId: ["scopeKind", "scopeId", "id"],
    replaces: ["accountId", "zoneId", "kind", "phase"],
    defaults: { description: "", rules: [], "rules.description": "", "rules.enabled": true },
    spelling: {
      names: {
        checkPresences: "check_presence",
        includes: "include",
        lists: "list",
        statusCodeTtls: "status_code_ttl",
      },
    },
  },
  ZoneSetting: zoneSetting("zoneSetting", "/settings/{settingId}", {
    id: "{settingId}",
    importId: ["zoneId", "settingId"],
    replaces: ["zoneId", "settingId"],
  }),
  BotManagement: zoneSetting("botManagement", "/bot_management", {
    create: { method: "PUT", path: "/zones/{zoneId}/bot_management" },
    update: "PUT",
  }),
  TieredCache: {
    module: "tieredCache",
    create: { method: "POST", path: "/zones/{zoneId}/cache/tiered_cache_smart_topology_enable" },
    item: "/zones/{zoneId}/cache/tiered_cache_smart_topology_enable",
    update: "PATCH",
    id: "{zoneId}",
    importId: ["zoneId"],
    replaces: ["zoneId"],
  },
  ArgoTieredCaching: zoneSetting("argoTieredCaching", "/argo/tiered_caching"),
  ArgoSmartRouting: zoneSetting("argoSmartRouting", "/argo/smart_routing"),
  RegionalTieredCache: zoneSetting("regionalTieredCache", "/cache/regional_tiered_cache", {
    defaults: { value: "off" },
  }),
  R2Bucket: {
    module: "r2Bucket",
    create: { method: "POST", path: bucket },
    item: `${bucket}/{name}`,
    update: "PATCH",
    id: "{name}",
    importId: ["accountId", "name", "jurisdiction"],
    replaces: ["accountId", "name", "jurisdiction", "location"],
    defaults: { ...jurisdiction.defaults, storageClass: "Standard" },
    kept: jurisdiction.kept,
    inBody: ["name"],
    headers: { ...jurisdiction.headers, storageClass: "cf-r2-storage-class" },
    caseless: ["location"],
    createNames: { location: "locationHint", storage_class: "storageClass" },
  },
  R2BucketCors: bucketSetting("r2BucketCors", "/cors", {}),
  R2BucketLifecycle: bucketSetting("r2BucketLifecycle", "/lifecycle", { delete: "none" }),
  R2BucketLock: bucketSetting("r2BucketLock", "/lock", { delete: "none" }),
  R2CustomDomain: {
    module: "r2CustomDomain",
    create: { method: "POST", path: `${bucket}/{bucketName}/domains/custom` },
    item: `${bucket}/{bucketName}/domains/custom/{domain}`,
    id: "{domain}",
    importId: ["accountId", "bucketName", "domain", "jurisdiction"],
    replaces: ["accountId", "bucketName", "domain", "jurisdiction", "zoneId"],
    ...jurisdiction,
    inBody: ["domain"],
    spelling: { camel: true, names: { minTls: "minTLS" } },
  },
  R2ManagedDomain: bucketSetting("r2ManagedDomain", "/domains/managed", { delete: "none" }),
  OriginCaCertificate: {
    module: "originCaCertificate",
    create: { method: "POST", path: "/certificates" },
    item: "/certificates/{id}",
    update: "none",
    importId: ["id"],
    replaces: ["csr", "hostnames", "requestType", "requestedValidity"],
    defaults: { requestedValidity: 5475 },
    kept: ["csr"],
  },
  AuthenticatedOriginPullsSettings: zoneSetting(
    "authenticatedOriginPullsSettings",
    "/origin_tls_client_auth/settings",
    {
      create: { method: "PUT", path: "/zones/{zoneId}/origin_tls_client_auth/settings" },
      update: "PUT",
    },
  ),
  AuthenticatedOriginPullsCertificate: {
    module: "authenticatedOriginPullsCertificate",
    create: { method: "POST", path: "/zones/{zoneId}/origin_tls_client_auth" },
    item: "/zones/{zoneId}/origin_tls_client_auth/{id}",
    update: "none",
    importId: ["zoneId", "id"],
    replaces: ["zoneId", "certificate", "privateKey"],
    kept: ["privateKey"],
    spelling: { names: { certificateId: "id" } },
  },
  AuthenticatedOriginPulls: {
    module: "authenticatedOriginPulls",
    create: { method: "PUT", path: "/zones/{zoneId}/origin_tls_client_auth/hostnames" },
    item: "/zones/{zoneId}/origin_tls_client_auth/hostnames/{hostname}",
    update: "PUT",
    delete: ({ zoneId, hostname, certId }) => ({
      method: "PUT",
      path: `/zones/${String(zoneId)}/origin_tls_client_auth/hostnames`,
      body: { config: [{ hostname, cert_id: certId, enabled: null }] },
    }),
    id: "{hostname}",
    importId: ["zoneId", "hostname"],
    replaces: ["zoneId"],
    kept: ["configs", "privateKey"],
    spelling: { names: { configs: "config" } },
    frame: "first",
  },
  LoadBalancer: {
    module: "loadBalancer",
    create: { method: "POST", path: "/zones/{zoneId}/load_balancers" },
    item: "/zones/{zoneId}/load_balancers/{id}",
    importId: ["zoneId", "id"],
    replaces: ["zoneId"],
    defaults: { enabled: true, proxied: false, sessionAffinity: "none", steeringPolicy: "", "rules.disabled": false },
  },
  LoadBalancerPool: balancingPart("loadBalancerPool", "/pools", {
    defaults: { enabled: true, minimumOrigins: 1, "origins.enabled": true, "origins.weight": 1 },
    spelling: { names: { hosts: "Host" } },
  }),
  LoadBalancerMonitor: balancingPart("loadBalancerMonitor", "/monitors", {
    defaults: {
      allowInsecure: false,
      consecutiveDown: 0,
      consecutiveUp: 0,
      expectedCodes: "200",
      followRedirects: false,
      interval: 60,
      method: "GET",
      path: "/",
      retries: 2,
      timeout: 5,
      type: "http",
    },
  }),
  ApiToken: token("apiToken", "/user/tokens", []),
  AccountToken: token("accountToken", "/accounts/{accountId}/tokens", ["accountId"]),
};
