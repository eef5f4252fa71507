/** Where the objects of R2 buckets are, as the API sees it. */

export interface ObjectStorage {
  createBucket(name: string): Promise<void>;
  /** @returns false when the bucket is not empty, and so stays */
  deleteBucket(name: string): Promise<boolean>;
  /** Makes keys of tokens, and takes those away that are no more. */
  setKeys(keys: readonly AccessKey[]): Promise<void>;
}

/** A token as a key of the S3 interface. */
export interface AccessKey {
  /** The id of the token. */
  readonly id: string;
  /** The SHA-256 of the token's value, in hexadecimal digits. */
  readonly secret: string;
  /** Buckets that it opens, each for reading or for writing as well. */
  readonly buckets: readonly { readonly name: string; readonly write: boolean }[];
}

/** No objects: buckets exist in the API only, and are always empty. */
export const noObjects: ObjectStorage = {
  createBucket: () => Promise.resolve(),
  deleteBucket: () => Promise.resolve(true),
  setKeys: () => Promise.resolve(),
};
