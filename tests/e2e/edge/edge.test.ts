/** What the edge lets in and passes on: nginx with the program's configuration, asked by raw requests. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import { must } from "../../../common/process.ts";
import type { NginxConfig } from "../../../components/edge-proxy/nginx-config.ts";
import { selfSigned } from "../../../testing/certificate.ts";
import { eventually } from "../../../testing/eventually.ts";
import { clientOf, EdgeBench, hostname, ofMvp, type Raw, type TestEdge } from "./edges.ts";

jest.setTimeout(120_000);

const bench = new EdgeBench();
const own = selfSigned(hostname);
const authority = selfSigned("client authority");
const cloudflare = clientOf(authority, "zone");
const files = { "edge.crt": own.certificate, "edge.key": own.key, "client-authority.crt": authority.certificate };

/** Without Cloudflare, as phase mvp has it. */
let open: TestEdge;
/** Behind Cloudflare: its peer is a trusted proxy, and has to show a certificate. */
let guarded: TestEdge;

beforeAll(async () => {
  bench.start();
  const tls = { port: 8443, certificate: "edge.crt", key: "edge.key", clientAuthority: "client-authority.crt" };
  [open, guarded] = await Promise.all([
    bench.edge("open", { ...ofMvp, responseSeconds: 2, privatePaths: [...ofMvp.privatePaths, "/admin"] }, files),
    bench.edge("guarded", { ...ofMvp, tls, trustedProxies: [bench.range()] }, files),
  ]);
});
afterAll(() => {
  bench.stop();
});

const request = (lines: readonly string[]): string => `${[...lines, "Connection: close"].join("\r\n")}\r\n\r\n`;
/** The values of a header in an answer. */
const values = ({ text }: Raw, name: string): string[] =>
  [...(text.split("\r\n\r\n")[0] ?? "").matchAll(new RegExp(`^${name}: (.*?)\\r?$`, "gim"))].map(
    ([, value = ""]) => value,
  );
/** What the app received. */
const received = ({ text }: Raw): string => text.split("\r\n\r\n").slice(1).join("\r\n\r\n");

describe("host names", () => {
  test("its own name reaches the app, over TLS alone", async () => {
    const answer = await open.get("/page");
    expect([answer.status, received(answer)]).toEqual([200, expect.stringContaining(`Host: ${hostname}`)]);
    const redirect = await open.plain(request(["GET /page?q=1 HTTP/1.1", `Host: ${hostname}`]));
    expect([redirect.status, values(redirect, "location")]).toEqual([301, [`https://${hostname}/page?q=1`]]);
  });

  test.each([
    ["another name", ["GET / HTTP/1.1", "Host: evil.example"]],
    ["an address", ["GET / HTTP/1.1", "Host: 127.0.0.1"]],
    ["HTTP/1.0 without a host", ["GET / HTTP/1.0"]],
    ["another name in the request line", ["GET https://evil.example/ HTTP/1.1", `Host: ${hostname}`]],
  ])("%s gets 421, over TLS with the right name in the handshake and on port 80", async (_what, lines) => {
    expect((await open.send(request(lines))).status).toBe(421);
    expect((await open.plain(request(lines.map((line) => line.replace("https:", "http:"))))).status).toBe(421);
  });

  test("the name that the app is told is the one that chose the server", async () => {
    const answer = await open.send(request([`GET https://${hostname}/ HTTP/1.1`, "Host: evil.example"]));
    expect([answer.status, received(answer)]).toEqual([200, expect.not.stringContaining("evil.example")]);
  });

  test.each([["evil.example"], [undefined]])("no TLS handshake for %s", async (servername) => {
    const answer = await open.get("/", {}, { servername });
    expect([answer.status, answer.text]).toEqual([undefined, expect.stringMatching(/unrecognized[ _]name/i)]);
  });

  test("health checks ask by address, as load balancers and Docker do", async () => {
    expect((await open.plain(request(["GET /edge-health HTTP/1.1", "Host: 10.20.1.11"]), "health")).status).toBe(200);
    expect((await open.plain(request(["GET /orders HTTP/1.1", "Host: 10.20.1.11"]), "health")).status).toBe(404);
  });
});

