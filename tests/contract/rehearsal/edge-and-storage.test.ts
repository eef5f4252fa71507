/** The program's own Cloudflare components, through the real engine against the emulated API, on every plan. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { type CloudflarePlan, rulesets } from "../../../components/edge-proxy/cloudflare-rules.ts";
import { records } from "../../../rehearsal/cloudflare/body.ts";
import { accessKeys } from "../../../rehearsal/cloudflare/objects/keys.ts";
import { permissionGroups } from "../../../rehearsal/cloudflare/permissions.ts";
import { quirks, isQuirk, setQuirk } from "../../../rehearsal/cloudflare/quirks.ts";
import { ownedBy } from "../../../rehearsal/cloudflare/state.ts";
import { accountId, Api } from "../../unit/rehearsal/support/api.ts";
import { Project, succeed } from "./project.ts";

const root = resolve(__dirname, "..", "..", "..");
jest.setTimeout(240_000);

const outputsSchema = z.object({
  url: z.string(),
  certificate: z.object({ chain: z.string(), privateKey: z.string() }),
  environment: z.record(z.string(), z.string()),
  backups: z.object({ bucket: z.string(), endpoint: z.string(), accessKeyId: z.string(), secretAccessKey: z.string() }),
});

/** What the token of a stack has to be allowed, as docs/cloudflare.md says: for the zone, and for the account. */
const permissions = {
  zone: [
    ...["Zone Read", "DNS Write", "Zone Settings Write", "Zone WAF Write", "Cache Settings Write"],
    ...["Bot Management Write", "SSL and Certificates Write"],
  ],
  account: ["Workers R2 Storage Write", "Account API Tokens Write"],
};

/** A token that may do what a stack needs, and no more. */
async function tokenOf(api: Api): Promise<string> {
  const policy = (names: readonly string[], resource: string) => ({
    effect: "allow",
    permission_groups: names.map((name) => ({ id: permissionGroups.find((group) => group.name === name)?.id })),
    resources: { [resource]: "*" },
  });
  const policies = [
    policy(permissions.zone, `com.cloudflare.api.account.zone.${api.zone()}`),
    policy(permissions.account, `com.cloudflare.api.account.${accountId}`),
  ];
  const { result } = await api.call("POST", "/user/tokens", { name: "stack", policies });
  return String(result["value"]);
}

/** A stack of these components, and the API that it is made at. */
class Stack {
  readonly api: Api;
  readonly #project: Project;

  private constructor(api: Api, project: Project) {
    this.api = api;
    this.#project = project;
  }

  static async with(plan: CloudflarePlan, work: (stack: Stack) => Promise<void>): Promise<void> {
    const api = new Api([{ name: "example.com", plan }]);
    const project = new Project(root, "edge-and-storage.ts", {
      CLOUDFLARE_API_TOKEN: await tokenOf(api),
      CLOUDFLARE_BASE_URL: `${await api.base}/client/v4`,
    });
    const stack = new Stack(api, project);
    try {
      succeed(await project.pulumi("stack", "init", "probe"));
      await stack.set("plan", plan);
      await stack.set("origins", '["192.0.2.1"]');
      await work(stack);
    } finally {
      project.dispose();
    }
  }

  async set(key: string, value: string): Promise<void> {
    succeed(await this.#project.pulumi("config", "set", key, value));
  }

  run(...args: readonly string[]): ReturnType<Project["pulumi"]> {
    return this.#project.pulumi(...args);
  }

  async up(...args: readonly string[]): Promise<string> {
    return succeed(await this.run("up", "--yes", "--skip-preview", ...args));
  }

  /** @throws when a refresh or another update would change anything */
  async isStill(): Promise<void> {
    succeed(await this.run("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--diff"));
    await this.up("--expect-no-changes", "--diff");
  }

  async outputs(): Promise<z.infer<typeof outputsSchema>> {
    const text = succeed(await this.run("stack", "output", "--json", "--show-secrets"));
    return outputsSchema.parse(JSON.parse(text));
  }

  state(): Promise<string> {
    return this.run("stack", "export").then(succeed);
  }

  /** What the user does to take everything down: first say that it may go. */
  async destroy(): Promise<void> {
    const refused = await this.run("destroy", "--yes", "--skip-preview");
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain("protected");
    succeed(await this.run("state", "unprotect", "--all", "--yes"));
    succeed(await this.run("destroy", "--yes", "--skip-preview"));
  }
}

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
          rulesets(plan, "orion.example.com").map(({ phase, rules }) => [phase, rules.map(({ ref }) => ref)]),
        ),
      );
      expect((await api.call("GET", `/zones/${zone}/settings/ssl`)).result["value"]).toBe("strict");

      const { url, certificate, environment, backups } = await stack.outputs();
      expect(url).toBe("https://orion.example.com");
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
      expect(api.store.list("cloudflare.bucket").map(({ name }) => name)).toEqual([
        "orion-files",
        "orion-files-backups",
      ]);
    }));
});

test("a stack grows from plan to plan, and gets another server and a domain for files, without replacing anything", () =>
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
    await stack.set("origins", '["192.0.2.9", "192.0.2.2"]');
    await stack.set("custom", "true");
    expect(await stack.up()).not.toMatch(/replaced|deleted/);
    await stack.isStill();
    const addresses = ownedBy(api.store, "cloudflare.record", api.zone()).map(({ content }) => content);
    expect(addresses.sort()).toEqual(["192.0.2.2", "192.0.2.9"]);

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
