/** API routes of TLS certificates that load balancers use. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { z } from "zod";
import { stampOf } from "./actions.ts";
import type { Service } from "./balancer-services.ts";
import { labels, maybe, name, parse } from "./body.ts";
import { HetznerError, inUse, invalid, notEmulated } from "./errors.ts";
import { textsOf } from "./listing.ts";
import type { ResourceType, Routes } from "./resources.ts";
import type { Certificate } from "./state.ts";

export function registerCertificates(routes: Routes): void {
  const { cloud } = routes;
  const { store } = cloud;
  const usersOf = (certificate: Certificate) =>
    store
      .list("hetzner.load_balancer")
      .filter(({ services }) => services.some((service) => certificatesOf(service).includes(certificate.id)));
  const type: ResourceType<"hetzner.certificate"> = {
    kind: "hetzner.certificate",
    path: "certificates",
    singular: "certificate",
    name,
    filters: { type: ["uploaded", "managed"] },
    matches: (one, query) => {
      const wanted = textsOf(query, "type");
      return wanted.length === 0 || wanted.includes(one.type);
    },
    view: (one) => ({
      id: one.id,
      name: one.name,
      labels: one.labels,
      created: one.created,
      type: one.type,
      certificate: one.certificate,
      not_valid_before: one.notBefore,
      not_valid_after: one.notAfter,
      domain_names: one.domains,
      fingerprint: one.fingerprint,
      status: null,
      used_by: usersOf(one).map(({ id }) => ({ id, type: "load_balancer" })),
    }),
    remove: (one) => {
      if (usersOf(one).length > 0) throw inUse(`certificate ${one.name} is used by a load balancer`);
      store.delete("hetzner.certificate", one.id);
      return undefined;
    },
  };
  routes.differs(["POST /certificates"], "uploaded ones only: a managed one is refused");
  routes.post("/certificates", async ({ body }) => {
    const schema = z.strictObject({
      name,
      type: maybe(z.enum(["uploaded", "managed"])),
      certificate: maybe(z.string()),
      private_key: maybe(z.string()),
      domain_names: maybe(z.array(z.string())),
      labels: maybe(labels),
    });
    const asked = parse(schema, body);
    if (asked.type === "managed") throw notEmulated("a managed certificate");
    if (asked.domain_names !== undefined) throw invalid("domain_names", "only a managed certificate is given names");
    const { certificate, private_key: privateKey } = asked;
    if (certificate === undefined || privateKey === undefined) {
      throw invalid("certificate", "an uploaded certificate needs certificate and private_key");
    }
    const read = readCertificate(certificate, privateKey);
    const made = store.transaction(() => {
      cloud.requireFreeName(type.kind, asked.name);
      cloud.requireRoom(type.kind);
      const id = store.nextId(type.kind);
      const common = { id, name: asked.name, labels: asked.labels ?? {}, created: stampOf(cloud.now()) };
      store.put(type.kind, id, { ...common, type: "uploaded", certificate, privateKey, ...read });
      return cloud.require(type.kind, id);
    });
    return { certificate: await type.view(made), action: null };
  });
  routes.plain(type, "retry", () => {
    throw new HetznerError(422, "unsupported_error", "certificate not retryable");
  });
  routes.resource(type);
}

const certificatesOf = ({ http }: Service): readonly number[] => http?.certificates ?? [];

function readCertificate(pem: string, privateKey: string) {
  const read = readPem("certificate", () => new X509Certificate(pem));
  const key = readPem("private_key", () => createPrivateKey(privateKey));
  if (!read.checkPrivateKey(key)) throw invalid("private_key", "is not the key of the certificate");
  const names = (read.subjectAltName ?? "").match(/(?<=DNS:)[^,]+/g) ?? [];
  return {
    domains: [...names],
    notBefore: stampOf(new Date(read.validFrom)),
    notAfter: stampOf(new Date(read.validTo)),
    fingerprint: read.fingerprint256,
  };
}

function readPem<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw invalid(field, "cannot be read as PEM");
  }
}