describe("several host names", () => {
  const www = selfSigned("www.example.com");
  const shop = selfSigned("shop.example.org");
  const certificateOf = (name: string) => ({ certificate: `edge-${name}.crt`, key: `edge-${name}.key` });
  const redirected = { redirect: `https://${hostname}`, certificate: certificateOf("www.example.com") };
  const config: NginxConfig = {
    ...ofMvp,
    others: [
      { hostname: "www.example.com", ...redirected },
      { hostname: "shop.example.org", certificate: certificateOf("shop.example.org") },
    ],
  };
  const all = {
    ...files,
    ...{ "edge-www.example.com.crt": www.certificate, "edge-www.example.com.key": www.key },
    ...{ "edge-shop.example.org.crt": shop.certificate, "edge-shop.example.org.key": shop.key },
  };
  let several: TestEdge;
  const ask = (name: string, path: string) => several.get(path, { Host: name }, { servername: name });

  beforeAll(async () => {
    several = await bench.edge("several", ofMvp, files);
  });

  test("are added by a change of the configuration; each has its own certificate", async () => {
    expect((await ask("shop.example.org", "/page")).status).toBeUndefined();
    await several.reload(config, all);
    expect((await ask("shop.example.org", "/page")).status).toBe(200);
    for (const [servername, expected] of [
      [hostname, own.certificate],
      ["www.example.com", www.certificate],
      ["shop.example.org", shop.certificate],
    ]) {
      const socket = await several.connect({ servername });
      const seen = socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.toString() : undefined;
      socket.destroy();
      expect(seen?.trim()).toBe(expected?.trim());
    }
  });

  test("one that is served reaches the app under its own name, WebSockets included", async () => {
    expect(received(await ask("shop.example.org", "/page"))).toContain("Host: shop.example.org");
    const upgrade = { Host: "shop.example.org", Upgrade: "websocket", Connection: "upgrade, close" };
    const answer = await several.get("/ws", upgrade, { servername: "shop.example.org" });
    expect(received(answer)).toMatch(/^Upgrade: websocket/im);
  });

  test("one that is redirected sends visitors to the same path of the first, over both ports", async () => {
    const answer = await ask("www.example.com", "/orders?q=a%20b");
    expect([answer.status, values(answer, "location")]).toEqual([308, [`https://${hostname}/orders?q=a%20b`]]);
    expect(values(answer, "strict-transport-security")).toHaveLength(1);
    const plain = await several.plain(request(["GET /orders HTTP/1.1", "Host: www.example.com"]));
    expect([plain.status, values(plain, "location")]).toEqual([301, ["https://www.example.com/orders"]]);
  });

  test("a name that is not among them is refused", async () => {
    expect((await several.get("/", { Host: "evil.example" }, { servername: "www.example.com" })).status).toBe(421);
    expect((await ask("evil.example", "/")).status).toBeUndefined();
  });
});

describe("the client's address", () => {
  const lies = {
    ...{ "CF-Connecting-IP": "6.6.6.6", "True-Client-IP": "6.6.6.6", "X-Real-IP": "6.6.6.6", "X-Real_IP": "6.6.6.6" },
    ...{ "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http" },
    ...{ Forwarded: "for=6.6.6.6", "X-Forwarded-Port": "666", "X-Forwarded-Prefix": "/evil", "X-Client-IP": "6.6.6.6" },
    ...{ "X-Original-URL": "/evil", "CF-Connecting-IPv6": "::666", "CF-IPCountry": "evil" },
  };

  test("without a proxy in front, it is the peer's, and nothing that the visitor says of it reaches the app", async () => {
    const seen = received(await open.get("/page", lies));
    expect(seen).not.toMatch(/6\.6\.6\.6|evil|666/);
    expect(seen).toMatch(/^X-Real-IP: \d+\.\d+\.\d+\.1$/m);
    expect(seen).toMatch(/^X-Forwarded-Proto: https$/m);
  });

  test("behind Cloudflare it is Cloudflare's header, and no other one", async () => {
    const seen = received(await guarded.get("/page", { ...lies, "CF-Connecting-IP": "198.51.100.7" }, cloudflare));
    expect(seen).not.toMatch(/6\.6\.6\.6|evil\.example|666/);
    for (const name of ["X-Real-IP", "X-Forwarded-For", "CF-Connecting-IP"]) {
      expect(seen).toMatch(new RegExp(`^${name}: 198\\.51\\.100\\.7$`, "m"));
    }
  });
});

