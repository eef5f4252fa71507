/** Where files go: exactly what the component asks the engine for, in a preview and in an update. */
import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { permissionId, secretKeyOf } from "../../../../components/storage/bucket.ts";
import { type R2Args, Storage } from "../../../../components/storage/storage.ts";
import { compose, mockZoneId } from "../../support/compose.ts";
import { named, runtimeOf } from "../../support/runtime.ts";

const accountId = "a".repeat(32);
const endpoint = "https://files.example.net";

describe.each(["preview", "up"] as const)("Storage in mode %s", (mode) => {
  test("local: a protected volume, and the app is told its directory", async () => {
    const { resources, result } = await compose(
      mode,
      () => new Storage("storage", { backend: "local", runtime: runtimeOf() }),
    );
    expect(named(resources, "storage-uploads")).toMatchObject({
      inputs: { name: "orion-test-uploads" },
      options: { protect: true },
    });
    expect(result.environment).toEqual({ STORAGE_BACKEND: "local", UPLOAD_DIR: "/app/uploads" });
    expect(result.backups).toBeUndefined();
  });

  const r2 = (more: Partial<R2Args> = {}) =>
    compose(mode, () => new Storage("storage", { backend: "r2", bucket: "orion-files", accountId, endpoint, ...more }));

  test.each([
    [14, true, 14 * 86_400],
    // Deleting the rule would leave the lock at Cloudflare.
    [0, false, 86_400],
  ])("r2: backups are locked for %d days, the platform's files are not", async (lockDays, enabled, maxAgeSeconds) => {
    const { resources } = await r2({ lockDays });
    expect(resources.filter(({ type }) => type.endsWith(":R2BucketLock"))).toEqual([
      {
        type: "cloudflare:index/r2BucketLock:R2BucketLock",
        name: "storage-backups-lock",
        inputs: {
          ...{ accountId, bucketName: "orion-files-backups" },
          rules: [{ id: "orion", enabled, prefix: "postgresql/", condition: { type: "Age", maxAgeSeconds } }],
        },
        options: {
          parent: "orion:storage:Bucket storage-backups",
          dependencies: ["cloudflare:index/r2Bucket:R2Bucket storage-backups-bucket"],
        },
      },
    ]);
  });

  test.each([
    ["storage-files", "orion-files"],
    ["storage-backups", "orion-files-backups"],
  ])("r2: %s is a bucket that nothing deletes", async (name, bucket) => {
    const { resources } = await r2();
    const parent = `orion:storage:Bucket ${name}`;
    expect(named(resources, name).options).toEqual({ parent: "orion:storage:Storage storage" });
    expect(named(resources, `${name}-bucket`)).toEqual({
      type: "cloudflare:index/r2Bucket:R2Bucket",
      name: `${name}-bucket`,
      inputs: { name: bucket, accountId, location: "weur" },
      options: { parent, protect: true, retainOnDelete: true, ignoreChanges: ["location"] },
    });
    expect(named(resources, `${name}-lifecycle`)).toEqual({
      type: "cloudflare:index/r2BucketLifecycle:R2BucketLifecycle",
      name: `${name}-lifecycle`,
      inputs: {
        accountId,
        bucketName: bucket,
        rules: [
          {
            id: "unfinished uploads",
            enabled: true,
            conditions: { prefix: "" },
            abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: 86_400 } },
          },
        ],
      },
      options: { parent, dependencies: [`cloudflare:index/r2Bucket:R2Bucket ${name}-bucket`] },
    });
  });

  test.each([
    ["storage-files", "orion-files"],
    ["storage-backups", "orion-files-backups"],
  ])("r2: the token of %s opens that bucket alone", async (name, bucket) => {
    const { resources } = await r2();
    expect(named(resources, `${name}-token`)).toEqual({
      type: "cloudflare:index/accountToken:AccountToken",
      name: `${name}-token`,
      inputs: {
        accountId,
        name: `orion ${bucket}`,
        policies: [
          {
            effect: "allow",
            permissionGroups: [{ id: "id of Workers R2 Storage Bucket Item Write" }],
            resources: JSON.stringify({ [`com.cloudflare.edge.r2.bucket.${accountId}_default_${bucket}`]: "*" }),
          },
        ],
      },
      options: {
        parent: `orion:storage:Bucket ${name}`,
        dependencies: [`cloudflare:index/r2Bucket:R2Bucket ${name}-bucket`],
      },
    });
  });

  test("r2: the pages of the platform may use the files, and others not", async () => {
    const { resources } = await r2({ pages: ["orion.example.com", "shop.example.com"] });
    expect(named(resources, "storage-cors").inputs).toEqual({
      accountId,
      bucketName: "orion-files",
      rules: [
        {
          id: "platform",
          allowed: {
            methods: ["GET", "HEAD", "PUT"],
            origins: ["https://orion.example.com", "https://shop.example.com"],
            headers: ["content-type", "content-md5", "range"],
          },
          exposeHeaders: ["ETag", "Content-Length", "Content-Range"],
          maxAgeSeconds: 3600,
        },
      ],
    });
    expect((await r2()).resources.map((resource) => resource.name)).not.toContain("storage-cors");
  });

  test("r2: with a domain of its own, the files are public there and the app says so", async () => {
    const { resources, result } = await r2({ custom: { domain: "files.example.com", zone: "example.com" } });
    expect(named(resources, "storage-domain").inputs).toEqual({
      accountId,
      bucketName: "orion-files",
      domain: "files.example.com",
      zoneId: mockZoneId("example.com"),
      enabled: true,
      minTls: "1.2",
    });
    expect(result.environment["R2_PUBLIC_URL"]).toBe("https://files.example.com");
  });
});

