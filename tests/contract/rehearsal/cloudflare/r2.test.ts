/** R2's S3 interface with keys made from tokens of the API, and with a real S3 server behind it. */
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { resolve } from "node:path";
import { crc32 } from "node:zlib";
import { AwsClient } from "aws4fetch";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { type R2Call, R2Endpoint } from "../../../../rehearsal/cloudflare/objects/r2-endpoint.ts";
import type { S3Server } from "../../../../rehearsal/cloudflare/objects/s3-server.ts";
import { permissionGroups } from "../../../../rehearsal/cloudflare/permissions.ts";
import { digestOf } from "../../../../rehearsal/cloudflare/world.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { freePort } from "../../../../common/ports.ts";
import { startS3 } from "../../../../testing/r2-store.ts";
import { accountId, Api } from "../support/api.ts";

const root = resolve(__dirname, "..", "..", "..", "..");
const mebibyte = 2 ** 20;
const bucketsPath = `/accounts/${accountId}/r2/buckets`;

let s3: S3Server;
let r2: R2Endpoint;
let api: Api;

// The server may have to be built first.
beforeAll(async () => {
  s3 = await startS3({ root, folder: temporaryFolder("objects") });
}, 900_000);
afterAll(() => s3.stop());

let calls: R2Call[] = [];
beforeEach(async () => {
  api = new Api([{ name: "example.com", plan: "free" }], s3);
  calls = [];
  r2 = new R2Endpoint({
    ...{ world: api.world, storage: s3, port: await freePort() },
    onCall: (call) => calls.push(call),
  });
  await r2.start();
  await api.call("POST", bucketsPath, { name: "files" });
});
afterEach(async () => {
  for (const name of await s3.buckets()) await s3.deleteBucket(name);
  await r2.stop();
});

/** A request with its path as it is, which clients that sign it would make plain. */
function raw(method: string, path: string): Promise<{ status: number; text: () => Promise<string> }> {
  return new Promise((settle, fail) => {
    const call = request({ host: "127.0.0.1", port: r2.port, method, path }, (answer) => {
      settle({ status: answer.statusCode ?? 0, text: async () => Buffer.concat(await answer.toArray()).toString() });
    });
    call.once("error", fail);
    call.end();
  });
}

type Send = (method: string, path: string, options?: Sent) => Promise<Answer>;
interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}
interface Answer {
  readonly status: number;
  readonly text: string;
  /** The code and the message of an error. */
  readonly error: readonly (string | undefined)[];
}

/** Signs with the key of a new token. @param bucket the one that it is for; undefined: for all of the account */
async function signerFor(permission: string, bucket?: string, more: object = {}): Promise<AwsClient> {
  const id = permissionGroups.find(({ name }) => name === permission)?.id;
  const resource =
    bucket === undefined
      ? `com.cloudflare.api.account.${accountId}`
      : `com.cloudflare.edge.r2.bucket.${accountId}_default_${bucket}`;
  const policies = [{ effect: "allow", permission_groups: [{ id }], resources: { [resource]: "*" } }];
  const { result } = await api.call("POST", "/user/tokens", { name: permission, policies, ...more });
  const key = { accessKeyId: String(result["id"]), secretAccessKey: digestOf(String(result["value"])) };
  return new AwsClient({ ...key, service: "s3", region: "auto", retries: 0 });
}

/** A client with such a key. */
async function clientFor(...key: Parameters<typeof signerFor>): Promise<Send> {
  const client = await signerFor(...key);
  return async (method, path, { headers = {}, body } = {}) => {
    const response = await client.fetch(`http://127.0.0.1:${r2.port}${path}`, {
      ...{ method, headers },
      ...(body !== undefined && { body }),
      // Headers that begin with x-amz are signed, as those of every other client.
      aws: { allHeaders: true },
    });
    const text = await response.text();
    const error = ["Code", "Message"].map((name) => new RegExp(`<${name}>(.*?)</${name}>`).exec(text)?.[1]);
    return { status: response.status, text, error };
  };
}

const inApi = async (): Promise<unknown[]> =>
  records((await api.call("GET", bucketsPath)).result["buckets"]).map(({ name }) => name);

