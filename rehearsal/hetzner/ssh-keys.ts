/** API routes of SSH keys. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { stampOf } from "./actions.ts";
import { labels, maybe, name, parse } from "./body.ts";
import { invalid, notUnique } from "./errors.ts";
import type { ResourceType, Routes } from "./resources.ts";

export function registerSshKeys(routes: Routes): void {
  const { cloud } = routes;
  const { store } = cloud;
  const type: ResourceType<"hetzner.ssh_key"> = {
    kind: "hetzner.ssh_key",
    path: "ssh_keys",
    singular: "ssh_key",
    hasActions: false,
    name,
    sort: ["id", "name"],
    filters: { fingerprint: undefined },
    view: ({ publicKey, ...key }) => ({ ...key, public_key: publicKey }),
    matches: ({ fingerprint }, query) => query["fingerprint"] === undefined || query["fingerprint"] === fingerprint,
    remove: ({ id }) => {
      store.delete("hetzner.ssh_key", id);
      return undefined;
    },
  };
  routes.post("/ssh_keys", async ({ body }) => {
    const asked = parse(z.strictObject({ name, public_key: z.string(), labels: maybe(labels) }), body);
    const key = store.transaction(() => {
      cloud.requireFreeName(type.kind, asked.name);
      const fingerprint = fingerprintOf(asked.public_key);
      if (store.list(type.kind).some((one) => one.fingerprint === fingerprint)) throw notUnique("public_key");
      cloud.requireRoom(type.kind);
      const id = store.nextId(type.kind);
      const common = { id, name: asked.name, labels: asked.labels ?? {}, created: stampOf(cloud.now()) };
      store.put(type.kind, id, { ...common, publicKey: asked.public_key, fingerprint });
      return cloud.require(type.kind, id);
    });
    return { ssh_key: await type.view(key) };
  });
  routes.resource(type);
}

/** MD5 fingerprint of the key in hexadecimal pairs, as the API shows it. */
function fingerprintOf(publicKey: string): string {
  const [, algorithm, encoded] = /^((?:ssh|ecdsa|sk)-[\w@.-]+) ([A-Za-z0-9+/]+=*)(?: .*)?\s*$/.exec(publicKey) ?? [];
  if (algorithm === undefined || encoded === undefined) throw invalid("public_key", "must be an OpenSSH public key");
  const digest = createHash("md5").update(Buffer.from(encoded, "base64")).digest("hex");
  return digest.match(/../g)?.join(":") ?? "";
}