test("at a sticky path a client's address reaches the same instance each time, and clients are shared out", async () => {
  const tls = { port: 8443, certificate: "edge.crt", key: "edge.key", clientAuthority: "client-authority.crt" };
  // Nobody has the other instance's name, so that its clients are told apart by 502.
  const app = { ...ofMvp.app, instances: ["app", "nobody"] };
  const config = { ...ofMvp, tls, app, sticky: ["/socket.io"], trustedProxies: [bench.range()] };
  const edge = await bench.edge("sticky", config, files);
  const statusOf = async (path: string, client: number) =>
    (await edge.get(path, { "CF-Connecting-IP": `198.51.100.${client}` }, cloudflare)).status;
  const clients = Array.from({ length: 24 }, (_, index) => index + 1);
  const first = await Promise.all(clients.map((client) => statusOf("/socket.io/?transport=polling", client)));
  expect(new Set(first)).toEqual(new Set([200, 502]));
  expect(await Promise.all(clients.map((client) => statusOf("/socket.io/x", client)))).toEqual(first);
  expect(new Set(await Promise.all(clients.map((client) => statusOf("/page", client))))).toEqual(new Set([200]));
});

describe("connections to the app", () => {
  const tls = { port: 8443, certificate: "edge.crt", key: "edge.key" };
  const version = (number: number): NginxConfig => ({
    ...{ ...ofMvp, tls, limits: { ...ofMvp.limits, requestsPerSecond: 10_000 } },
    app: {
      ...{ host: `v${number}`, port: 8000 },
      instances: [1, 2].map((index) => `v${number}-${index}`),
      anyVersion: "every-version",
    },
  });
  const instance = (number: number, index: number) =>
    bench.app(`v${number}-${index}`, `v${number}`, `v${number}-${index}`, "every-version");
  let first: string;
  let edge: TestEdge;

  /** Which instance answers, and on which connection. */
  const connectionOf = async (method = "GET"): Promise<string> => {
    const answer = await edge.ask(method, "/page");
    expect(answer.status).toBe(200);
    return values(answer, "x-connection")[0] ?? "";
  };
  const connections = async (count: number, method?: string): Promise<string[]> => {
    const seen: string[] = [];
    for (let index = 0; index < count; index++) seen.push(await connectionOf(method));
    return seen;
  };
  const hostsOf = (seen: readonly string[]) => new Set(seen.map((each) => each.split(" ")[0]));

  /** Statuses of requests that are sent without a pause while something happens. */
  async function during(work: () => Promise<unknown>, methods: readonly string[]): Promise<(number | undefined)[]> {
    const statuses: (number | undefined)[] = [];
    let goesOn = true;
    const load = methods.map(async (method) => {
      while (goesOn) statuses.push((await edge.ask(method, "/page?seconds=0.01")).status);
    });
    await work();
    goesOn = false;
    await Promise.all(load);
    expect(statuses.length).toBeGreaterThan(5);
    return [...new Set(statuses)];
  }

  beforeAll(async () => {
    first = instance(1, 1);
    instance(1, 2);
    edge = await bench.edge("kept", version(1), files);
    await eventually(async () => {
      expect(hostsOf(await connections(8))).toEqual(new Set(["v1-1", "v1-2"]));
    });
  });

  test("stay open for requests that may be sent twice, to each instance; others have one of their own", async () => {
    const seen = await connections(40);
    expect(hostsOf(seen)).toEqual(new Set(["v1-1", "v1-2"]));
    // Each process of nginx keeps one to each instance.
    expect(new Set(seen).size).toBeLessThan(20);
    const posts = await connections(20, "POST");
    expect(new Set([...posts, ...seen]).size).toBe(20 + new Set(seen).size);
  });

  test("an instance that is killed fails none of them; with another address it is found again", async () => {
    const gets = ["GET", "GET", "HEAD"];
    expect(
      await during(async () => {
        await must("docker", ["kill", first]);
        await sleep(500);
      }, gets),
    ).toEqual([200]);
    // Somebody else takes its address.
    instance(3, 1);
    expect(
      await during(async () => {
        await must("docker", ["start", first]);
        await eventually(async () => {
          expect(hostsOf(await connections(8))).toEqual(new Set(["v1-1", "v1-2"]));
        }, 30);
      }, gets),
    ).toEqual([200]);
  });

  test("another version gets every request, whatever its method, before the one before ends; a slow upload, after", async () => {
    instance(2, 1);
    instance(2, 2);
    const upload = await edge.connect();
    let answer = "";
    upload.on("data", (part: Buffer) => (answer += part.toString()));
    upload.write(`POST /upload HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: 12\r\nConnection: close\r\n\r\nhello`);
    const statuses = await during(async () => {
      await sleep(500);
      await edge.reload(version(2), files);
      expect(hostsOf(await connections(10))).toEqual(new Set(["v2-1", "v2-2"]));
      await must("docker", ["rm", "--force", first, first.replace(/1$/, "2")]);
      await sleep(500);
    }, ["GET", "GET", "POST", "POST"]);
    expect(statuses).toEqual([200]);
    upload.write(" again.");
    await once(upload, "end");
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*^X-Connection: (v2-|v3-)[^]*^POST \/upload/m);
  });

  test("without any instance, the answer is 502, and the edge is up", async () => {
    const config = version(4);
    await edge.reload({ ...config, app: { ...config.app, anyVersion: "no-version" } }, files);
    expect(await Promise.all(["GET", "POST"].map(async (method) => (await edge.ask(method, "/page")).status))).toEqual([
      502, 502,
    ]);
  });
});