describe("what a key may do", () => {
  test("one of the account lists all buckets, makes and deletes some, and the API knows of it", async () => {
    const send = await clientFor("Workers R2 Storage Write");
    expect((await send("GET", "/")).text).toContain("<Name>files</Name>");
    expect((await send("PUT", "/photos")).status).toBe(200);
    expect(await inApi()).toEqual(["files", "photos"]);
    expect((await send("PUT", "/photos/a", { body: "a" })).status).toBe(200);
    expect((await send("PUT", "/photos")).error[0]).toBe("BucketAlreadyOwnedByYou");
    expect((await send("DELETE", "/photos")).error[0]).toBe("BucketNotEmpty");
    expect(await inApi()).toEqual(["files", "photos"]);
    expect((await send("DELETE", "/photos/a")).status).toBe(204);
    expect((await send("DELETE", "/photos")).status).toBe(204);
    expect(await inApi()).toEqual(["files"]);
    expect((await send("PUT", "/With.Dots")).error[0]).toBe("InvalidBucketName");
    // One that the API makes is open to it at once.
    await api.call("POST", bucketsPath, { name: "later" });
    expect((await send("PUT", "/later/a", { body: "a" })).status).toBe(200);
    expect((await send("DELETE", "/later/a")).status).toBe(204);
  });

  test("one of the account that reads, reads everything and changes nothing", async () => {
    const write = await clientFor("Workers R2 Storage Write");
    await write("PUT", "/files/a", { body: "content" });
    const send = await clientFor("Workers R2 Storage Read");
    expect((await send("GET", "/")).text).toContain("<Name>files</Name>");
    expect((await send("GET", "/files/a")).text).toBe("content");
    for (const [method, path] of [
      ...[["PUT", "/files/b"] as const, ["DELETE", "/files/a"] as const, ["POST", "/files/a?uploads="] as const],
      ...[["PUT", "/photos"] as const, ["DELETE", "/files"] as const, ["POST", "/files?delete="] as const],
    ]) {
      expect([method, path, (await send(method, path)).error[0]]).toEqual([method, path, "AccessDenied"]);
    }
    expect((await write("GET", "/files/a")).text).toBe("content");
    await write("DELETE", "/files/a");
  });

  test("one of a bucket opens that one's objects, and neither lists nor deletes buckets", async () => {
    await api.call("POST", bucketsPath, { name: "other" });
    const send = await clientFor("Workers R2 Storage Bucket Item Write", "files");
    expect((await send("PUT", "/files/a", { body: "content" })).status).toBe(200);
    expect((await send("DELETE", "/files/a")).status).toBe(204);
    for (const [method, path] of [
      ...[["GET", "/"] as const, ["PUT", "/photos"] as const, ["DELETE", "/files"] as const],
      ...[["GET", "/other/a"] as const, ["PUT", "/other/a"] as const],
    ]) {
      expect([method, path, (await send(method, path)).status]).toEqual([method, path, 403]);
    }
    expect(await inApi()).toEqual(["files", "other"]);
  });

  test("none, once its token has ended", async () => {
    const end = new Date(api.now.getTime() + 60_000).toISOString();
    const send = await clientFor("Workers R2 Storage Bucket Item Write", "files", { expires_on: end });
    expect((await send("PUT", "/files/a", { body: "content" })).status).toBe(200);
    expect((await send("DELETE", "/files/a")).status).toBe(204);
    api.now = new Date(api.now.getTime() + 120_000);
    expect(await send("PUT", "/files/a", { body: "content" })).toMatchObject({ status: 401 });
  });

  test("nobody else's signature is taken", async () => {
    const { result } = await api.call("POST", "/user/tokens", {
      name: "all",
      policies: [
        {
          effect: "allow",
          permission_groups: [{ id: permissionGroups.find(({ name }) => name === "Workers R2 Storage Write")?.id }],
          resources: { [`com.cloudflare.api.account.${accountId}`]: "*" },
        },
      ],
    });
    const wrong = { accessKeyId: String(result["id"]), secretAccessKey: "guessed" };
    const client = new AwsClient({ ...wrong, service: "s3", region: "auto", retries: 0 });
    for (const [method, path] of [["GET", "/"] as const, ["PUT", "/photos"] as const, ["DELETE", "/files"] as const]) {
      expect((await client.fetch(`http://127.0.0.1:${r2.port}${path}`, { method })).status).toBe(403);
    }
    expect(await inApi()).toEqual(["files"]);
  });
});

