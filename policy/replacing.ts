/**
 * The inputs whose change makes a provider replace a resource instead of updating it, for every type that the program uses.
 * tests/contract/replacing.test.ts compares them with the plugins. Pure.
 */
import type { Recorded } from "./graph.ts";

/** Without `mounts`: the provider records another folder in the state, but does nothing. */
const container = [
  ...[
    "capabilities",
    "command",
    "devices",
    "entrypoints",
    "envs",
    "hostname",
    "hosts",
    "image",
    "labels",
    "logDriver",
    "logOpts",
  ],
  ...["name", "networkMode", "networksAdvanced", "ports", "privileged", "readOnly", "securityOpts"],
  ...["shmSize", "stopSignal", "stopTimeout", "sysctls", "ulimits", "uploads", "user", "volumes", "workingDir"],
];

/** By type. A type without an entry is always updated in place. */
export const replacingInputs: Readonly<Record<string, readonly string[]>> = {
  "cloudflare:index/accountToken:AccountToken": ["accountId"],
  "cloudflare:index/botManagement:BotManagement": ["zoneId"],
  "cloudflare:index/dnsRecord:DnsRecord": ["zoneId"],
  "cloudflare:index/originCaCertificate:OriginCaCertificate": ["csr", "hostnames", "requestType", "requestedValidity"],
  "cloudflare:index/r2Bucket:R2Bucket": ["accountId", "name", "jurisdiction", "location"],
  "cloudflare:index/r2BucketCors:R2BucketCors": ["accountId", "bucketName", "jurisdiction"],
  "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle": ["accountId", "bucketName", "jurisdiction"],
  "cloudflare:index/r2BucketLock:R2BucketLock": ["accountId", "bucketName", "jurisdiction"],
  "cloudflare:index/r2CustomDomain:R2CustomDomain": ["accountId", "bucketName", "domain", "jurisdiction", "zoneId"],
  "cloudflare:index/ruleset:Ruleset": ["accountId", "zoneId", "kind", "phase"],
  "cloudflare:index/zoneSetting:ZoneSetting": ["zoneId", "settingId"],
  "docker:index/container:Container": container,
  "docker:index/network:Network": ["driver", "internal", "ipamConfigs", "labels", "name", "options"],
  "docker:index/remoteImage:RemoteImage": ["name", "platform", "pullTriggers", "triggers"],
  "docker:index/volume:Volume": ["driver", "driverOpts", "labels", "name"],
  "hcloud:index/firewallAttachment:FirewallAttachment": ["firewallId"],
  "hcloud:index/loadBalancer:LoadBalancer": ["location", "networkZone"],
  "hcloud:index/loadBalancerNetwork:LoadBalancerNetwork": ["ip", "loadBalancerId", "networkId", "subnetId"],
  "hcloud:index/loadBalancerService:LoadBalancerService": ["listenPort", "loadBalancerId", "protocol"],
  "hcloud:index/loadBalancerTarget:LoadBalancerTarget": ["ip", "labelSelector", "loadBalancerId", "serverId"],
  "hcloud:index/network:Network": ["ipRange"],
  "hcloud:index/networkSubnet:NetworkSubnet": ["ipRange", "networkId", "networkZone", "type", "vswitchId"],
  "hcloud:index/primaryIp:PrimaryIp": ["location", "type"],
  "hcloud:index/server:Server": ["image", "location", "sshKeys", "userData"],
  "hcloud:index/serverNetwork:ServerNetwork": ["ip", "networkId", "serverId", "subnetId"],
  "hcloud:index/sshKey:SshKey": ["publicKey"],
  "hcloud:index/volume:Volume": ["location"],
  "hcloud:index/volumeAttachment:VolumeAttachment": ["serverId", "volumeId"],
  "orion:index:HostFiles": ["host"],
  "orion:index:ServerDrain": ["host"],
  "random:index/randomBytes:RandomBytes": ["keepers", "length"],
  "random:index/randomPassword:RandomPassword": ["keepers", "length", "special"],
  "tls:index/certRequest:CertRequest": ["dnsNames", "ipAddresses", "privateKeyPem", "subject", "uris"],
  "tls:index/locallySignedCert:LocallySignedCert": [
    ...["allowedUses", "caCertPem", "caPrivateKeyPem", "certRequestPem", "isCaCertificate", "setSubjectKeyId"],
    ...["validityPeriodHours"],
  ],
  "tls:index/privateKey:PrivateKey": ["algorithm", "ecdsaCurve", "rsaBits"],
  "tls:index/selfSignedCert:SelfSignedCert": [
    ...["allowedUses", "dnsNames", "ipAddresses", "isCaCertificate", "privateKeyPem", "subject", "uris"],
    ...["setAuthorityKeyId", "setSubjectKeyId", "validityPeriodHours"],
  ],
};

/** The inputs of a resource whose change replaces it, by its provider's rules and by its own options. */
export const isReplacing = ({ type, options }: Recorded, input: string): boolean =>
  replacingInputs[type]?.includes(input) === true || options.replaceOnChanges?.includes(input) === true;
