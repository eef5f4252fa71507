/** Authenticated origin pulls: the API's routes, and the client certificate that the edge presents to a zone's origins. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { CertificateAuthority } from "./authority.ts";
import { settingOf } from "./settings.ts";
import { x509 } from "./x509.ts";
import type { Json } from "../json.ts";
import { isText, omit, requireBoolean, requireRecords, requireText } from "./body.ts";
import { ApiError } from "./envelope.ts";
import type { Routes } from "./routes.ts";
import { ownedBy, type Zone } from "./state.ts";
import type { World } from "./world.ts";

const certificates = "cloudflare.client-certificate";
const hostnames = "cloudflare.client-hostname";
const base = "/origin_tls_client_auth";

/** Milliseconds until an uploaded certificate is in use; at the real Cloudflare it is a few minutes. */
const deploymentTime = 4000;

export function registerOriginPulls(routes: Routes, world: World): void {
  const { store } = world;
  const settings = (zone: Zone): Json =>
    store.get("cloudflare.setting", `${zone.id}/origin-pulls`)?.value ?? { enabled: false };
  routes.zone("GET", `${base}/settings`, ({ zone }) => settings(zone));
  routes.zone("PUT", `${base}/settings`, ({ zone, body }) => {
    const value = { enabled: requireBoolean(body, "enabled", 1400) };
    store.put("cloudflare.setting", `${zone.id}/origin-pulls`, { owner: zone.id, value });
    return value;
  });

  const shown = (certificate: Json): Json => ({
    ...omit(certificate, ["private_key"]),
    status: isDeployed(world, certificate) ? "active" : "pending_deployment",
  });
  const find = (zone: Zone, id = ""): Json => {
    const found = store.get(certificates, id);
    if (found?.owner !== zone.id) throw new ApiError(404, 1551, "The certificate could not be found");
    return found.value;
  };
  routes.notEmulated("GET", `${base}/hostnames`, `${base}/hostnames/certificates`);
  routes.zone("GET", base, ({ zone }) => ownedBy(store, certificates, zone.id).map(shown));
  routes.zone("POST", base, ({ zone, body }) => {
    const value = certificateOf(world, body);
    store.put(certificates, String(value["id"]), { owner: zone.id, value });
    return shown(value);
  });
  routes.zone("GET", `${base}/:certificate`, ({ zone, params }) => shown(find(zone, params["certificate"])));
  routes.zone("DELETE", `${base}/:certificate`, ({ zone, params }) => {
    const certificate = find(zone, params["certificate"]);
    store.delete(certificates, String(certificate["id"]));
    return { ...shown(certificate), status: "pending_deletion" };
  });

  routes.zone("GET", `${base}/hostnames/:hostname`, ({ zone, params }) => {
    const found = store.get(hostnames, `${zone.id}/${params["hostname"] ?? ""}`);
    if (found === undefined) throw new ApiError(404, 1553, "The hostname has no client certificate");
    return found.value;
  });
  routes.zone("PUT", `${base}/hostnames`, ({ zone, body }) =>
    requireRecords(body, "config", 1400).map((config) => {
      if (!isText(config["hostname"]) || config["hostname"] === "")
        throw new ApiError(400, 1400, "missing hostname", "/config/hostname");
      const hostname = config["hostname"].toLowerCase();
      const certificate = find(zone, requireText(config, "cert_id", 1400));
      const key = `${zone.id}/${hostname}`;
      const value = {
        hostname,
        enabled: config["enabled"] ?? null,
        status: config["enabled"] === null ? "pending_deletion" : "active",
        created_at: store.get(hostnames, key)?.value["created_at"] ?? world.now(),
        updated_at: world.now(),
        cert_id: certificate["id"],
        cert_status: shown(certificate)["status"],
        cert_uploaded_on: certificate["uploaded_on"],
        cert_updated_at: certificate["uploaded_on"],
        certificate: certificate["certificate"],
        expires_on: certificate["expires_on"],
        issuer: certificate["issuer"],
        serial_number: certificate["serial_number"],
        signature: certificate["signature"],
      };
      // `enabled: null` removes the association of the hostname.
      if (value.enabled === null) store.delete(hostnames, key);
      else store.put(hostnames, key, { owner: zone.id, value });
      return value;
    }),
  );
}

const isDeployed = (world: World, { uploaded_on: uploaded }: Json): boolean =>
  world.date().getTime() - Date.parse(String(uploaded)) >= deploymentTime;

/** A certificate with its key, in PEM. */
export interface ClientCertificate {
  readonly key: string;
  readonly cert: string;
}

/**
 * The certificate that the edge presents to the origins of a host name: the host name's own, else the newest of the zone that
 * is in use, else with `tls_client_auth` the one that all zones at Cloudflare share. A certificate of another zone is never used.
 */
export async function clientCertificateOf(
  world: World,
  zone: Zone,
  hostname: string,
): Promise<ClientCertificate | undefined> {
  const { store } = world;
  const own = store.get(hostnames, `${zone.id}/${hostname}`)?.value;
  const ofHostname = own?.["enabled"] === true ? store.get(certificates, String(own["cert_id"]))?.value : undefined;
  const isOn = store.get("cloudflare.setting", `${zone.id}/origin-pulls`)?.value["enabled"] === true;
  const ofZone = isOn ? ownedBy(store, certificates, zone.id).filter((each) => isDeployed(world, each)) : [];
  const found = ofHostname ?? ofZone.at(-1);
  if (found) return { key: String(found["private_key"]), cert: String(found["certificate"]) };
  if (settingOf(world, zone, "tls_client_auth") !== "on") return undefined;
  const authority = await CertificateAuthority.open(store, "origin-pull");
  const { certificate, key } = await authority.issue(["origin-pull.cloudflare.com"], 30, world.date());
  return { key, cert: certificate };
}

function certificateOf(world: World, body: Json): Json {
  const certificate = requireText(body, "certificate", 1400);
  const key = requireText(body, "private_key", 1400);
  let parsed: x509.X509Certificate;
  try {
    parsed = new x509.X509Certificate(certificate);
  } catch {
    throw new ApiError(400, 1408, "certificate is not a certificate in PEM", "/certificate");
  }
  // As reported by users: a certificate that does not say that it is no authority is refused, too.
  if (parsed.getExtension(x509.BasicConstraintsExtension)?.ca !== false)
    throw new ApiError(400, 1412, "Only leaf certificate is allowed.", "/certificate");
  if (!isKeyOf(certificate, key))
    throw new ApiError(400, 1412, "private_key is not the key of the certificate, in PEM", "/private_key");
  return {
    id: world.newId(),
    certificate,
    private_key: key,
    enabled: false,
    expires_on: parsed.notAfter.toISOString(),
    issuer: parsed.issuer,
    serial_number: BigInt(`0x${parsed.serialNumber}`).toString(),
    signature: "SHA256",
    uploaded_on: world.now(),
  };
}

function isKeyOf(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