describe("uploads in parts", () => {
  /** Uploads parts of these sizes, and has an object made of them. */
  async function upload(send: Send, key: string, sizes: readonly number[]): Promise<Answer> {
    const begun = await send("POST", `/files/${key}?uploads=`);
    const id = /<UploadId>(.*?)</.exec(begun.text)?.[1] ?? "";
    for (const [index, size] of sizes.entries()) {
      const body = new Uint8Array(size).fill(65 + index);
      expect((await send("PUT", `/files/${key}?partNumber=${index + 1}&uploadId=${id}`, { body })).status).toBe(200);
    }
    const listed = await send("GET", `/files/${key}?uploadId=${id}`);
    const etags = [...listed.text.matchAll(/<ETag>(.*?)<\/ETag>/g)].map(([, etag]) => etag);
    const parts = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
    const body = `<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`;
    const done = await send("POST", `/files/${key}?uploadId=${id}`, { body });
    await send("DELETE", done.status === 200 ? `/files/${key}` : `/files/${key}?uploadId=${id}`);
    return done;
  }

  test.each([
    [[5 * mebibyte, 5 * mebibyte, 3], 200, undefined],
    [[5 * mebibyte, 5 * mebibyte], 200, undefined],
    [[7], 200, undefined],
    [[5 * mebibyte, 5 * mebibyte + 1, 3], 400, "InvalidPart"],
    [[6 * mebibyte, 5 * mebibyte, 3], 400, "InvalidPart"],
    [[5 * mebibyte, 6 * mebibyte], 400, "InvalidPart"],
    [[4 * mebibyte, 4 * mebibyte, 3], 400, "EntityTooSmall"],
  ])("of %j bytes: %s %s", async (sizes, status, code) => {
    const send = await clientFor("Workers R2 Storage Bucket Item Write", "files");
    const done = await upload(send, "a(b)!'*~ c", sizes);
    expect([done.status, done.error[0]]).toEqual([status, code]);
  });
});

