/** Settings of the edge: paths, headers and limits. */
import { privatePathsOf } from "../../../../config/private-paths.ts";
import { leastValues, refusalOf, settingsOf } from "../../support/settings.ts";

const refusal = (edge: Readonly<Record<string, unknown>>): string => refusalOf({ ...leastValues("mvp"), edge });

test("visitors of a stack with servers reach none of the operators' paths; a local stack shows them", () => {
  expect(settingsOf("mvp").edge.public).toEqual([]);
  expect(settingsOf("scale").edge.public).toEqual([]);
  expect(settingsOf("development").edge.public).toEqual(["/metrics", "/ready", "/docs", "/redoc", "/openapi.json"]);
});

test.each([
  [{ private: ["admin"] }, 'orion:edge.private.0: got "admin", allowed: a path such as /admin'],
  [{ private: ["/admin/"] }, 'orion:edge.private.0: got "/admin/", allowed: a path such as /admin'],
  [{ private: ["/"] }, 'orion:edge.private.0: got "/", allowed: a path such as /admin'],
  [{ private: ["/a/../b"] }, 'orion:edge.private.0: got "/a/../b", allowed: a path such as /admin'],
  [{ private: ["/a", "/a"] }, 'orion:edge.private: got "/a", allowed: each path once'],
  [
    { private: ["/static/x"] },
    'orion:edge.private: got "/static/x", allowed: a path outside of /static, which the edge serves itself',
  ],
  [
    { sticky: ["/socket.io"] },
    'orion:edge.sticky: got ["/socket.io"], allowed: [] while orion:app.uvicornWorkers is 4: set that to 1',
  ],
  [{ websockets: ["/edge-health"] }, "allowed: a path outside of /edge-health, which the edge serves itself"],
  [
    { private: ["/live"], websockets: ["/live/x"] },
    'orion:edge.websockets: got "/live/x", allowed: a path that visitors may reach; orion:edge.private has /live',
  ],
  [
    { private: ["/admin"], sticky: ["/admin/live"] },
    'orion:edge.sticky: got "/admin/live", allowed: a path that visitors may reach; orion:edge.private has /admin',
  ],
  [{ sticky: ["/docs/live"] }, "/docs is for operators, unless orion:edge.public names it"],
  [
    { public: ["/admin"] },
    'orion:edge.public.0: got "/admin", allowed: one of /metrics, /ready, /docs, /redoc, /openapi.json',
  ],
  [{ headers: { "X-Test": 'a"; return 200 "' } }, "orion:edge.headers.X-Test: got"],
  [{ headers: { "X-Test": "$request" } }, "orion:edge.headers.X-Test: got"],
  [{ headers: { "X-Test\n": "a" } }, "spelled like Content-Security-Policy"],
  [{ headers: { "Set-Cookie": "a=b" } }, "spelled like Content-Security-Policy"],
  [
    { headers: { "X-FRAME-OPTIONS": "DENY" } },
    'orion:edge.headers.X-FRAME-OPTIONS: got "DENY", allowed: this header once: it is X-Frame-Options as well',
  ],
  [
    { responseSeconds: 121 },
    "orion:edge.responseSeconds: got 121, allowed: 120 or less while orion:cloudflare.enabled is true",
  ],
  [{ limits: { connections: 0 } }, "orion:edge.limits.connections: got 0, allowed: 1 or more"],
  [{ responseSeconds: 0 }, "orion:edge.responseSeconds: got 0, allowed: 1 or more"],
])("refused with what is allowed: %j", (edge, message) => {
  expect(refusal(edge)).toContain(message);
});

test("a stack names only the headers that it wants otherwise", () => {
  const { headers } = settingsOf("mvp", {
    edge: { headers: { "X-Frame-Options": "", "Referrer-Policy": "no-referrer" } },
  }).edge;
  expect(headers).toMatchObject({
    "X-Frame-Options": "",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
  });
});

test("sticky paths need one process in each instance, and all instances on one server", () => {
  const own = { app: { uvicornWorkers: 1 }, edge: { sticky: ["/socket.io"] } };
  expect(settingsOf("mvp", own).edge.sticky).toEqual(["/socket.io"]);
  expect(refusalOf({ ...leastValues("scale"), ...own })).toContain("while orion:app.servers.count is 2");
});

test("an app that is asked for its readiness at its first page keeps that page for visitors", () => {
  const paths = (app: Readonly<Record<string, string>>) => privatePathsOf(settingsOf("mvp", { app }));
  expect(paths({ readyPath: "/" })).toEqual(["/metrics", "/docs", "/redoc", "/openapi.json"]);
  expect(paths({ readyPath: "/status/" })).toContain("/status");
  expect(paths({ readyPath: "/up", healthPath: "/up" })).not.toContain("/up");
  expect(paths({ readyPath: "/up/", healthPath: "/up" })).not.toContain("/up");
  expect(paths({ readyPath: "/up", healthPath: "/up/" })).not.toContain("/up");
});

test("a path for WebSockets that is asked for the readiness is refused with the key that closes it", () => {
  expect(refusalOf({ ...leastValues("mvp"), app: { readyPath: "/ws/" } })).toContain(
    'orion:edge.websockets: got "/ws", allowed: a path that visitors may reach; /ws/ is orion:app.readyPath, which they may not',
  );
});

test("without Cloudflare an app may take longer for its answers", () => {
  const own = {
    cloudflare: { enabled: false, accountId: "0".repeat(32) },
    edge: { tls: "acme", responseSeconds: 600 },
  };
  expect(settingsOf("mvp", own).edge.responseSeconds).toBe(600);
});

test("the path that the edge answers itself is none of the app", () => {
  expect(refusalOf({ ...leastValues("mvp"), app: { readyPath: "/edge-health" } })).toContain(
    'orion:app.readyPath: got "/edge-health", allowed: a path other than /edge-health, which the edge serves itself',
  );
});
