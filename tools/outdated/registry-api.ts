/** Asks image registries for the digest of a tag, by the distribution API that Docker uses too. */
import { types } from "node:util";
import { isRecord } from "../../common/record.ts";
import { registryOf } from "../../images/registry.ts";

/** Where a reference's manifest is. */
export interface ManifestPlace {
  /** URL of the registry, without a slash at the end. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

const acceptedManifests = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

const timeoutMilliseconds = 8_000;

/** Pure. @param reference with or without a digest, which does not matter here */
export function manifestPlace(reference: string): ManifestPlace {
  const [name = ""] = reference.split("@");
  const host = registryOf(name);
  const path = name.startsWith(`${host}/`) ? name.slice(host.length + 1) : name;
  const colon = path.lastIndexOf(":");
  const [repository, tag] = colon < 0 ? [path, "latest"] : [path.slice(0, colon), path.slice(colon + 1)];
  const isHub = host === "docker.io";
  // As Docker does: a registry on this machine speaks HTTP, every other one HTTPS.
  const scheme = /^(localhost|127\.\d+\.\d+\.\d+)(:\d+)?$/.test(host) ? "http" : "https";
  return {
    registry: isHub ? "https://registry-1.docker.io" : `${scheme}://${host}`,
    repository: isHub && !repository.includes("/") ? `library/${repository}` : repository,
    tag,
  };
}

/**
 * The digest that a tag has in its registry now: of the list of all architectures where there is one.
 *
 * @throws {Error} when the registry does not answer, or does not have the tag
 */
export async function digestOf(reference: string, request: typeof fetch = fetch): Promise<string> {
  const { registry, repository, tag } = manifestPlace(reference);
  const url = `${registry}/v2/${repository}/manifests/${tag}`;
  const ask = (token?: string): Promise<Response> =>
    request(url, {
      method: "HEAD",
      headers: { accept: acceptedManifests, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      signal: AbortSignal.timeout(timeoutMilliseconds),
    });
  let response = await ask();
  if (response.status === 401) {
    response = await ask(await tokenFor(response.headers.get("www-authenticate") ?? "", request));
  }
  if (!response.ok) throw new Error(`${registry} answers ${response.status} for ${repository}:${tag}`);
  const digest = response.headers.get("docker-content-digest") ?? "";
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`${registry} names no digest for ${repository}:${tag}`);
  return digest;
}

/** An anonymous token, from the service that the registry's challenge names. */
async function tokenFor(challenge: string, request: typeof fetch): Promise<string> {
  const value = (key: string): string => new RegExp(`${key}="([^"]*)"`).exec(challenge)?.[1] ?? "";
  const url = new URL(value("realm"));
  for (const key of ["service", "scope"]) url.searchParams.set(key, value(key));
  const response = await request(url, { signal: AbortSignal.timeout(timeoutMilliseconds) });
  const body: unknown = response.ok ? await response.json() : undefined;
  const token = isRecord(body) ? (body["token"] ?? body["access_token"]) : undefined;
  if (typeof token === "string") return token;
  throw new Error(`${url.host} gives no token: ${response.status}`);
}

/** Why a question to a host was not answered, in a few words. */
export function reasonOf(error: unknown): string {
  if (!types.isNativeError(error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  return types.isNativeError(error.cause) ? error.cause.message : error.message;
}
