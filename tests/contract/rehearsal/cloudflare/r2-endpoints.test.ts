/** R2's endpoints at the edge: TLS, one for each jurisdiction, and buckets in host names; with a real S3 server behind them. */
import { request as requestPlain } from "node:http";
import { request } from "node:https";
import { resolve } from "node:path";
import { AwsClient } from "aws4fetch";
import { Edge } from "../../../../rehearsal/cloudflare/edge/edge.ts";
import { accessKeys } from "../../../../rehearsal/cloudflare/objects/keys.ts";
import { R2Endpoint } from "../../../../rehearsal/cloudflare/objects/r2-endpoint.ts";
import { S3Server } from "../../../../rehearsal/cloudflare/objects/s3-server.ts";
import { ensureProgram, storage as storageProgram } from "../../../../rehearsal/programs/programs.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { freePort } from "../../../../common/ports.ts";
import { accountId, Api } from "../support/api.ts";

const root = resolve(__dirname, "..", "..", "..", "..");
const buckets = `/accounts/${accountId}/r2/buckets`;
const hosts = { usual: `${accountId}.r2.cloudflarestorage.com`, eu: `${accountId}.eu.r2.cloudflarestorage.com` };
const inEu = { "cf-r2-jurisdiction": "eu" };

let s3: S3Server;
let edge: Edge;
let r2: R2Endpoint;
let api: Api;
let ports: { readonly https: number; readonly http: number };

// The server may have to be built first.
beforeAll(async () => {
  const program = await ensureProgram(storageProgram, { root });
  s3 = new S3Server({ program, folder: temporaryFolder("objects"), port: await freePort(), token: "any", accountId });
  await s3.start();
}, 900_000);
afterAll(() => s3.stop());

beforeEach(async () => {
  api = new Api([{ name: "example.com", plan: "free" }], s3);
  api.now = new Date();
  r2 = new R2Endpoint({ world: api.world, storage: s3, port: await freePort() });
  ports = { https: await freePort(), http: await freePort() };
  edge = new Edge({ world: api.world, address: "127.0.0.1", ports, objects: r2 });
  await edge.start();
  await s3.setKeys(accessKeys(api.world));
  await api.call("POST", buckets, { name: "usual" });
  await api.call("POST", buckets, { name: "european" }, inEu);
});
afterEach(async () => {
  await edge.stop();
  for (const name of await s3.buckets()) await s3.deleteBucket(name);
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly code: string | undefined;
}

/** A request to a host name at the edge, signed with the key of the cloud's own token, over TLS that is verified. */
async function send(method: string, host: string, path: string, body?: string, more = {}): Promise<Answer> {
  const { id, secret } = api.world.ownerKey;
  const client = new AwsClient({ accessKeyId: id, secretAccessKey: secret, service: "s3", region: "auto" });
  const signed = await client.sign(`https://${host}:${ports.https}${path}`, {
    ...{ method, headers: more, aws: { allHeaders: true } },
    ...(body !== undefined && { body }),
  });
  const headers = { ...Object.fromEntries(signed.headers), host: `${host}:${ports.https}` };
  const tls = { host: "127.0.0.1", port: ports.https, servername: host, ca: await edge.authority(), agent: false };
  return new Promise((settle, fail) => {
    const call = request({ ...tls, method, path, headers }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
      answer.on("end", () => {
        settle({ status: answer.statusCode ?? 0, text, code: /<Code>(.*?)</.exec(text)?.[1] });
      });
    });
    call.once("error", fail);
    call.end(body);
  });
}

const names = ({ text }: Answer): unknown[] => [...text.matchAll(/<Name>([^<]*)</g)].map(([, name]) => name);

test("a bucket is reached through the endpoint of its jurisdiction, and through no other", async () => {
  for (const [own, other, bucket] of [
    [hosts.usual, hosts.eu, "usual"],
    [hosts.eu, hosts.usual, "european"],
  ] as const) {
    expect((await send("PUT", own, `/${bucket}/a`, "content")).status).toBe(200);
    expect((await send("GET", own, `/${bucket}/a`)).text).toBe("content");
    expect(names(await send("GET", own, "/"))).toEqual([bucket]);
    for (const [method, path, body] of [
      ...[["GET", `/${bucket}/a`] as const, ["PUT", `/${bucket}/b`, "content"] as const],
      ...[["DELETE", `/${bucket}/a`] as const, ["GET", `/${bucket}?list-type=2`] as const],
      ...[["DELETE", `/${bucket}`] as const],
    ]) {
      expect(await send(method, other, path, body)).toMatchObject({ status: 404, code: "NoSuchBucket" });
    }
    expect((await send("DELETE", own, `/${bucket}/a`)).status).toBe(204);
  }
});

test("no object is copied out of a jurisdiction", async () => {
  await send("PUT", hosts.eu, "/european/a", "content");
  const source = { "x-amz-copy-source": "/european/a" };
  expect(await send("PUT", hosts.usual, "/usual/a", undefined, source)).toMatchObject({ code: "NoSuchBucket" });
  expect((await send("PUT", hosts.eu, "/european/b", undefined, source)).status).toBe(200);
  for (const key of ["a", "b"]) await send("DELETE", hosts.eu, `/european/${key}`);
});

test("a bucket that is made through an endpoint is of its jurisdiction, in the API as well", async () => {
  expect((await send("PUT", hosts.eu, "/new")).status).toBe(200);
  expect((await api.call("GET", `${buckets}/new`)).code).toBe(10_006);
  expect((await api.call("GET", `${buckets}/new`, undefined, inEu)).result["jurisdiction"]).toBe("eu");
  expect((await api.call("DELETE", `${buckets}/new`)).status).toBe(404);
  expect((await api.call("DELETE", `${buckets}/new`, undefined, inEu)).status).toBe(200);
  expect(names(await send("GET", hosts.eu, "/"))).toEqual(["european"]);
});

test("a bucket may be named in the host name, in every jurisdiction", async () => {
  for (const [host, bucket] of [
    [hosts.usual, "usual"],
    [hosts.eu, "european"],
  ] as const) {
    expect((await send("PUT", `${bucket}.${host}`, "/a", "content")).status).toBe(200);
    expect((await send("GET", host, `/${bucket}/a`)).text).toBe("content");
    expect((await send("GET", `${bucket}.${host}`, "/?list-type=2")).text).toContain("<Key>a</Key>");
    expect((await send("DELETE", `${bucket}.${host}`, "/a")).status).toBe(204);
  }
  expect((await send("GET", `european.${hosts.usual}`, "/a")).code).toBe("NoSuchBucket");
});

test("without TLS nothing is served, and another account or jurisdiction has no certificate", async () => {
  const status = await new Promise((settle, fail) => {
    const headers = { host: hosts.usual };
    const call = requestPlain({ host: "127.0.0.1", port: ports.http, path: "/usual/a", headers }, (answer) => {
      answer.resume();
      settle(answer.statusCode);
    });
    call.once("error", fail);
    call.end();
  });
  expect(status).toBe(501);
  for (const host of [`${accountId}.moon.r2.cloudflarestorage.com`, `${"1".repeat(32)}.r2.cloudflarestorage.com`])
    await expect(send("GET", host, "/")).rejects.toThrow();
});
