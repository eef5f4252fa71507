/** DNS names as servers of the rehearsal cloud resolve them, queried over real sockets. */
import { createSocket } from "node:dgram";
import { Resolver as Client } from "node:dns/promises";
import { encode } from "dns-packet";
import { NameServer } from "../../../rehearsal/dns/name-server.ts";
import { Resolver } from "../../../rehearsal/dns/resolver.ts";
import { namesOf, placeOf } from "../../../rehearsal/registry/registry.ts";
import { freePort } from "../../../common/ports.ts";
import { accountId, Api } from "./support/api.ts";

const [edge, registry, acme] = ["10.77.255.1", "10.77.255.2", "10.77.255.3"];
const started: NameServer[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

/** A name server with those DNS records, and a client that asks it. */
async function serve(records: readonly object[], images: readonly string[] = []): Promise<Client & { port: number }> {
  const api = new Api();
  for (const record of records) {
    const { status, body } = await api.call("POST", `/zones/${api.zone()}/dns_records`, { ttl: 1, ...record });
    if (status !== 200) throw new Error(JSON.stringify(body));
  }
  const registryHosts = () => new Set(images.flatMap((image) => namesOf(placeOf(image).host)));
  const resolver = new Resolver({ world: api.world, registryHosts, edge, registry, acme });
  const port = await freePort();
  const server = new NameServer({ resolver, host: "127.0.0.1", port });
  started.push(server);
  await server.start();
  const client = new Client({ timeout: 2000, tries: 1 });
  client.setServers([`127.0.0.1:${port}`]);
  return Object.assign(client, { port });
}

const record = (type: string, name: string, content: string, proxied = false) => ({ type, name, content, proxied });

test("registries are where the cloud's is, once it has an image of theirs", async () => {
  const client = await serve([], ["registry.example.org:5000/orion/app:1.0.0", "redis:7-bookworm"]);
  for (const name of ["registry.example.org", "Registry.Example.ORG", "registry-1.docker.io", "docker.io"]) {
    expect(await client.resolve4(name)).toEqual([registry]);
  }
  await expect(client.resolve4("ghcr.io")).rejects.toThrow("ENOTFOUND");
});

test("object storage and proxied host names are at the edge", async () => {
  const client = await serve([
    record("A", "www.example.com", "127.77.0.1", true),
    record("CNAME", "shop.example.com", "elsewhere.example.net", true),
    record("A", "*.apps.example.com", "127.77.0.1", true),
  ]);
  const names = ["www.example.com", "shop.example.com", "one.apps.example.com"];
  const places = ["", ".eu", ".fedramp", ".us"].map((one) => `${accountId}${one}.r2.cloudflarestorage.com`);
  for (const name of [...names, ...places, ...places.map((place) => `b.${place}`)]) {
    expect(await client.resolve4(name)).toEqual([edge]);
  }
  await expect(client.resolve4(`${"1".repeat(32)}.r2.cloudflarestorage.com`)).rejects.toThrow("ENOTFOUND");
  await expect(client.resolve4("two.one.apps.example.com")).rejects.toThrow("ENOTFOUND");
});

test("other records are what they say; a public address of the cloud's is none that a server reaches", async () => {
  const client = await serve([
    record("A", "two.example.com", "192.0.2.1"),
    record("A", "two.example.com", "192.0.2.2"),
    record("CNAME", "alias.example.com", "two.example.com"),
    record("CNAME", "lost.example.com", "nowhere.example.net"),
    record("A", "server.example.com", "127.77.0.1"),
    record("TXT", "text.example.com", '"hello"'),
  ]);
  expect(await client.resolve4("two.example.com")).toEqual(["192.0.2.1", "192.0.2.2"]);
  expect(await client.resolve4("alias.example.com")).toEqual(["192.0.2.1", "192.0.2.2"]);
  expect(await client.resolveCname("alias.example.com")).toEqual(["two.example.com"]);
  await expect(client.resolve4("lost.example.com")).rejects.toThrow("ENOTFOUND");
  await expect(client.resolve4("server.example.com")).rejects.toThrow("EREFUSED");
  // The name is there, but not with an address: who asks for IPv6 goes on with IPv4.
  for (const name of ["text.example.com", "example.com"])
    await expect(client.resolve4(name)).rejects.toThrow("ENODATA");
  await expect(client.resolve6("two.example.com")).rejects.toThrow("ENODATA");
  await expect(client.resolve4("none.example.com")).rejects.toThrow("ENOTFOUND");
  await expect(client.resolve4("deb.debian.org")).rejects.toThrow("ENOTFOUND");
  await expect(client.reverse("192.0.2.1")).rejects.toThrow("ENOTFOUND");
});

test("what does not fit into a datagram comes over TCP", async () => {
  const addresses = Array.from({ length: 40 }, (_, index) => `192.0.2.${index + 1}`);
  const client = await serve(addresses.map((address) => record("A", "many.example.com", address)));
  expect((await client.resolve4("many.example.com")).sort()).toEqual([...addresses].sort());
});

test("bytes that are no question are ignored, and the next one is answered", async () => {
  const client = await serve([record("A", "one.example.com", "192.0.2.1")]);
  const socket = createSocket("udp4");
  const send = (message: Buffer) =>
    new Promise((resolve) => {
      socket.send(message, client.port, "127.0.0.1", resolve);
    });
  await send(Buffer.from("nonsense"));
  await send(encode({ type: "response", id: 1, questions: [{ type: "A", name: "one.example.com" }] }));
  socket.close();
  expect(await client.resolve4("one.example.com")).toEqual(["192.0.2.1"]);
});

test("a port that another program has is refused, and nothing stays open", async () => {
  const { port } = await serve([]);
  const second = new NameServer({
    resolver: { resolve: () => ({ code: "REFUSED", answers: [] }) },
    host: "127.0.0.1",
    port,
  });
  await expect(second.start()).rejects.toThrow("EADDRINUSE");
  await second.stop();
});

test.each([
  ["redis:7", "docker.io", "library/redis", "7"],
  ["orion/app:1.0.0", "docker.io", "orion/app", "1.0.0"],
  ["docker.io/redis", "docker.io", "library/redis", "latest"],
  ["registry.example.com:5000/orion/app:1.0.0", "registry.example.com", "orion/app", "1.0.0"],
  ["localhost/app", "localhost", "app", "latest"],
])("%s lies in the registry as %s's %s:%s", (reference, host, repository, tag) => {
  expect(placeOf(reference)).toEqual({ host, repository, tag });
});
