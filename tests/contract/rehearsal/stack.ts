/** A stack of the program's components that live at Cloudflare, made by the real engine at an emulated API of its own. */
import { z } from "zod";
import type { CloudflarePlan } from "../../../components/ingress/cloudflare/rules.ts";
import type { ObjectStorage } from "../../../rehearsal/cloudflare/objects/storage.ts";
import { permissionGroups } from "../../../rehearsal/cloudflare/permissions.ts";
import { accountId, Api } from "./support/api.ts";
import { Project, succeed } from "./project.ts";

const outputsSchema = z.object({
  certificate: z.object({ chain: z.string(), privateKey: z.string() }),
  environment: z.record(z.string(), z.string()),
  backups: z.object({ bucket: z.string(), endpoint: z.string(), accessKeyId: z.string(), secretAccessKey: z.string() }),
});

/** What the token of a stack has to be allowed, as docs/cloudflare.md says: for the zone, and for the account. */
export const permissions = {
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

export class Stack {
  readonly api: Api;
  readonly #project: Project;

  private constructor(api: Api, project: Project) {
    this.api = api;
    this.#project = project;
  }

  static async with(
    plan: CloudflarePlan,
    work: (stack: Stack) => Promise<void>,
    objects?: ObjectStorage,
  ): Promise<void> {
    const api = new Api([{ name: "example.com", plan }], objects);
    const project = new Project(process.cwd(), "edge-and-storage.ts", {
      CLOUDFLARE_API_TOKEN: await tokenOf(api),
      CLOUDFLARE_BASE_URL: `${await api.base}/client/v4`,
    });
    const stack = new Stack(api, project);
    // Time passes: a certificate is in use a while after its upload, which the program waits for.
    const clock = setInterval(() => {
      api.now = new Date(api.now.getTime() + 1000);
    }, 1000);
    try {
      succeed(await project.pulumi("stack", "init", "probe"));
      await stack.set("plan", plan);
      await stack.set("address", "192.0.2.1");
      await work(stack);
    } finally {
      clearInterval(clock);
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
