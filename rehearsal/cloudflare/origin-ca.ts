/** API routes of origin CA certificates, which Cloudflare signs for servers behind it. */
import { CertificateAuthority } from "./authority.ts";
import type { Json } from "../json.ts";
import { invalid, omit, requireOneOf, requireText, requireTexts } from "./body.ts";
import { ApiError, Page } from "./envelope.ts";
import { mayCall } from "./permissions.ts";
import { type Call, type Method, paging, type Routes } from "./routes.ts";
import type { World } from "./world.ts";

const kind = "cloudflare.certificate";
/** Allowed validities in days. */
const validities = [7, 30, 90, 365, 730, 1095, 5475];
const requestTypes = ["origin-rsa", "origin-ecc"] as const;

export function registerOriginCa(routes: Routes, world: World): void {
  const { store } = world;
  const mayUse = ({ caller }: Call, method: Method, zone: string): boolean =>
    mayCall(caller, {
      ...{ area: "SSL and Certificates", write: method !== "GET", zone, account: world.accountId },
    });
  const find = (call: Call, method: Method): Json => {
    const found = store.get(kind, call.params["certificate"] ?? "");
    if (found === undefined || !mayUse(call, method, found.owner))
      throw new ApiError(404, 1101, "The certificate could not be found");
    return found.value;
  };

  const list = (call: Call): Page => {
    const zone = call.query["zone_id"];
    const all = store
      .list(kind)
      .filter(({ owner }) => (zone === undefined || owner === zone) && mayUse(call, "GET", owner));
    return new Page(
      all.map(({ value }) => read(world, value)),
      call.query,
    );
  };
  routes.user("GET", "/certificates", list, ["zone_id", ...paging]);
  routes.user("POST", "/certificates", async (call) => {
    const { certificate, zone } = await sign(world, call.body, (id) => mayUse(call, "POST", id));
    store.put(kind, String(certificate["id"]), { owner: zone, value: certificate });
    return certificate;
  });
  routes.user("GET", "/certificates/:certificate", (call) => read(world, find(call, "GET")));
  routes.user("DELETE", "/certificates/:certificate", (call) => {
    const { id } = find(call, "DELETE");
    store.delete(kind, String(id));
    return { id, revoked_at: world.now() };
  });
}

function read(world: World, certificate: Json): Json {
  const shown = world.has("origin-ca.no-validity") ? omit(certificate, ["requested_validity"]) : certificate;
  const { hostnames } = shown;
  return world.has("origin-ca.sorted-hostnames") && Array.isArray(hostnames)
    ? { ...shown, hostnames: [...(hostnames as unknown[])].sort() }
    : shown;
}

/** @param mayUse whether the caller has permission for certificates of the zone with that id */
async function sign(
  world: World,
  body: Json,
  mayUse: (zone: string) => boolean,
): Promise<{ certificate: Json; zone: string }> {
  const csr = requireText(body, "csr", 1002);
  const hostnames = requireTexts(body, "hostnames", 1002);
  const requestType = requireOneOf(body, "request_type", requestTypes, 1002);
  const validity = body["requested_validity"] ?? 5475;
  if (typeof validity !== "number" || !validities.includes(validity)) {
    throw invalid("requested_validity", validity, validities.join(", "), 1002);
  }
  if (hostnames.length === 0) throw invalid("hostnames", hostnames, "at least one host name", 1002);
  const zones = hostnames.map((hostname) => {
    const zone = world.zoneOf(hostname.replace(/^\*\./, ""));
    if (zone !== undefined && mayUse(zone.id)) return zone.id;
    const why = "This zone is either not part of your account, or you do not have access to it.";
    throw new ApiError(400, 1010, `Failed to validate requested hostname ${hostname}: ${why}`);
  });
  const now = world.date();
  const authority = await CertificateAuthority.open(world.store, requestType);
  const signed = await authority.sign(csr, hostnames, validity, now).catch((error: unknown) => {
    throw new ApiError(
      400,
      1102,
      `Failed to parse the certificate signing request: ${error instanceof Error ? error.message : String(error)}`,
    );
  });
  const certificate = {
    id: BigInt(`0x${signed.serial}`).toString(),
    certificate: signed.certificate,
    csr,
    hostnames,
    request_type: requestType,
    requested_validity: validity,
    expires_on: `${signed.expires.toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`,
  };
  return { certificate, zone: zones[0] ?? "" };
}
