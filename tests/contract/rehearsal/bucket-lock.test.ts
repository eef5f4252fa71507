/** R2's bucket lock: what the API keeps, and what S3 clients are refused at the edge, with a real S3 server behind it. */
import { request } from "node:https";
import { resolve } from "node:path";
import { AwsClient } from "aws4fetch";
import { Edge } from "../../../rehearsal/cloudflare/edge/edge.ts";
import { R2Endpoint } from "../../../rehearsal/cloudflare/objects/r2-endpoint.ts";
import type { S3Server } from "../../../rehearsal/cloudflare/objects/s3-server.ts";
import { temporaryFolder } from "../../../testing/folder.ts";
import { freePort } from "../../../common/ports.ts";
import { startS3 } from "../../../testing/r2-store.ts";
import { accountId, Api } from "./support/api.ts";

const access = { accessKeyId: "the-id", secretAccessKey: "the-secret" };
const client = new AwsClient({ ...access, service: "s3", region: "auto", retries: 0 });
const day = { type: "Age", maxAgeSeconds: 86_400 };
const rule = { id: "orion", enabled: true, prefix: "postgresql/", condition: day };

let s3: S3Server;
let r2: R2Endpoint;
let edge: Edge;
let api: Api;
let port: number;

// The server may have to be built first.
beforeAll(async () => {
  s3 = await startS3({ root: resolve(__dirname, "..", "..", ".."), folder: temporaryFolder("objects") });
}, 900_000);
afterAll(() => s3.stop());

beforeEach(async () => {
  api = new Api([{ name: "example.com", plan: "free" }], s3);
  api.now = new Date();
  port = await freePort();
  r2 = new R2Endpoint({ world: api.world, storage: s3, port: await freePort() });
  const ports = { http: await freePort(), https: port };
  edge = new Edge({ world: api.world, address: "127.0.0.1", ports, objects: r2 });
  await Promise.all([r2.start(), edge.start()]);
  await api.call("POST", `/accounts/${accountId}/r2/buckets`, { name: "backups" });
  await s3.setKeys([
    { id: access.accessKeyId, secret: access.secretAccessKey, buckets: [{ name: "backups", write: true }] },
  ]);
});
afterEach(() => Promise.all([edge.stop(), r2.stop()]));

const lock = (...rules: readonly unknown[]) =>
  api.call("PUT", `/accounts/${accountId}/r2/buckets/backups/lock`, { rules });

/** A signed request to the edge, which knows R2 by its name. */
async function send(method: string, path: string, body?: string): Promise<{ status: number; text: string }> {
  const host = `${accountId}.r2.cloudflarestorage.com`;
  const signed = await client.sign(`https://${host}:${port}/backups${path}`, { method, ...(body && { body }) });
  const headers = { ...Object.fromEntries(signed.headers), host: `${host}:${port}` };
  const trusted = { servername: host, ca: await edge.authority(), agent: false };
  return new Promise((settle, fail) => {
    const call = request(
      { host: "127.0.0.1", port, method, path: `/backups${path}`, headers, ...trusted },
      (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
        answer.on("end", () => {
          settle({ status: answer.statusCode ?? 0, text });
        });
      },
    );
    call.on("error", fail);
    call.end(body);
  });
}

test("the rules are kept as they were sent; conditions are checked", async () => {
  const path = `/accounts/${accountId}/r2/buckets/backups/lock`;
  expect((await api.call("GET", path)).result).toEqual({ rules: [] });
  expect((await lock(rule)).status).toBe(200);
  expect((await api.call("GET", path)).result).toEqual({ rules: [rule] });
  expect((await lock({ ...rule, condition: { type: "Age" } })).status).toBe(400);
  expect((await api.call("GET", path)).result).toEqual({ rules: [rule] });
});

test("what is locked is neither deleted nor overwritten, and read as before; the rest is free", async () => {
  expect((await send("PUT", "/postgresql/a", "first")).status).toBe(200);
  expect((await send("PUT", "/elsewhere", "first")).status).toBe(200);
  await lock(rule);
  for (const [method, body] of [["DELETE"], ["PUT", "second"]] as const) {
    const { status, text } = await send(method, "/postgresql/a", body);
    expect({ status, code: /<Code>(.*)<\/Code>/.exec(text)?.[1] }).toEqual({
      ...{ status: 409, code: "ObjectLockedByBucketPolicy" },
    });
  }
  expect((await send("GET", "/postgresql/a")).text).toBe("first");
  expect((await send("PUT", "/postgresql/b", "new")).status).toBe(200);
  expect((await send("PUT", "/elsewhere", "second")).status).toBe(200);
  expect((await send("DELETE", "/elsewhere")).status).toBe(204);
});

test.each(["postgresql/c", "postgresql/&#99;", "postgresql/&#x63;"])(
  "a deletion of many, of which one is %s, is answered for each",
  async (key) => {
    await send("PUT", "/postgresql/c", "x");
    await lock(rule);
    const body = `<Delete><Object><Key>${key}</Key></Object></Delete>`;
    const { status, text } = await send("POST", "/?delete=", body);
    expect(status).toBe(200);
    expect(text).toContain("<Error><Key>postgresql/c</Key><Code>ObjectLockedByBucketPolicy</Code>");
    await lock();
    expect((await send("GET", "/postgresql/c")).text).toBe("x");
  },
);

test("after its time, or without the rule, an object can be deleted", async () => {
  await send("PUT", "/postgresql/d", "x");
  await lock(rule);
  s3.age(86_000_000);
  expect((await send("DELETE", "/postgresql/d")).status).toBe(409);
  s3.age(402_000);
  expect((await send("DELETE", "/postgresql/d")).status).toBe(204);
  await send("PUT", "/postgresql/e", "x");
  expect((await send("DELETE", "/postgresql/e")).status).toBe(409);
  await lock({ ...rule, enabled: false });
  expect((await send("DELETE", "/postgresql/e")).status).toBe(204);
});
