/**
 * Which S3 requests (path style) R2 implements: every other one is refused with NotImplemented and its name, because the S3
 * server behind it knows more than R2. Pure.
 */
import { deletedKeys } from "./xml.ts";

/** An S3 request, as far as it decides what is asked for. */
export interface S3Request {
  readonly method: string;
  /** Encoded, as it was sent. */
  readonly path: string;
  readonly query: string;
  /** By their names in small letters. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface S3Operation {
  /** As S3 calls it. @example "CompleteMultipartUpload" */
  readonly name: string;
  /** Empty for one of the account. */
  readonly bucket: string;
  /** Empty for one of the account or of a bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
}

/** Why a request is refused. */
export interface NotImplemented {
  readonly message: string;
}

type Level = "account" | "bucket" | "object";

/** Parameters that sign a request, or that repeat the name of the operation. */
const isSignature = (name: string): boolean =>
  /^x-amz-(algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256|.*checksum.*)$/i.test(
    name,
  ) || name === "x-id";

const listing = ["delimiter", "encoding-type", "max-keys", "prefix"];
const overrides = ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type"];
const reading = ["partNumber", ...[...overrides, "expires"].map((name) => `response-${name}`)];

/** Operations with the parameters that they must have, and those that they may have; the first that fits is meant. */
const operations: readonly (readonly [
  name: string,
  level: Level,
  method: string,
  needed: readonly string[],
  more: readonly string[],
])[] = [
  ["ListBuckets", "account", "GET", [], ["prefix", "max-buckets", "continuation-token"]],
  ["HeadBucket", "bucket", "HEAD", [], []],
  ["CreateBucket", "bucket", "PUT", [], []],
  ["DeleteBucket", "bucket", "DELETE", [], []],
  ["GetBucketLocation", "bucket", "GET", ["location"], []],
  [
    ...(["ListMultipartUploads", "bucket", "GET", ["uploads"]] as const),
    ["delimiter", "encoding-type", "key-marker", "max-uploads", "prefix", "upload-id-marker"],
  ],
  [
    ...(["ListObjectsV2", "bucket", "GET", ["list-type"]] as const),
    [...listing, "continuation-token", "fetch-owner", "start-after"],
  ],
  ["ListObjects", "bucket", "GET", [], [...listing, "marker"]],
  ["DeleteObjects", "bucket", "POST", ["delete"], []],
  ["HeadObject", "object", "HEAD", [], reading],
  ["ListParts", "object", "GET", ["uploadId"], ["max-parts", "part-number-marker", "encoding-type"]],
  ["GetObject", "object", "GET", [], reading],
  ["UploadPart", "object", "PUT", ["partNumber", "uploadId"], []],
  ["PutObject", "object", "PUT", [], []],
  ["CreateMultipartUpload", "object", "POST", ["uploads"], []],
  ["CompleteMultipartUpload", "object", "POST", ["uploadId"], []],
  ["AbortMultipartUpload", "object", "DELETE", ["uploadId"], []],
  ["DeleteObject", "object", "DELETE", [], []],
];

/** Names of the operations that R2 has. */
export const objectOperations: readonly string[] = operations.map(([name]) => name);

/** What S3 calls the parts of a bucket or an object that R2 does not have, by their parameter. */
const parts: Readonly<Record<string, string>> = {
  accelerate: "AccelerateConfiguration",
  acl: "Acl",
  analytics: "AnalyticsConfiguration",
  attributes: "Attributes",
  encryption: "Encryption",
  "intelligent-tiering": "IntelligentTieringConfiguration",
  inventory: "InventoryConfiguration",
  "legal-hold": "LegalHold",
  logging: "Logging",
  metrics: "MetricsConfiguration",
  notification: "NotificationConfiguration",
  "object-lock": "LockConfiguration",
  ownershipControls: "OwnershipControls",
  policy: "Policy",
  policyStatus: "PolicyStatus",
  publicAccessBlock: "PublicAccessBlock",
  replication: "Replication",
  requestPayment: "RequestPayment",
  restore: "Restore",
  retention: "Retention",
  select: "SelectContent",
  tagging: "Tagging",
  torrent: "Torrent",
  versioning: "Versioning",
  versions: "Versions",
  website: "Website",
};

/** Parts of a bucket that R2 has in its S3 interface as well as in its API; here, in the API only. */
const inApiOnly = ["cors", "lifecycle"];

const verbs: Readonly<Record<string, string>> = {
  GET: "Get",
  HEAD: "Head",
  PUT: "Put",
  POST: "Post",
  DELETE: "Delete",
};

/**
 * Headers of S3 that are honoured; a client that sends another one believes that it was. Among those are encryption with keys
 * of the client, without which an object would be readable without the key, tags, access lists and locks of objects.
 */
const honoured: readonly RegExp[] = [
  /^x-amz-(content-sha256|date|security-token|user-agent|decoded-content-length|trailer)$/,
  /^x-amz-(sdk-checksum-algorithm|checksum-.*|meta-.*|metadata-directive|mp-object-size|if-match-.*)$/,
  /^x-amz-copy-source(-range|-if-(match|none-match|modified-since|unmodified-since))?$/,
];

const conditions = ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"];

/** The conditions under which an operation is done; the storage would do others without looking at them. */
function conditionsOf({ headers }: S3Request, { name }: S3Operation): readonly string[] {
  if (name === "GetObject" || name === "HeadObject") return conditions;
  if (name === "DeleteObject") return ["if-match"];
  const isCopy = headers["x-amz-copy-source"] !== undefined;
  return name === "PutObject" && !isCopy ? ["if-match", "if-none-match"] : [];
}

/** Elements of S3 in the body of DeleteObjects that make a deletion depend on what the object is; R2 has no versions. */
const conditional = /<(ETag|LastModifiedTime|Size|VersionId)>/;
/** Keys of one DeleteObjects. */
const mostKeys = 1000;

/** Why the body of DeleteObjects is refused: what it asks for besides keys, or that these are too many. */
export function deletionRefusal(body: string): { readonly code: string; readonly message: string } | undefined {
  const [, element] = conditional.exec(body) ?? [];
  if (element !== undefined) return { code: "NotImplemented", message: `${element} in DeleteObjects not implemented` };
  return deletedKeys(body).length > mostKeys
    ? {
        code: "MalformedXML",
        message: "The XML you provided was not well formed or did not validate against our published schema.",
      }
    : undefined;
}

/** The operation that a request asks for, or why there is none. */
export function operationOf(request: S3Request): S3Operation | NotImplemented {
  const names = decoded(request.path)?.split("/").slice(1);
  if (names === undefined) return { message: `The path ${request.path} is not implemented: it is not valid` };
  const [bucket = "", ...rest] = names;
  const key = rest.join("/");
  if (key !== "" && !isPlain(bucket, key)) return { message: keyMessage(key) };
  const level: Level = key !== "" ? "object" : bucket !== "" ? "bucket" : "account";
  const query = new URLSearchParams(request.query);
  const found = operations.find(
    ([, at, method, needed]) => at === level && method === request.method && needed.every((name) => query.has(name)),
  );
  const asked = [...query.keys()].filter((name) => !isSignature(name));
  if (found === undefined) return { message: `${nameOf(request.method, level, asked)} not implemented` };
  const [name, , , needed, more] = found;
  const surplus = asked.filter((each) => !needed.includes(each) && !more.includes(each));
  const [first] = surplus;
  if (first === undefined) return { name, bucket, key, query };
  if (Object.hasOwn(parts, first)) return { message: `${nameOf(request.method, level, surplus)} not implemented` };
  if (inApiOnly.includes(first))
    return { message: `${nameOf(request.method, level, surplus)} is not emulated: use Cloudflare's API` };
  return { message: `Parameter '${first}' with value '${query.get(first) ?? ""}' not implemented` };
}

/** The first header that would be ignored. */
export function headerNotImplemented(request: S3Request, operation: S3Operation): NotImplemented | undefined {
  const given = Object.entries(request.headers).find(([name, value]) => {
    if (value === undefined) return false;
    if (name === "x-amz-storage-class") return value !== "STANDARD";
    // What every object is; Cloudflare's own guide for rclone has it sent.
    if (name === "x-amz-acl") return value !== "private";
    if (name === "x-amz-checksum-type") return !isChecksumType(request.headers["x-amz-checksum-algorithm"], value);
    if (name.startsWith("x-amz-copy-source-if-") && operation.name === "UploadPart") return true;
    if (name === "cf-create-bucket-if-missing" || name.startsWith("cf-copy-destination-if-")) return true;
    if (conditions.includes(name)) return !conditionsOf(request, operation).includes(name);
    return name.startsWith("x-amz-") && !honoured.some((one) => one.test(name));
  });
  if (given === undefined) return undefined;
  const [name, value] = given;
  return { message: `Header '${name}' with value '${name.includes("-key") ? "..." : String(value)}' not implemented` };
}

/** R2 has checksums of whole objects in parts with CRC-64 only, and those of all parts with the others only. */
const isChecksumType = (algorithm: unknown, type: unknown): boolean =>
  algorithm === undefined || (algorithm === "CRC64NVME") === (type === "FULL_OBJECT");

function nameOf(method: string, level: Level, asked: readonly string[]): string {
  const verb = verbs[method] ?? method;
  const object = level === "object" ? "Object" : "Bucket";
  const part = asked.find((name) => Object.hasOwn(parts, name) || inApiOnly.includes(name));
  if (part === undefined) return method === "POST" && level === "bucket" ? "PostObject" : `${verb}${object}`;
  if (part === "publicAccessBlock") return `${verb}PublicAccessBlock`;
  if (part === "object-lock") return `${verb}ObjectLockConfiguration`;
  if (part === "versions") return "ListObjectVersions";
  if (part === "restore") return "RestoreObject";
  if (part === "select") return "SelectObjectContent";
  if (part === "lifecycle") return `${verb}BucketLifecycle${method === "DELETE" ? "" : "Configuration"}`;
  return `${verb}${object}${part === "cors" ? "Cors" : (parts[part] ?? "")}`;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * Whether the storage, whose objects are files in folders, takes a key as it is: R2 would have an object `a//b` or `a/../b`,
 * the storage takes it for `a/b` or `b`, past a lock on that one.
 */
export const isPlain = (bucket: string, key: string): boolean =>
  [bucket, ...key.split("/")].every(
    (name, index, all) => (name !== "" || (index > 0 && index === all.length - 1)) && name !== "." && name !== "..",
  );

export const keyMessage = (key: string): string =>
  `The key '${key}' is not emulated: it has an empty part, or one that is . or .., between its slashes`;
