/** What `make rehearse` writes, delivers and says. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { ImageKey } from "../../../../config/images.ts";
import { phases } from "../../../../config/schema.ts";
import { type CloudSettings, cloudFolder, rehearsalFolder, sshFolder } from "../../../../rehearsal/cloud/settings.ts";
import type { Status } from "../../../../rehearsal/cloud/status.ts";
import { builtPhases } from "../../../../config/presets.ts";
import { ownEnvironment, rehearsalCloud } from "../../../../toolchain/src/environment.ts";
import { overlayOf, projectFile, stackFile, withDigests } from "../../../../tools/rehearsal/files.ts";
import { deliveriesOf, isStandIn } from "../../../../tools/rehearsal/images.ts";
import { reportOf } from "../../../../tools/rehearsal/report.ts";
import { publicKey } from "../../support/settings.ts";
import { describeStack, type StackFile } from "../../../../tools/stack-file.ts";

const cloud: CloudSettings = {
  ...{ instance: "main", block: 77, port: 8470, machines: "docker", zones: ["example.com"] },
  ...{ token: "ab".repeat(32), accountId: "12".repeat(16) },
};
const authority = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const overlay = (phase?: string) =>
  overlayOf({
    ...{ phase, cloud, source: "203.0.113.1", publicKey: publicKey("rehearsal") },
    ...{ identityFile: "/r/key", sshFolder: "/r/ssh", authority },
  });
const own = (name: string): string => readFileSync(name, "utf8");
const configIn = (text: string) => (parse(text) as { config: Record<string, unknown> }).config;

describe("the project file", () => {
  test("is the project's, with program and plugins where they are, and says nothing of a backend", () => {
    const text = `backend: { url: "s3://real" }\n${own("Pulumi.yaml")}`;
    const written: unknown = parse(projectFile(text, "/project", { cloudflare: "/project/stand-in" }));
    const { main, plugins, config, ...rest } = parse(own("Pulumi.yaml")) as Record<string, unknown>;
    expect([main, plugins]).toEqual(["index.ts", { providers: [{ name: "orion", path: "plugin" }] }]);
    expect(written).toEqual({
      ...rest,
      main: "/project/index.ts",
      plugins: {
        providers: [
          { name: "orion", path: "/project/plugin" },
          { name: "cloudflare", path: "/project/stand-in" },
        ],
      },
      config,
    });
  });

  test("of a project that says little gets its folder as the program", () => {
    expect(parse(projectFile("name: orion\nruntime: nodejs\n", "/project", {}))).toMatchObject({ main: "/project" });
  });
});

describe("the stack file", () => {
  test.each(phases.filter((phase) => phase !== "development"))(
    "of the production stack is valid in phase %s",
    (phase) => {
      const { text, leftOut } = stackFile(own("Pulumi.prod.yaml"), undefined, overlay(phase));
      const { settings, variables } = describeStack("prod", parse(text), "main");
      expect(settings).toMatchObject({
        phase,
        domain: "orion.example.com",
        cloudflare: { accountId: cloud.accountId },
        storage: {
          bucket: "orion-files",
          endpoint: `https://${cloud.accountId}.r2.cloudflarestorage.com`,
        },
        admin: {
          cidrs: ["203.0.113.1/32"],
          sshPublicKeys: [publicKey("rehearsal")],
          identityFile: "/r/key",
          sshFolder: "/r/ssh",
        },
      });
      expect(leftOut).toEqual([]);
      expect(variables).toBe("STACK=prod REHEARSAL=1 CLOUD=main");
    },
  );

  test("holds neither accounts nor secrets of the real stack, and says which secrets are missing", () => {
    const real = `
encryptionsalt: v1:theirs
config:
  hcloud:token: { secure: v1:real }
  hcloud:endpoint: https://elsewhere
  cloudflare:apiToken: real
  orion:phase: mvp
  orion:sentryDsn: { secure: v1:real }
  orion:stripeSecretKey: { secure: v1:real }
  orion:app: { image: "app:1", memoryMb: 2048 }
`;
    const before = `
encryptionsalt: v1:ours
config:
  hcloud:token: { secure: v1:ours }
  orion:sentryDsn: { secure: v1:ours }
  orion:domain: old.example.com
`;
    const { text, leftOut } = stackFile(real, before, overlay());
    expect(leftOut).toEqual(["orion:stripeSecretKey"]);
    expect(text).not.toMatch(/real|theirs|elsewhere|old\.example/);
    expect(parse(text)).toMatchObject({ encryptionsalt: "v1:ours" });
    expect(configIn(text)).toMatchObject({
      "hcloud:token": { secure: "v1:ours" },
      "hcloud:endpoint": "http://127.0.0.1:8470/hetzner/v1",
      "cloudflare:baseUrl": "http://127.0.0.1:8470/client/v4",
      "orion:phase": "mvp",
      "orion:sentryDsn": { secure: "v1:ours" },
      "orion:app": { image: "app:1", memoryMb: 2048 },
    });
  });

  test("keeps where its primary is, which is no matter of the real stack", () => {
    const before = "config:\n  orion:database: { primary: db-2, memoryMb: 512 }\n";
    const { text } = stackFile(own("Pulumi.prod.yaml"), before, overlay("scale"));
    expect(configIn(text)["orion:database"]).toEqual({ primary: "db-2" });
    expect(configIn(stackFile(own("Pulumi.prod.yaml"), undefined, overlay("scale")).text)).not.toHaveProperty([
      "orion:database",
    ]);
  });

  test("names official images with the digests that the cloud's registry has, whatever the project's are", () => {
    const { text } = stackFile(own("Pulumi.prod.yaml"), undefined, overlay("mvp"));
    const postgres = `postgres:15-bookworm@sha256:${"12".repeat(32)}`;
    const pinned = withDigests(text, { postgres });
    expect(configIn(pinned)["orion:images"]).toEqual({ pinned: false, postgres });
    expect({ ...configIn(pinned), "orion:images": 0 }).toEqual({ ...configIn(text), "orion:images": 0 });
    expect(parse(withDigests(pinned, {}))).toEqual(parse(pinned));
  });

  test("holds no token in clear text", () => {
    expect(stackFile(own("Pulumi.prod.yaml"), undefined, overlay("mvp")).text).not.toContain(cloud.token);
  });
});

test("an image that this machine does not have is stood in for by the one that it would be by default", () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  const wanted = new Map<ImageKey, string>([
    ["app", "registry.example.com/app:1"],
    ["redis", `mirror.example.com/redis:7@${digest}`],
    ["nginx", "nginx:1"],
    ["rclone", `rclone/rclone:1@${digest}`],
  ]);
  const defaults = new Map<ImageKey, string>([
    ["app", "orion/sample-app:abc"],
    ["docs", "orion/docs:abc"],
    ["redis", "redis:7"],
    ["nginx", "nginx:1"],
    ["rclone", "rclone/rclone:1"],
  ]);
  const redis = `mirror.example.com/redis:7@${digest}`;
  const deliveries = deliveriesOf(wanted, defaults, new Set([redis]));
  expect(deliveries).toEqual([
    { key: "app", built: "app", image: "orion/sample-app:abc", reference: "registry.example.com/app:1" },
    // A digest is that of another registry: the cloud's own has another one for the same image.
    { key: "redis", built: undefined, image: redis, reference: "mirror.example.com/redis:7" },
    { key: "nginx", built: "nginx", image: "nginx:1", reference: "nginx:1" },
    { key: "rclone", built: "rclone", image: "rclone/rclone:1", reference: "rclone/rclone:1" },
  ]);
  expect(deliveries.map(isStandIn)).toEqual([true, false, false, false]);
});

describe("the report", () => {
  const status = (more: Partial<Status>): Status => ({
    ...{ instance: "main", machines: "docker", pid: 1, hetzner: "", cloudflare: "", page: "http://127.0.0.1:8470/" },
    ...{ edge: "127.77.255.1", registry: null, servers: [], balancers: [], records: [], buckets: [], faults: [] },
    ...{ networks: [], volumes: [], changes: [], clients: [], calls: [], totalCalls: 0 },
    clock: { time: "2026-11-29T12:00:00Z", aheadMilliseconds: 0 },
    ...more,
  });
  const paths = { folder: "f", authority: "a.pem" };
  const file = (more: string): StackFile => describeStack("prod", parse(`${own("Pulumi.prod.yaml")}\n${more}`), "main");

  test("leads through the edge, and to the next phase", () => {
    const text = reportOf(file(""), status({}), paths, true);
    expect(text).toContain(
      "curl --resolve orion.example.com:443:127.77.255.1 --cacert a.pem https://orion.example.com/\n",
    );
    expect(text).toContain("make doctor STACK=prod REHEARSAL=1 CLOUD=main");
    expect(text).toContain("make rehearse PHASE=scale STACK=prod CLOUD=main");
    // Only to one that this version brings up.
    const last = { ...file(""), settings: { ...file("").settings, phase: builtPhases.at(-1) ?? "mvp" } };
    expect(reportOf(last, status({}), paths, true)).not.toContain("PHASE=");
  });

  test("leads to the server where no Cloudflare is in front", () => {
    const plain = (parse(own("Pulumi.prod.yaml")) as { config: Record<string, unknown> }).config;
    const bare = { ...plain, "orion:cloudflare": { enabled: false }, "orion:edge": { tls: "self-signed" } };
    const config = { ...bare, "orion:storage": { backend: "local", noBackups: true } };
    const server = {
      id: 1,
      name: "orion-prod-core-1",
      type: "",
      status: "running",
      private: [],
      volumes: [],
      location: "",
      networks: [],
    };
    const servers = [{ ...server, address: "127.77.0.1" }];
    const text = reportOf(describeStack("prod", { config }), status({ servers }), paths, true);
    expect(text).toContain("curl --resolve orion.example.com:443:127.77.0.1 --insecure https://orion.example.com/\n");
  });

  test("of a try that failed says how to go on", () => {
    const text = reportOf(file(""), status({}), paths, false);
    expect(text).toContain("did not come up");
    expect(text).toContain("make rehearse PHASE=mvp STACK=prod CLOUD=main");
    expect(text).not.toContain("curl");
  });
});

describe("the folder", () => {
  const folder = rehearsalFolder("/home/me/orion", "main", "prod");

  test("is known as a rehearsal's, and what belongs to real stacks does not reach it", () => {
    expect(rehearsalCloud(folder)).toBe("main");
    expect(rehearsalCloud("/home/me/orion")).toBeUndefined();
    const env = {
      ...{ PATH: "/bin", PULUMI_HOME: "/p", PULUMI_BACKEND_URL: "s3://real", PULUMI_CONFIG_PASSPHRASE: "real" },
      ...{ PULUMI_CONFIG_PASSPHRASE_FILE: "/real", HCLOUD_TOKEN: "real", CLOUDFLARE_API_KEY: "real" },
    };
    expect(ownEnvironment(folder, env)).toEqual({ PATH: "/bin", PULUMI_HOME: "/p" });
    expect(ownEnvironment("/home/me/orion", env)).toBe(env);
  });

  test("of ssh's sockets moves below the home directory when their paths would be too long", () => {
    const short = cloudFolder("/home/me/orion", "main");
    expect(sshFolder(short, cloud)).toBe(`${short}/ssh`);
    const long = cloudFolder(`/home/me/${"deep/".repeat(10)}orion`, "main");
    expect(sshFolder(long, cloud)).toMatch(/\/\.orion\/ssh\/12121212$/);
  });
});

test("a rehearsal's file does not say where the real state is", () => {
  const theirs = `${own("Pulumi.prod.yaml")}  orion:stateUrl: s3://real\n`;
  expect(configIn(theirs)["orion:stateUrl"]).toBe("s3://real");
  expect(Object.keys(configIn(stackFile(theirs, undefined, overlay("mvp")).text))).not.toContain("orion:stateUrl");
});
