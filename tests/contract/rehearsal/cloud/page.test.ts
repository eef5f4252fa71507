/** The status page of a running cloud: what its buttons do, and who is refused. */
import { request } from "node:http";
import { isRecord } from "../../../../common/record.ts";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { EmulatorProcess } from "../support/emulator.ts";
import { callAs, type CloudAccess, disturb, fillHostile, fillPlatform } from "../../../../testing/sample-cloud.ts";

jest.setTimeout(60_000);
let cloud: EmulatorProcess;
let access: CloudAccess;
beforeAll(async () => {
  cloud = await EmulatorProcess.start();
  access = { base: `http://127.0.0.1:${cloud.settings.port}`, token: cloud.settings.token };
  await fillPlatform(access);
});
afterAll(() => cloud.dispose());
afterEach(() => cloud.call("DELETE", "/rehearsal/faults"));

interface Asked {
  readonly method?: string;
  readonly path?: string;
  /** @default - that of a program: `Host` alone, and the token */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A call with headers that `fetch` does not let a program set. */
function ask({
  method = "GET",
  path = "/rehearsal/status",
  headers = {},
  body,
}: Asked): Promise<{ status: number; text: string }> {
  const { port, token } = cloud.settings;
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => (text += part));
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, text });
        });
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}
const faults = async () => records((await cloud.call("GET", "/rehearsal/faults")).body["faults"]);
const page = async () => (await ask({ path: "/rehearsal/page" })).text;
/** The page's own calls, as a browser sends them. */
const fromPage = () => ({
  origin: access.base,
  "sec-fetch-site": "same-origin",
  "sec-fetch-mode": "cors",
});

test("the buttons add a fault and remove it, and the page shows both", async () => {
  const body = JSON.stringify({ kind: "sold_out", locations: ["fsn1"] });
  const added = await ask({ method: "POST", path: "/rehearsal/faults", headers: fromPage(), body });
  expect(added.status).toBe(201);
  const [fault] = await faults();
  expect(fault).toMatchObject({ kind: "sold_out", locations: ["fsn1"] });
  expect(await page()).toContain(`data-remove="${String(fault?.["id"])}"`);
  const path = `/rehearsal/faults/${String(fault?.["id"])}`;
  expect((await ask({ method: "DELETE", path, headers: fromPage() })).status).toBe(200);
  expect(await faults()).toEqual([]);
  const shown = await page();
  expect(shown).toContain("No fault is on.");
  expect(shown).toMatch(/<b>sold_out locations=fsn1<\/b>\s+is over/);
});

test("what a button cannot do is answered with the reason", async () => {
  const names = ["orion-prod-core-1", "orion-prod-core-1"];
  for (const [fault, reason] of [
    [{ kind: "partition", servers: names }, "partition needs machines, and this cloud has none"],
    [{ kind: "killed", server: "gone" }, "there is no server 'gone'"],
  ] as const) {
    const { status, text } = await ask({
      ...{ method: "POST", path: "/rehearsal/faults", headers: fromPage(), body: JSON.stringify(fault) },
    });
    expect(status).toBe(422);
    expect(text).toContain(reason);
  }
});

const asFault = { method: "POST", path: "/rehearsal/faults", body: '{"kind":"sold_out","locations":["fsn1"]}' };