describe("client certificates", () => {
  const stranger = selfSigned("somebody");

  test.each([
    ["no certificate", undefined, 400],
    ["the certificate of another authority", clientOf(stranger, "zone"), 400],
    ["a certificate that is its own authority", { cert: stranger.certificate, key: stranger.key }, 400],
    ["the zone's certificate", cloudflare, 200],
  ])("%s", async (_what, client, status) => {
    expect((await guarded.get("/page", {}, client)).status).toBe(status);
  });

  test("are asked for by a change of the configuration that drops no request", async () => {
    const tls = { port: 8443, certificate: "edge.crt", key: "edge.key" };
    const edge = await bench.edge("turned", { ...ofMvp, tls }, files);
    const statuses: (number | undefined)[] = [];
    let goesOn = true;
    const load = Array.from({ length: 4 }, async () => {
      while (goesOn) statuses.push((await edge.get("/page?seconds=0.02", {}, cloudflare)).status);
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await edge.reload({ ...ofMvp, tls: { ...tls, clientAuthority: "client-authority.crt" } }, files);
    goesOn = false;
    await Promise.all(load);
    expect([...new Set(statuses)]).toEqual([200]);
    expect((await edge.get("/page")).status).toBe(400);
  });
});

describe("upgrades", () => {
  const upgrade = (protocol: string) => ({
    Upgrade: protocol,
    Connection: "Upgrade, HTTP2-Settings, close",
    "HTTP2-Settings": "AAA",
  });

  test("a WebSocket is passed on where WebSockets are, and nowhere else", async () => {
    expect(received(await open.get("/ws", upgrade("WebSocket")))).toMatch(/^Upgrade: websocket$/m);
    expect(received(await open.get("/page", upgrade("websocket")))).not.toMatch(/^upgrade:/im);
  });

  test("when the app ends a WebSocket, what the client still sends resets nothing, so that the app's last words arrive", async () => {
    const socket = await open.connect({ allowHalfOpen: true });
    const errors: Error[] = [];
    socket.on("error", (error) => errors.push(error));
    let text = "";
    socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
    socket.write(`GET /ws?switch=1 HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    await once(socket, "end");
    expect(text).toContain("the last word");
    for (let count = 0; count < 5; count++) {
      socket.write("still here");
      await sleep(100);
    }
    socket.destroy();
    expect(errors).toEqual([]);
  });

  test.each(["/ws", "/page"])("another protocol is not passed on: %s", async (path) => {
    expect(received(await open.get(path, upgrade("h2c")))).not.toMatch(/^(upgrade|http2-settings):/im);
  });
});

describe("paths", () => {
  test.each([
    ...["/metrics", "/ready", "/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/admin", "/admin/users"],
    ...["//metrics", "/%6detrics", "/metrics?x=1", "/admin%2fusers"],
  ])("%s is not found", async (path) => {
    const answer = await open.get(path);
    expect([answer.status, answer.text]).toEqual([404, expect.not.stringContaining("GET /")]);
  });

  test.each(["/admin/../page", "/admin/%2e%2e/page", "/admin%2f..%2fpage", "/page/..;/../admin", "/x/./page", "/.."])(
    "%s is refused: the app could resolve it in another way",
    async (path) => {
      expect((await open.get(path)).status).toBe(400);
    },
  );

  test.each(["/page?to=/../x", "/a..b", "/...", "/.well-known/security.txt", "/metricsandmore"])(
    "%s is passed on as it is",
    async (path) => {
      expect(received(await open.get(path))).toContain(`GET ${path} HTTP/1.1`);
    },
  );
});

describe("answers", () => {
  test("headers for browsers, each once, and the app's own where it sets one", async () => {
    const plain = await open.get("/page");
    expect(values(plain, "strict-transport-security")).toEqual(["max-age=31536000"]);
    expect(values(plain, "x-content-type-options")).toEqual(["nosniff"]);
    expect(values(plain, "referrer-policy")).toEqual(["strict-origin-when-cross-origin"]);
    expect(values(plain, "permissions-policy")).toEqual([expect.stringContaining("camera=()")]);
    expect(values(plain, "content-security-policy-report-only")).toEqual([
      expect.stringContaining("default-src 'self'"),
    ]);
    const app =
      "X-Content-Type-Options:nosniff;X-XSS-Protection:1;Content-Security-Policy:sandbox;Referrer-Policy:no-referrer";
    const answer = await open.get(`/page?headers=${encodeURIComponent(app)}`);
    expect(values(answer, "x-content-type-options")).toEqual(["nosniff"]);
    expect(values(answer, "content-security-policy")).toEqual(["sandbox"]);
    expect(values(answer, "content-security-policy-report-only")).toEqual([]);
    expect(values(answer, "referrer-policy")).toEqual(["no-referrer"]);
    expect(values(answer, "x-xss-protection")).toEqual([]);
    expect(values(await open.get("/static/x.css"), "x-content-type-options")).toEqual(["nosniff"]);
    expect(values(await open.get("/metrics"), "x-content-type-options")).toEqual(["nosniff"]);
  });

  test("long ones: a redirect to a URL of 8 KB, and a login with 60 KB of cookies", async () => {
    const url = `/orders?q=${"x".repeat(8000)}`;
    const redirect = await open.get(`/page?headers=${encodeURIComponent(`Location:${url}`)}`);
    expect([redirect.status, values(redirect, "location")]).toEqual([200, [url]]);
    expect((await open.get("/login?cookies=15")).status).toBe(200);
    expect((await open.get("/login?cookies=20")).status).toBe(502);
    expect((await open.get("/page", { Cookie: "x".repeat(15_000) })).status).toBe(200);
  });

  test("slow ones: as long as the setting says", async () => {
    expect((await open.get("/page?seconds=3")).status).toBe(504);
    expect((await guarded.get("/page?seconds=3", {}, cloudflare)).status).toBe(200);
  });
});

describe("requests that two servers could understand in two ways", () => {
  const post = ["POST /page HTTP/1.1", `Host: ${hostname}`];
  const chunked = "0\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n";

  test.each([
    ["a length and chunks", [...post, "Content-Length: 4", "Transfer-Encoding: chunked"], chunked],
    ["chunks and a length", [...post, "Transfer-Encoding: chunked", "Content-Length: 44"], chunked],
    ["an unknown encoding", [...post, "Transfer-Encoding: xchunked"], chunked],
    ["two encodings", [...post, "Transfer-Encoding: chunked", "Transfer-Encoding: identity"], chunked],
    ["two lengths", [...post, "Content-Length: 0", "Content-Length: 30"], "GET /hidden HTTP/1.1\r\n\r\n"],
    ["a length with a sign", [...post, "Content-Length: +5"], "12345"],
    ["a negative length", [...post, "Content-Length: -1"], ""],
    ["a space before a colon", [...post, "Content-Length : 5"], "12345"],
    ["a folded header", [...post, "X-Test: a", " b: c"], ""],
    ["a NUL in a header", [...post, "X-Test: a\0b"], ""],
    ["two host names", [...post, "Host: evil.example"], ""],
    ["no host name", ["GET / HTTP/1.1"], ""],
    ["a trace", ["TRACE / HTTP/1.1", `Host: ${hostname}`], ""],
    ["a tunnel", ["CONNECT evil.example:443 HTTP/1.1", `Host: ${hostname}`], ""],
    ["a path that leaves the root", [`GET /static/../../etc/passwd HTTP/1.1`, `Host: ${hostname}`], ""],
    ["a path of 20 KB", [`GET /${"x".repeat(20_000)} HTTP/1.1`, `Host: ${hostname}`], ""],
    ["a header of 20 KB", [...post, `X-Test: ${"x".repeat(20_000)}`], ""],
    ["a body of 60 MB", [...post, "Content-Length: 60000000"], "x"],
  ])("%s: refused, or passed on as one request", async (_what, lines, body) => {
    const { status, text } = await open.send(request(lines) + body);
    expect(text).not.toContain("GET /hidden");
    expect(text.match(/^HTTP\/1\.1 /gm) ?? []).toHaveLength(1);
    expect([400, 405, 413, 414, 501]).toContain(status);
  });
});

describe("TLS", () => {
  test.each(["ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "AES128-GCM-SHA256", "ECDHE-RSA-CAMELLIA128-SHA256"])(
    "no handshake with %s",
    async (ciphers) => {
      const answer = await open.get("/page", {}, { ciphers, maxVersion: "TLSv1.2" });
      expect(answer.status).toBeUndefined();
    },
  );

  test.each(["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"])("a handshake with %s", async (ciphers) => {
    expect((await open.get("/page", {}, { ciphers, maxVersion: "TLSv1.2" })).status).toBe(200);
  });
});

describe("limits for each client", () => {
  /** The statuses of many requests over one connection, each sent before the answer to the one before. */
  async function pipelined(path: string, count: number): Promise<Map<number, number>> {
    const one = `GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`;
    // nginx closes a connection after 1000 requests.
    const parts = Array.from({ length: Math.ceil(count / 900) }, (_, index) => Math.min(900, count - index * 900));
    const answers = await Promise.all(
      parts.map((each) => open.send(one.repeat(each - 1) + one.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))),
    );
    const statuses = answers.flatMap(({ text }) =>
      [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)),
    );
    return new Map([...new Set(statuses)].map((status) => [status, statuses.filter((each) => each === status).length]));
  }

  test.each(["/static/site.css", "/edge-health"])("%s has a limit, above what a page needs", async (path) => {
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const statuses = await pipelined(path, 3600);
    expect([...statuses.keys()].sort()).toEqual([200, 429]);
    expect(statuses.get(200)).toBeGreaterThanOrEqual(600);
  });

  test("connections that send a body slowly are limited; a slow phone's upload arrives", async () => {
    const head = `POST /uploads HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: 12\r\nConnection: close\r\n\r\n`;
    const phone = await open.connect();
    let arrived = "";
    phone.on("data", (part: Buffer) => (arrived += part.toString("latin1")));
    phone.write(head);
    const drip = setInterval(() => phone.write("x"), 250);
    const refused: number[] = [];
    const slow = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const socket = await open.connect();
        socket.on("data", (part: Buffer) => {
          const [, status] = /^HTTP\/1\.1 (\d+)/.exec(part.toString("latin1")) ?? [];
          if (status !== undefined) refused.push(Number(status));
        });
        socket.on("error", () => undefined);
        socket.write(head);
        return socket;
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 3500));
    clearInterval(drip);
    // The phone's is one of the hundred.
    expect(refused).toEqual(Array.from({ length: 101 }, () => 429));
    expect(arrived).toMatch(/^HTTP\/1\.1 200/);
    for (const socket of [...slow, phone]) socket.destroy();
  });
});
