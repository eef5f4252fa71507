/** Asking a registry for a digest, with a registry that wants a token as Docker Hub does. */
import { serveHttp } from "../../../../testing/http-server.ts";
import { digestOf, manifestPlace, reasonOf } from "../../../../tools/outdated/registry-api.ts";

const digest = `sha256:${"ab".repeat(32)}`;
let host: string;
const asked: string[] = [];

beforeAll(async () => {
  ({ host } = await serveHttp((request, response) => {
    const { url = "", headers, method } = request;
    asked.push(`${method ?? ""} ${url}`);
    if (url.startsWith("/token")) {
      response.setHeader("content-type", "application/json").end(JSON.stringify({ token: "secret" }));
    } else if (headers.authorization !== "Bearer secret") {
      const challenge = `Bearer realm="http://${host}/token",service="registry.example",scope="repository:library/redis:pull"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
    } else if (url.endsWith("/redis/manifests/7") && headers.accept?.includes("image.index")) {
      response.writeHead(200, { "docker-content-digest": digest }).end();
    } else if (url.endsWith("/bare/manifests/1")) {
      response.writeHead(200).end();
    } else {
      response.writeHead(404).end();
    }
  }));
});

test("it gets a token first, and then the digest of the list of all architectures", async () => {
  expect(await digestOf(`${host}/library/redis:7@sha256:old`)).toBe(digest);
  expect(asked).toEqual([
    "HEAD /v2/library/redis/manifests/7",
    "GET /token?service=registry.example&scope=repository%3Alibrary%2Fredis%3Apull",
    "HEAD /v2/library/redis/manifests/7",
  ]);
});

test("a tag that it does not have, an answer without a digest, and a host that does not answer are errors", async () => {
  await expect(digestOf(`${host}/library/none:1`)).rejects.toThrow("answers 404 for library/none:1");
  await expect(digestOf(`${host}/bare:1`)).rejects.toThrow("names no digest for bare:1");
  expect(await digestOf("127.0.0.1:1/redis:7").catch(reasonOf)).toMatch(/ECONNREFUSED|bad port|refused/);
});

test.each([
  ["redis:7-bookworm", "https://registry-1.docker.io", "library/redis", "7-bookworm"],
  ["rclone/rclone:1", "https://registry-1.docker.io", "rclone/rclone", "1"],
  ["docker.io/library/redis:7", "https://registry-1.docker.io", "library/redis", "7"],
  ["redis", "https://registry-1.docker.io", "library/redis", "latest"],
  ["mirror.example.com:5000/hub/redis:7@sha256:12", "https://mirror.example.com:5000", "hub/redis", "7"],
  ["localhost:5000/redis:7", "http://localhost:5000", "redis", "7"],
])("%s is asked for at its registry", (reference, registry, repository, tag) => {
  expect(manifestPlace(reference)).toEqual({ registry, repository, tag });
});