describe("what the app and the backups are told", () => {
  const digest = (text: string) => createHash("sha256").update(text).digest("hex");
  const values = async (from: Readonly<Record<string, pulumi.Input<string>>>) =>
    Object.fromEntries(
      await Promise.all(
        Object.entries(from).map(async ([key, input]) => {
          const output = pulumi.output(input);
          const value = await new Promise<string>((resolve) => output.apply(resolve));
          return [key, (await pulumi.isSecret(output)) ? { secret: value } : value] as const;
        }),
      ),
    );
  const storage = async () => {
    const { result, resources } = await compose(
      "up",
      () => new Storage("storage", { backend: "r2", bucket: "orion-files", accountId, endpoint }),
    );
    return { result, names: resources.map(({ name }) => name) };
  };

  test("exactly the variables that the image reads, the secret as a secret", async () => {
    const { result } = await storage();
    expect(await values(result.environment)).toEqual({
      STORAGE_BACKEND: "r2",
      R2_ENDPOINT_URL: endpoint,
      R2_BUCKET: "orion-files",
      R2_ACCESS_KEY_ID: expect.stringMatching(/^\d+$/) as string,
      R2_SECRET_ACCESS_KEY: { secret: digest("generated-storage-files-token") },
    });
  });

  test("backups have credentials of their own", async () => {
    const { result } = await storage();
    if (!result.backups) throw new Error("no backups");
    const backups = await values({ ...result.backups });
    expect(backups).toEqual({
      bucket: "orion-files-backups",
      endpoint,
      accessKeyId: expect.stringMatching(/^\d+$/) as string,
      secretAccessKey: { secret: digest("generated-storage-backups-token") },
    });
    expect(backups["accessKeyId"]).not.toBe((await values(result.environment))["R2_ACCESS_KEY_ID"]);
  });
});

describe("the permission of a token", () => {
  const write = "Workers R2 Storage Bucket Item Write";

  test("is found by its whole name", () => {
    const groups = [
      { id: "1", name: "Workers R2 Storage Bucket Item Read" },
      { id: "2", name: write },
    ];
    expect(permissionId(groups)).toBe("2");
  });

  test.each([
    [[], "it has none for buckets"],
    [[{ id: "1", name: "Other" }], "it has 'Other'"],
  ])("an account that lacks it is told so: %j", (groups, message) => {
    expect(() => permissionId(groups)).toThrow(pulumi.RunError);
    expect(() => permissionId(groups)).toThrow(`Cloudflare has no permission '${write}' for tokens of this account`);
    expect(() => permissionId(groups)).toThrow(message);
  });
});

test("the secret of a token that is left out, or whose value is lost, is no unhandled exception", () => {
  const hash = createHash("sha256").update("value").digest("hex");
  expect(secretKeyOf("storage-files-token", "id", "value")).toBe(hash);
  expect(secretKeyOf("storage-files-token", undefined, undefined)).toBe("");
  expect(() => secretKeyOf("storage-files-token", "id", undefined)).toThrow(
    /token storage-files-token is not in the state.*npx pulumi up --target-replace '\*\*::storage-files-token'/,
  );
});