describe("what R2 does not implement", () => {
  let send: Send;
  beforeEach(async () => {
    send = await clientFor("Workers R2 Storage Write");
    await send("PUT", "/files/a", { body: "content" });
  });
  afterEach(async () => {
    // The owner was not shut out.
    expect((await send("GET", "/files/a")).text).toBe("content");
    expect((await send("DELETE", "/files/a")).status).toBe(204);
  });

  test.each([
    ["PUT", "/files?policy=", "PutBucketPolicy"],
    ["GET", "/files?policy=", "GetBucketPolicy"],
    ["DELETE", "/files?policy=", "DeleteBucketPolicy"],
    ["PUT", "/files?acl=", "PutBucketAcl"],
    ["PUT", "/files?tagging=", "PutBucketTagging"],
    ["PUT", "/files?versioning=", "PutBucketVersioning"],
    ["GET", "/files?versions=", "ListObjectVersions"],
    ["PUT", "/files?object-lock=", "PutObjectLockConfiguration"],
    ["PUT", "/files?ownershipControls=", "PutBucketOwnershipControls"],
    ["PUT", "/files?publicAccessBlock=", "PutPublicAccessBlock"],
    ["PUT", "/files?website=", "PutBucketWebsite"],
    ["PUT", "/files?logging=", "PutBucketLogging"],
    ["PUT", "/files?cors=", "PutBucketCors"],
    ["GET", "/files?lifecycle=", "GetBucketLifecycleConfiguration"],
    ["DELETE", "/files?lifecycle=", "DeleteBucketLifecycle"],
    ["POST", "/files", "PostObject"],
    ["PUT", "/files/a?tagging=", "PutObjectTagging"],
    ["GET", "/files/a?tagging=", "GetObjectTagging"],
    ["DELETE", "/files/a?tagging=", "DeleteObjectTagging"],
    ["PUT", "/files/a?acl=", "PutObjectAcl"],
    ["PUT", "/files/a?retention=", "PutObjectRetention"],
    ["PUT", "/files/a?legal-hold=", "PutObjectLegalHold"],
    ["GET", "/files/a?attributes=", "GetObjectAttributes"],
    ["POST", "/files/a?restore=", "RestoreObject"],
    ["POST", "/files/a?select=&select-type=2", "SelectObjectContent"],
    ["PATCH", "/create-user", "PATCHBucket"],
  ])("%s %s is refused as %s", async (method, path, name) => {
    const { status, error } = await send(method, path, method === "GET" ? {} : { body: "<X/>" });
    expect([status, ...error]).toEqual([501, "NotImplemented", expect.stringMatching(`^${name} (is )?not `)]);
  });

  test.each([
    ["DELETE", "/files/a?versionId=1", "versionId"],
    ["GET", "/files?list-type=2&shard=1", "shard"],
    ["GET", "/?region=auto", "region"],
    // Where a client signs an address, it moves headers there.
    ["PUT", "/files/a?X-Amz-Tagging=a%3Db", "X-Amz-Tagging"],
    ["PUT", "/files/a?x-amz-storage-class=STANDARD_IA", "x-amz-storage-class"],
  ])("%s %s is refused with the name of the parameter", async (method, path, name) => {
    const { status, error } = await send(method, path);
    expect([status, ...error]).toEqual([501, "NotImplemented", expect.stringContaining(`'${name}'`)]);
  });

  /** Sends a request with a header that is not emulated. @returns the message of the refusal */
  const refusedByName = async (method: string, name: string, value: string): Promise<string | undefined> => {
    const body = method === "PUT" ? { body: "other" } : {};
    const { status, error } = await send(method, "/files/a", { headers: { [name]: value }, ...body });
    expect([status, ...error]).toEqual([501, "NotImplemented", expect.stringContaining(`Header '${name}'`)]);
    return error[1];
  };

  const key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
  test.each<[string, string, string]>([
    ["PUT", "x-amz-server-side-encryption-customer-key", key],
    ["GET", "x-amz-server-side-encryption-customer-algorithm", "AES256"],
    ["PUT", "x-amz-server-side-encryption", "aws:kms"],
    ["PUT", "x-amz-storage-class", "STANDARD_IA"],
    ["PUT", "x-amz-storage-class", "GLACIER"],
    ["PUT", "x-amz-tagging", "a=b"],
    ["PUT", "x-amz-acl", "public-read"],
    ["PUT", "x-amz-grant-read", "id=1"],
    ["PUT", "x-amz-object-lock-mode", "COMPLIANCE"],
    ["PUT", "x-amz-website-redirect-location", "/b"],
    ["PUT", "x-amz-expected-bucket-owner", "1"],
    ["PUT", "x-amz-write-offset-bytes", "0"],
  ])("%s with the header %s: %s is refused by name", async (method, name, value) => {
    const message = await refusedByName(method, name, value);
    expect(message).not.toContain(key);
  });

  // The storage, which has folders, would take it for another key.
  test.each(["/files/x//a", "/files//a", "/files/x/../a", "/files/x%2F..%2Fa", "/files/./a", "//files/a"])(
    "the key of %s is refused",
    async (path) => {
      const response = await raw("PUT", path);
      expect([response.status, await response.text()]).toEqual([501, expect.stringContaining("is not emulated")]);
      const body = `<Delete><Object><Key>${path.replace(/^\/+files\//, "").replaceAll("%2F", "/")}</Key></Object></Delete>`;
      expect(body.includes("<Key>a<") || (await send("POST", "/files?delete=", { body })).status).not.toBe(200);
    },
  );

  test.each([
    ["CRC32", "COMPOSITE", 200],
    ["CRC32", "FULL_OBJECT", 501],
    ["CRC64NVME", "FULL_OBJECT", 200],
    ["CRC64NVME", "COMPOSITE", 501],
  ])("an upload in parts with checksums %s of type %s: %s", async (algorithm, type, status) => {
    const headers = { "x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": type };
    const { status: got, text } = await send("POST", "/files/b?uploads=", { headers });
    expect(got).toBe(status);
    await send("DELETE", `/files/b?uploadId=${/<UploadId>(.*?)</.exec(text)?.[1] ?? ""}`);
  });

  test.each<[string, string, string]>([
    ["PUT", "if-modified-since", "Wed, 21 Oct 2050 07:28:00 GMT"],
    ["PUT", "if-unmodified-since", "Wed, 21 Oct 2015 07:28:00 GMT"],
    ["DELETE", "if-none-match", "*"],
    ["DELETE", "if-unmodified-since", "Wed, 21 Oct 2015 07:28:00 GMT"],
    ["PUT", "cf-copy-destination-if-none-match", "*"],
  ])("%s with the condition %s: %s is not done without it", async (method, name, value) => {
    await refusedByName(method, name, value);
    expect((await send("GET", "/files/a")).status).toBe(200);
  });

  test("a copy onto what exists is not done past If-None-Match", async () => {
    const headers = { "x-amz-copy-source": "/files/a", "if-none-match": "*" };
    expect((await send("PUT", "/files/a", { headers })).status).toBe(501);
  });

  test.each(["ETag", "LastModifiedTime", "Size", "VersionId"])(
    "DeleteObjects does not delete past the condition %s",
    async (name) => {
      const body = `<Delete><Object><Key>a</Key><${name}>1</${name}></Object></Delete>`;
      const { status, error } = await send("POST", "/files?delete=", { body });
      expect([status, ...error]).toEqual([501, "NotImplemented", expect.stringContaining(name)]);
      expect((await send("GET", "/files/a")).status).toBe(200);
    },
  );

  test("DeleteObjects takes a thousand keys at most", async () => {
    const body = (keys: number) =>
      `<Delete>${"<Object><Key>none</Key></Object>".repeat(keys)}<Quiet>true</Quiet></Delete>`;
    expect((await send("POST", "/files?delete=", { body: body(1001) })).error[0]).toBe("MalformedXML");
    expect((await send("POST", "/files?delete=", { body: body(1000) })).error[0]).not.toBe("MalformedXML");
  });

  test("keys in lists are encoded when a client asks for it", async () => {
    for (const name of ["x%20y", "x%252By", "x%3C%26"]) await send("PUT", `/files/${name}`, { body: "1" });
    const keys = async (query: string) =>
      [...(await send("GET", `/files?prefix=x${query}`)).text.matchAll(/<Key>(.*?)<\/Key>/g)].map(([, key]) => key);
    expect(await keys("&encoding-type=url")).toEqual(["x%20y", "x%252By", "x%3C%26"]);
    expect(await keys("")).toEqual(["x y", "x%2By", "x&lt;&amp;"]);
    expect((await send("GET", "/files?list-type=2&encoding-type=url")).text).toContain(
      "<EncodingType>url</EncodingType>",
    );
    expect((await send("GET", "/files?encoding-type=rot13")).error[0]).toBe("InvalidArgument");
    for (const name of ["x%20y", "x%252By", "x%3C%26"]) await send("DELETE", `/files/${name}`);
  });

  test("an object with the name of a folder is refused as what it is: not emulated", async () => {
    const { status, error } = await send("PUT", "/files/a/b", { body: "1" });
    expect([status, ...error]).toEqual([501, "NotImplemented", expect.stringContaining("not emulated")]);
  });

  test("the usual storage class and access list are taken", async () => {
    const headers = { "x-amz-storage-class": "STANDARD", "x-amz-acl": "private" };
    expect((await send("PUT", "/files/b", { headers, body: "b" })).status).toBe(200);
    expect((await send("DELETE", "/files/b")).status).toBe(204);
  });
});