describe("refused, and without effect, although the token is right:", () => {
  test.each([
    [
      "a name that was pointed at this machine",
      () => ({ ...asFault, headers: { ...fromPage(), host: "evil.example.com" } }),
    ],
    [
      "the page of another site",
      () => ({ ...asFault, headers: { ...fromPage(), origin: "https://evil.example.com" } }),
    ],
    ["a page of another port", () => ({ ...asFault, headers: { ...fromPage(), origin: "http://127.0.0.1:1" } })],
    ["a script of another site", () => ({ ...asFault, headers: { ...fromPage(), "sec-fetch-site": "cross-site" } })],
    ["the page by a foreign name", () => ({ path: "/", headers: { host: "evil.example.com" } })],
    ["the deletion by another site", () => ({ method: "POST", path: "/rehearsal/down", headers: { origin: "null" } })],
  ])("%s", async (_who, asked) => {
    const { status, text } = await ask(asked());
    expect(status).toBe(403);
    expect(text).toMatch(/^\{"error":"refused: asked /);
    expect(await faults()).toEqual([]);
  });
});

test("the token in the address opens the page, and does nothing else", async () => {
  const query = `?token=${cloud.settings.token}`;
  const without = { authorization: "" };
  expect((await ask({ path: `/${query}`, headers: without })).status).toBe(401);
  const plain = await fetch(`${access.base}/${query}`);
  expect([plain.status, plain.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect((await fetch(`${access.base}/?token=${"f".repeat(64)}`)).status).toBe(401);
  for (const [method, path] of [
    ["POST", "/rehearsal/faults"],
    ["DELETE", "/rehearsal/faults"],
    ["GET", "/rehearsal/status"],
  ] as const) {
    const body = method === "POST" ? asFault.body : null;
    const headers = { "content-type": "application/json" };
    const { status } = await fetch(`${access.base}${path}${query}`, {
      method,
      ...(body !== null && { body, headers }),
    });
    expect([method, path, status]).toEqual([method, path, 401]);
  }
  expect(await faults()).toEqual([]);
});

test("a browser keeps the page to itself: its policy names the only script, anew each time", async () => {
  const answers = await Promise.all([1, 2].map(() => fetch(`${access.base}/?token=${access.token}`)));
  const nonces = await Promise.all(
    answers.map(async (answer) => {
      const policy = answer.headers.get("content-security-policy") ?? "";
      const [, nonce = ""] = /script-src 'nonce-([^']+)'/.exec(policy) ?? [];
      expect(policy).toMatch(/^default-src 'none'; .*connect-src 'self'.*frame-ancestors 'none'$/);
      expect(await answer.text()).toContain(`<script nonce="${nonce}">`);
      expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
      expect(answer.headers.get("cache-control")).toBe("no-store");
      return nonce;
    }),
  );
  expect(new Set(nonces).size).toBe(2);
});

test("it shows each client with its errors, and what went wrong with servers and targets", async () => {
  await disturb(access);
  const { body } = await cloud.call("GET", "/rehearsal/status");
  const clients = records(body["clients"]);
  // The page's own calls are nobody's.
  expect(clients.map(({ client }) => client)).toEqual([expect.any(String), "curl", "hcloud-python", "Node.js"]);
  expect(clients.find(({ client }) => client === "hcloud-python")).toMatchObject({
    ...{ errors: 1, lastError: { method: "GET", path: "hetzner:/servers/987654", status: 404 } },
  });
  const changes = records(body["changes"]).map(({ subject, name, verb }) =>
    [subject, name, verb].map(String).join(" "),
  );
  expect(changes).toEqual(
    expect.arrayContaining([
      "fault killed server=orion-prod-app-nbg1-1 has happened",
      "server orion-prod-app-nbg1-1 went off without an API call",
      "server orion-prod-app-nbg1-1 attached to orion-prod-network",
      "Volume orion-prod-data-1 attached to orion-prod-core-1",
      "load balancer orion-prod-edge got the target orion-prod-app-nbg1-1",
      "DNS record MX example.com created",
    ]),
  );
  const shown = await page();
  expect(shown).toMatch(/things not well/);
  expect(shown).toMatch(/server orion-prod-app-nbg1-1\s+<span class="state bad">off/);
  expect(shown).toMatch(/target orion-prod-app-nbg1-1 of orion-prod-edge\s+<span class="state bad">unhealthy/);
  // It runs again, and so does what depends on it.
  const { body: all } = await cloud.call("GET", "/hetzner/v1/servers?name=orion-prod-app-nbg1-1");
  const [server] = records(all["servers"]);
  await callAs(access, "curl/8", "POST", `/hetzner/v1/servers/${String(server?.["id"])}/actions/poweron`);
  const balancers = (await cloud.call("GET", "/hetzner/v1/load_balancers")).body["load_balancers"];
  const targets = records(records(balancers)[0]?.["targets"]);
  expect(JSON.stringify(targets.map((one) => one["health_status"]))).not.toContain("unhealthy");
});

test("names of clients and resources are text on it", async () => {
  await fillHostile(access);
  const shown = await (await fetch(`${access.base}/?token=${access.token}`)).text();
  expect(shown).toContain("&lt;img src=x onerror=");
  expect(shown).not.toMatch(/<img|<b>document/);
  expect(shown.match(/<script/g)).toHaveLength(1);
  const { body } = await cloud.call("GET", "/rehearsal/status");
  expect(isRecord(body) && JSON.stringify(body["clients"])).toContain("unknown client");
});
