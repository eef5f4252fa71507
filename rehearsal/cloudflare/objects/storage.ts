/** Interface of the object storage behind R2's API, and an empty one for clouds without machines. */

export interface ObjectStorage {
  createBucket(name: string): Promise<void>;
  /** @returns false when the bucket is not empty and was not deleted */
  deleteBucket(name: string): Promise<boolean>;
  /** When an object was written; undefined when there is none. */
  uploaded(bucket: string, key: string): Promise<Date | undefined>;
  /** Bytes of each part of an unfinished upload, by its number; undefined when there is no such upload. */
  parts(bucket: string, key: string, upload: string): Promise<ReadonlyMap<number, number> | undefined>;
  /** Replaces all access keys by these. */
  setKeys(keys: readonly AccessKey[]): Promise<void>;
}

/** An access key of the S3 interface, derived from an API token. */
export interface AccessKey {
  /** The id of the token. */
  readonly id: string;
  /** The SHA-256 of the token's value, in hexadecimal digits. */
  readonly secret: string;
  /** Whether it opens every bucket, lists them, and creates and deletes some. */
  readonly isAdmin?: boolean;
  /** Single buckets that it can access, each read-only or with write access. */
  readonly buckets: readonly { readonly name: string; readonly write: boolean }[];
}

/** Storage without objects: buckets exist in the API only and are always empty. */
export const noObjects: ObjectStorage = {
  createBucket: () => Promise.resolve(),
  deleteBucket: () => Promise.resolve(true),
  uploaded: () => Promise.resolve(undefined),
  parts: () => Promise.resolve(undefined),
  setKeys: () => Promise.resolve(),
};