test("the end of an upload in chunks may come after its answer, and is not taken for the next request", async () => {
  const signer = await signerFor("Workers R2 Storage Write");
  // As boto3 sends it over HTTPS: two kinds of chunks, one in the other.
  const signed = {
    ...{ "content-encoding": "aws-chunked", "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER" },
    ...{ "x-amz-decoded-content-length": "7", "x-amz-trailer": "x-amz-checksum-crc32" },
  };
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32("content"));
  const body = `7\r\ncontent\r\n0\r\nx-amz-checksum-crc32:${checksum.toString("base64")}\r\n\r\n`;
  async function upload(path: string): Promise<number | undefined> {
    const { headers } = await signer.sign(`http://127.0.0.1:${r2.port}${path}`, {
      ...{ method: "PUT", headers: signed, aws: { allHeaders: true } },
    });
    const call = request({
      ...{ host: "127.0.0.1", port: r2.port, method: "PUT", path },
      headers: { ...Object.fromEntries(headers), "transfer-encoding": "chunked" },
    });
    call.write(body);
    setTimeout(() => call.end(), 50);
    const [answer] = (await once(call, "response")) as [IncomingMessage];
    await answer.toArray();
    return answer.statusCode;
  }
  for (let n = 0; n < 20; n++)
    expect(await Promise.all([upload(`/files/a${n}`), upload(`/files/b${n}`)])).toEqual([200, 200]);
});

test("a lock holds at this address as well as at the edge's", async () => {
  const send = await clientFor("Workers R2 Storage Write");
  await send("PUT", "/files/a", { body: "first" });
  const rule = { id: "all", enabled: true, condition: { type: "Indefinite" } };
  await api.call("PUT", `${bucketsPath}/files/lock`, { rules: [rule] });
  expect((await send("DELETE", "/files/a")).error[0]).toBe("ObjectLockedByBucketPolicy");
  expect((await send("PUT", "/files/a", { body: "second" })).error[0]).toBe("ObjectLockedByBucketPolicy");
  await api.call("PUT", `${bucketsPath}/files/lock`, { rules: [] });
  expect((await send("GET", "/files/a")).text).toBe("first");
  expect((await send("DELETE", "/files/a")).status).toBe(204);
});

test("every call is noted with what it was and how it ended, a refused one with the reason", async () => {
  const send = await clientFor("Workers R2 Storage Write");
  await send("PUT", "/files/noted", { body: "1" });
  await send("GET", "/files?acl=");
  await send("DELETE", "/files/noted");
  const noted = calls.map(({ method, path, operation, status, problem }) => [method, path, operation, status, problem]);
  expect(noted).toEqual([
    ["PUT", "/files/noted", "PutObject", 200, null],
    ["GET", "/files", undefined, 501, "NotImplemented: GetBucketAcl not implemented"],
    ["DELETE", "/files/noted", "DeleteObject", 204, null],
  ]);
});
