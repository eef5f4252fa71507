/** The program's own Cloudflare components, through the real engine against the emulated API, on every plan. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { AwsClient } from "aws4fetch";
import { rulesets } from "../../../components/ingress/cloudflare/rules.ts";
import { records } from "../../../rehearsal/cloudflare/body.ts";
import { S3Server } from "../../../rehearsal/cloudflare/objects/s3-server.ts";
import { accessKeys } from "../../../rehearsal/cloudflare/objects/keys.ts";
import { quirks, isQuirk, setQuirk } from "../../../rehearsal/cloudflare/quirks.ts";
import { ownedBy } from "../../../rehearsal/cloudflare/state.ts";
import { ensureProgram, storage as storageProgram } from "../../../rehearsal/programs/programs.ts";
import { freePort } from "../../../common/ports.ts";
import type { Api } from "./support/api.ts";
import { succeed } from "./project.ts";
import { permissions, Stack } from "./stack.ts";
import { temporaryFolder } from "../../../testing/folder.ts";

const root = resolve(__dirname, "..", "..", "..");
jest.setTimeout(240_000);

test("the documentation names the permissions that a stack is given here", () => {
  const text = readFileSync(resolve(root, "docs", "cloudflare.md"), "utf8");
  expect(text).toContain(`| the zone | ${permissions.zone.join(", ")} |`);
  expect(text).toContain(`| the account | ${permissions.account.join(", ")} |`);
});

describe.each(["free", "pro", "business"] as const)("plan %s", (plan) => {
  test("is made, does not drift, keeps its secrets, and goes away but for the data", () =>
    Stack.with(plan, async (stack) => {
      const { api } = stack;
      const said = await stack.up();
      await stack.isStill();

      const zone = api.zone();
      expect(ownedBy(api.store, "cloudflare.record", zone)).toMatchObject([
        { name: "orion.example.com", type: "A", content: "192.0.2.1", proxied: true, ttl: 1 },
      ]);
      const phases = ownedBy(api.store, "cloudflare.ruleset", zone).map(({ phase, rules }) => [
        phase,
        records(rules).map(({ ref }) => ref),
      ]);
      expect(Object.fromEntries(phases)).toEqual(
        Object.fromEntries(
          rulesets(plan, ["orion.example.com"]).map(({ phase, rules }) => [phase, rules.map(({ ref }) => ref)]),
        ),
      );
      expect((await api.call("GET", `/zones/${zone}/settings/ssl`)).result["value"]).toBe("strict");

      const lock = await api.call("GET", `/accounts/${api.world.accountId}/r2/buckets/orion-files-backups/lock`);
      const condition = { type: "Age", maxAgeSeconds: 14 * 86_400 };
      expect(lock.result).toEqual({ rules: [{ id: "orion", enabled: true, prefix: "postgresql/", condition }] });

      const { certificate, environment, backups } = await stack.outputs();
      checkCertificate(api, certificate);
      // The stack's own token opens every bucket.
      const keys = accessKeys(api.world).filter(({ buckets }) => buckets.length === 1);
      const opens = (name: string) => [{ name, write: true }];
      expect(keys).toHaveLength(2);
      expect(keys).toContainEqual({
        id: environment["R2_ACCESS_KEY_ID"],
        secret: environment["R2_SECRET_ACCESS_KEY"],
        buckets: opens("orion-files"),
      });
      expect(keys).toContainEqual({
        id: backups.accessKeyId,
        secret: backups.secretAccessKey,
        buckets: opens("orion-files-backups"),
      });

      const state = await stack.state();
      const line = certificate.privateKey.split("\n")[1] ?? "";
      expect(line.length).toBeGreaterThan(40);
      for (const secret of [line, ...keys.map((key) => key.secret)]) {
        // Booleans: neither a secret nor a whole state in a message.
        expect([state.includes(secret), said.includes(secret)]).toEqual([false, false]);
      }

      await stack.destroy();
      for (const kind of ["record", "ruleset", "certificate"] as const) {
        expect(api.store.list(`cloudflare.${kind}`)).toEqual([]);
      }
      expect(api.store.list("cloudflare.token").map(({ value }) => value["name"])).toEqual(["stack"]);
      const left = api.store.list("cloudflare.bucket").map(({ name }) => name);
      expect(left.sort()).toEqual(["orion-files", "orion-files-backups"]);
    }));
});

test("a stack grows from plan to plan, and gets another address and a domain for files, without replacing anything", () =>
  Stack.with("free", async (stack) => {
    const { api } = stack;
    await stack.up();
    const before = await stack.outputs();
    await stack.set("plan", "pro");
    const refused = await stack.run("preview");
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain(
      'orion:cloudflare.plan: got "pro", but the zone example.com is on plan free; set it to free',
    );

    for (const plan of ["pro", "business"]) {
      await api.call("PUT", `/zones/${api.zone()}/subscription`, { rate_plan: { id: plan } });
      await stack.set("plan", plan);
      expect(await stack.up()).not.toMatch(/replaced|deleted/);
      await stack.isStill();
    }
    const records = () => ownedBy(api.store, "cloudflare.record", api.zone());
    const [first] = records();
    await stack.set("address", "192.0.2.9");
    await stack.set("custom", "true");
    expect(await stack.up()).not.toMatch(/replaced|deleted/);
    await stack.isStill();
    // The same record, with another content: at no time is there none.
    expect(records().map(({ id, content }) => [id, content])).toEqual([[first?.id, "192.0.2.9"]]);

    const after = await stack.outputs();
    const environment = { ...before.environment, R2_PUBLIC_URL: "https://files.example.com" };
    expect(after).toEqual({ ...before, environment });
  }));

test("no bad behaviour of the API that users have met makes an update", () =>
  Stack.with("pro", async (stack) => {
    await stack.up();
    for (const quirk of Object.keys(quirks).filter(isQuirk)) setQuirk(stack.api.store, quirk, true);
    succeed(await stack.run("refresh", "--yes", "--skip-preview"));
    succeed(await stack.run("preview", "--expect-no-changes", "--diff"));
    await stack.up("--expect-no-changes");
  }));

test("the credentials open their own bucket at a real S3 server, and not the other one", async () => {
  const folder = temporaryFolder("objects");
  const s3 = new S3Server({
    program: await ensureProgram(storageProgram, { root }),
    folder,
    port: await freePort(),
    token: "any",
  });
  try {
    await s3.start();
    const work = async (stack: Stack): Promise<void> => {
      await stack.up();
      const { environment, backups } = await stack.outputs();
      const app = clientOf(environment["R2_ACCESS_KEY_ID"], environment["R2_SECRET_ACCESS_KEY"]);
      const backup = clientOf(backups.accessKeyId, backups.secretAccessKey);
      const put = async (client: AwsClient, bucket: string) =>
        (await client.fetch(`${s3.endpoint}/${bucket}/a`, { method: "PUT", body: "content" })).status;
      expect(await put(app, "orion-files")).toBe(200);
      expect(await put(backup, "orion-files-backups")).toBe(200);
      expect(await (await app.fetch(`${s3.endpoint}/orion-files/a`)).text()).toBe("content");
      expect(await put(app, "orion-files-backups")).toBe(403);
      expect(await put(backup, "orion-files")).toBe(403);
      expect((await app.fetch(`${s3.endpoint}/orion-files-backups/a`)).status).toBe(403);
    };
    await Stack.with("free", work, s3);
  } finally {
    await s3.stop();
  }
  // The server may have to be built first.
}, 900_000);

const clientOf = (accessKeyId = "", secretAccessKey = ""): AwsClient =>
  new AwsClient({ accessKeyId, secretAccessKey, service: "s3", region: "auto", retries: 0 });

/** The certificate is the CA's, for the domain, and for that key. */
function checkCertificate(
  api: Api,
  { chain, privateKey }: { readonly chain: string; readonly privateKey: string },
): void {
  const certificate = new X509Certificate(chain);
  const authority = api.store.get("cloudflare.authority", "origin-ecc");
  if (!authority) throw new Error("the CA has signed nothing");
  expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  expect(certificate.checkHost("orion.example.com")).toBe("orion.example.com");
  expect(certificate.checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
  const years = (Date.parse(certificate.validTo) - api.now.getTime()) / (365 * 86_400_000);
  expect(Math.round(years)).toBe(15);
}

test("another name in the place of the first: the old one keeps its record and its certificate", () =>
  Stack.with("free", async (stack) => {
    const { api } = stack;
    const kept = () => {
      const record = ownedBy(api.store, "cloudflare.record", api.zone()).find(
        ({ name }) => name === "orion.example.com",
      );
      return record?.["id"];
    };
    await stack.up();
    const id = kept();
    expect(id).toBeDefined();
    await stack.set("names", "shop.example.com orion.example.com");
    const said = await stack.up("--diff");
    expect(said).not.toMatch(/origin-orion\.example\.com-certificate|hostname-orion\.example\.com-record/);
    expect(said).toMatch(/DnsRecord: \(create\)|hostname-shop\.example\.com-record/);
    expect(kept()).toBe(id);
  }));
