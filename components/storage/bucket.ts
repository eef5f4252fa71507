/** A protected R2 bucket with credentials for this bucket only, lifecycle and lock. */
import { createHash } from "node:crypto";
import { AccountToken } from "@pulumi/cloudflare/accountToken.js";
import { getAccountApiTokenPermissionGroupsListOutput } from "@pulumi/cloudflare/getAccountApiTokenPermissionGroupsList.js";
import { R2Bucket } from "@pulumi/cloudflare/r2bucket.js";
import { R2BucketLifecycle } from "@pulumi/cloudflare/r2bucketLifecycle.js";
import { R2BucketLock } from "@pulumi/cloudflare/r2bucketLock.js";
import * as pulumi from "@pulumi/pulumi";

export interface BucketArgs {
  readonly accountId: string;
  /** The bucket's name in the account. */
  readonly bucket: string;
  /** Whether the engine and the provider refuse to delete resources with data. @default true */
  readonly protection?: boolean;
  /**
   * R2 refuses to delete or overwrite objects below the prefix for so many days after their upload; 0: for no time.
   * @default - no lock
   */
  readonly lock?: { readonly prefix: string; readonly days: number };
}

/** The permission of tokens: read, write and delete the objects of a bucket. R2 has none that writes and cannot delete. */
const permission = "Workers R2 Storage Bucket Item Write";
const scope = "com.cloudflare.edge.r2.bucket";

export class Bucket extends pulumi.ComponentResource {
  readonly bucket: pulumi.Output<string>;
  readonly accessKeyId: pulumi.Output<string>;
  /** A secret. */
  readonly secretAccessKey: pulumi.Output<string>;

  constructor(name: string, args: BucketArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:storage:Bucket", name, {}, opts);
    const bucket = this.#createBucket(name, args);
    this.#createLifecycle(name, args, bucket);
    this.#createLock(name, args, bucket);
    const token = this.#createToken(name, args, bucket);
    this.bucket = bucket.name;
    // R2 derives S3 credentials from a token: its id, and the SHA-256 of its value.
    this.accessKeyId = token.id;
    this.secretAccessKey = pulumi.secret(
      pulumi.all([token.id, token.value]).apply(([id, value]) => secretKeyOf(`${name}-token`, id, value)),
    );
    this.registerOutputs({ bucket: this.bucket });
  }

  #createBucket(name: string, { accountId, bucket, protection = true }: BucketArgs): R2Bucket {
    return new R2Bucket(
      `${name}-bucket`,
      // Near the servers. It is only a hint: R2 may choose another location, which must not replace the bucket.
      { accountId, name: bucket, location: "weur" },
      { parent: this, protect: protection, retainOnDelete: protection, ignoreChanges: ["location"] },
    );
  }

  /** Parts of incomplete uploads cost as much as files, so they expire. Nothing else expires. */
  #createLifecycle(name: string, { accountId }: BucketArgs, bucket: R2Bucket): void {
    new R2BucketLifecycle(
      `${name}-lifecycle`,
      {
        accountId,
        bucketName: bucket.name,
        rules: [
          {
            id: "unfinished uploads",
            enabled: true,
            conditions: { prefix: "" },
            abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: 86_400 } },
          },
        ],
      },
      { parent: this },
    );
  }

  /**
   * Not even root on the server can delete what is locked: only a token that may change the bucket itself can lift the lock.
   * Without days the rule is disabled, not deleted: the provider's deletion leaves the lock in place.
   */
  #createLock(name: string, { accountId, lock }: BucketArgs, bucket: R2Bucket): void {
    if (lock === undefined) return;
    const condition = { type: "Age", maxAgeSeconds: Math.max(1, lock.days) * 86_400 };
    new R2BucketLock(
      `${name}-lock`,
      {
        accountId,
        bucketName: bucket.name,
        rules: [{ id: "orion", enabled: lock.days > 0, prefix: lock.prefix, condition }],
      },
      { parent: this },
    );
  }

  #createToken(name: string, { accountId, bucket }: BucketArgs, made: R2Bucket): AccountToken {
    const groups = getAccountApiTokenPermissionGroupsListOutput({ accountId, scope }, { parent: this });
    return new AccountToken(
      `${name}-token`,
      {
        accountId,
        name: `orion ${bucket}`,
        policies: [
          {
            effect: "allow",
            permissionGroups: [{ id: groups.apply(({ results }) => permissionId(results)) }],
            resources: JSON.stringify({ [`${scope}.${accountId}_default_${bucket}`]: "*" }),
          },
        ],
      },
      { parent: this, dependsOn: made },
    );
  }
}

/**
 * The S3 secret of a token. Cloudflare shows a token's value once, when it is made.
 *
 * @param id undefined when the token is not made yet and `pulumi up --target` leaves it out; the engine then creates nothing
 *   that would get the secret
 * @throws {pulumi.RunError} when the token exists and its value is not in the state
 */
export function secretKeyOf(name: string, id: string | undefined, value: string | undefined): string {
  if (value) return createHash("sha256").update(value).digest("hex");
  if (!id) return "";
  throw new pulumi.RunError(
    `The value of Cloudflare's token ${name} is not in the state, and Cloudflare shows it only once. Make another token: ` +
      `npx pulumi up --target-replace '**::${name}', then npx pulumi up`,
  );
}

/** @throws {pulumi.RunError} when the account has no such permission; the message lists the ones that it has */
export function permissionId(groups: readonly { readonly id: string; readonly name: string }[]): string {
  const found = groups.find(({ name }) => name === permission);
  if (found) return found.id;
  throw new pulumi.RunError(
    `Cloudflare has no permission '${permission}' for tokens of this account; it has ` +
      `${groups.map(({ name }) => `'${name}'`).join(", ") || "none for buckets"}. Is R2 enabled for the account?`,
  );
}
