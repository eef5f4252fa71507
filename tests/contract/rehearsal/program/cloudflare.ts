import * as pulumi from "@pulumi/pulumi";
import * as cf from "@pulumi/cloudflare";
import * as tls from "@pulumi/tls";
const c = new pulumi.Config();
const v2 = c.getBoolean("v2") ?? false;
const accountId = "0".repeat(32);
const zone = cf.getZoneOutput({ filter: { name: "example.com" } });
const biz = cf.getZoneOutput({ filter: { name: "biz.example" } });
const zoneId = zone.id;
const www = new cf.DnsRecord("www", {
  zoneId,
  name: "www.example.com",
  type: "A",
  content: v2 ? "192.0.2.2" : "192.0.2.1",
  ttl: 1,
  proxied: true,
  comment: v2 ? undefined : "hi",
});
new cf.DnsRecord("mx", {
  zoneId,
  name: "example.com",
  type: "MX",
  content: "mail.example.com",
  ttl: 300,
  priority: 10,
});
new cf.DnsRecord("caa", {
  zoneId,
  name: "example.com",
  type: "CAA",
  ttl: 300,
  data: { flags: 0, tag: "issue", value: "letsencrypt.org" },
});
new cf.DnsRecord("cname", {
  zoneId,
  name: "alias.example.com",
  type: "CNAME",
  content: "WWW.example.com".toLowerCase(),
  ttl: 1,
  proxied: true,
  tags: ["a:b"],
  settings: { flattenCname: false },
});
new cf.Ruleset("waf", {
  zoneId,
  kind: "zone",
  name: "waf",
  phase: "http_request_firewall_custom",
  rules: [
    {
      ref: "sqli",
      action: "block",
      description: "sql",
      enabled: true,
      expression: v2
        ? `lower(http.request.uri.query) contains "union select"`
        : `http.request.uri.query contains "union"`,
    },
    ...(v2 ? [{ ref: "two", action: "managed_challenge", expression: `(cf.threat_score gt 14)` }] : []),
  ],
});
new cf.Ruleset("limit", {
  zoneId,
  kind: "zone",
  name: "limit",
  phase: "http_ratelimit",
  rules: [
    {
      ref: "login",
      action: "block",
      description: "x",
      enabled: true,
      expression: `http.request.uri.path eq "/login"`,
      ratelimit: {
        characteristics: ["cf.colo.id", "ip.src"],
        period: 10,
        requestsPerPeriod: v2 ? 20 : 10,
        mitigationTimeout: 10,
      },
    },
  ],
});
new cf.Ruleset("cache", {
  zoneId,
  kind: "zone",
  name: "cache",
  phase: "http_request_cache_settings",
  rules: [
    {
      ref: "static",
      action: "set_cache_settings",
      description: "s",
      enabled: true,
      expression: `starts_with(http.request.uri.path, "/static/")`,
      actionParameters: {
        cache: true,
        edgeTtl: { mode: "override_origin", default: 3600, statusCodeTtls: [{ statusCode: 404, value: 10 }] },
        browserTtl: { mode: "respect_origin" },
        cacheKey: { customKey: { queryString: { include: { lists: ["v"] } } } },
      },
    },
  ],
});
new cf.ZoneSetting("ssl", { zoneId, settingId: "ssl", value: "strict" });
new cf.ZoneSetting("ttl", { zoneId, settingId: "browser_cache_ttl", value: v2 ? 3600 : 14400 });
new cf.ZoneSetting("hsts", {
  zoneId,
  settingId: "security_header",
  value: {
    strict_transport_security: {
      enabled: true,
      max_age: 86400,
      include_subdomains: true,
      preload: false,
      nosniff: true,
    },
  },
});
const bucket = new cf.R2Bucket("files", {
  accountId,
  name: "orion-files",
  location: "weur",
  storageClass: "Standard",
});
new cf.R2BucketLock("lock", {
  accountId,
  bucketName: bucket.name,
  rules: [
    { id: "all", enabled: true, prefix: "kept/", condition: { type: "Age", maxAgeSeconds: v2 ? 172_800 : 86_400 } },
  ],
});
new cf.R2BucketCors("cors", {
  accountId,
  bucketName: bucket.name,
  rules: [
    {
      id: "a",
      allowed: { methods: ["GET", "PUT"], origins: ["https://example.com"], headers: ["*"] },
      maxAgeSeconds: v2 ? 100 : 50,
      exposeHeaders: ["ETag"],
    },
  ],
});
new cf.R2BucketLifecycle("lc", {
  accountId,
  bucketName: bucket.name,
  rules: [
    {
      id: "old",
      enabled: true,
      conditions: { prefix: "backups/" },
      deleteObjectsTransition: { condition: { type: "Age", maxAge: v2 ? 604800 : 86400 } },
    },
  ],
});
new cf.R2CustomDomain("domain", {
  accountId,
  bucketName: bucket.name,
  domain: "files.example.com",
  enabled: true,
  zoneId,
  minTls: v2 ? "1.3" : "1.2",
});
new cf.R2ManagedDomain("managed", { accountId, bucketName: bucket.name, enabled: v2 });
const key = new tls.PrivateKey("key", { algorithm: "RSA", rsaBits: 2048 });
const csr = new tls.CertRequest("csr", {
  privateKeyPem: key.privateKeyPem,
  subject: { commonName: "example.com" },
  dnsNames: ["example.com"],
});
const cert = new cf.OriginCaCertificate("origin", {
  csr: csr.certRequestPem,
  hostnames: v2 ? ["example.com"] : ["example.com", "*.example.com"],
  requestType: "origin-rsa",
  requestedValidity: 5475,
});
new cf.BotManagement("bots", { zoneId, sbfmDefinitelyAutomated: v2 ? "block" : "managed_challenge", enableJs: true });
new cf.TieredCache("tiered", { zoneId, value: v2 ? "off" : "on" });
new cf.ArgoTieredCaching("argo", { zoneId, value: v2 ? "off" : "on" });
new cf.ArgoSmartRouting("smart", { zoneId, value: v2 ? "off" : "on" });
new cf.RegionalTieredCache("regional", { zoneId: biz.id, value: "on" });
const monitor = new cf.LoadBalancerMonitor("m", {
  accountId,
  type: "https",
  path: "/health",
  interval: v2 ? 30 : 60,
  expectedCodes: "2xx",
  header: { Host: ["example.com"] },
  description: "d",
});
const pool = new cf.LoadBalancerPool("p", {
  accountId,
  name: "pool-1",
  monitor: monitor.id,
  origins: [
    { name: "b", address: "192.0.2.10", enabled: true, weight: v2 ? 0.5 : 1, header: { hosts: ["example.com"] } },
    { name: "a", address: "192.0.2.11" },
  ],
  originSteering: { policy: "random" },
});
new cf.LoadBalancer("lb", {
  zoneId,
  name: "lb.example.com",
  defaultPools: [pool.id],
  fallbackPool: pool.id,
  proxied: true,
  sessionAffinity: v2 ? "cookie" : "none",
  steeringPolicy: "off",
  regionPools: { WEU: [pool.id] },
});
const groups = cf.getAccountApiTokenPermissionGroupsListOutput({
  accountId,
  name: "Workers R2 Storage Bucket Item Write",
});
const token = new cf.AccountToken("r2", {
  accountId,
  name: "r2",
  policies: [
    {
      effect: "allow",
      permissionGroups: [{ id: groups.apply((g) => g.results[0]?.id ?? "") }],
      resources: pulumi.jsonStringify({ [`com.cloudflare.edge.r2.bucket.${accountId}_default_orion-files`]: "*" }),
    },
  ],
  condition: { requestIp: { ins: ["192.0.2.0/24"] } },
});
new cf.ApiToken("user", {
  name: v2 ? "u2" : "u",
  policies: [
    {
      effect: "allow",
      permissionGroups: [
        { id: cf.getApiTokenPermissionGroupsListOutput({ name: "DNS Write" }).apply((g) => g.results[0]?.id ?? "") },
      ],
      resources: JSON.stringify({ [`com.cloudflare.api.account.${accountId}`]: "*" }),
    },
  ],
});
const ck = new tls.PrivateKey("ck", { algorithm: "ECDSA", ecdsaCurve: "P256" });
const self = new tls.SelfSignedCert("self", {
  privateKeyPem: ck.privateKeyPem,
  validityPeriodHours: 100,
  allowedUses: ["client_auth"],
  subject: { commonName: "pull" },
});
const aop = new cf.AuthenticatedOriginPullsCertificate("aopc", {
  zoneId,
  certificate: self.certPem,
  privateKey: ck.privateKeyPem,
});
new cf.AuthenticatedOriginPullsSettings("aops", { zoneId, enabled: !v2 });
new cf.AuthenticatedOriginPulls("aop", {
  zoneId,
  configs: [{ hostname: "www.example.com", certId: aop.id, enabled: !v2 }],
});
export const id = www.id;
export const value = token.value;
export const tokenId = token.id;
export const certificate = cert.certificate;
export const ips = cf.getIpRangesOutput().apply((r) => r.ipv4Cidrs.length);
