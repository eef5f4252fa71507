import fastify, { type FastifyInstance } from "fastify";
import { CallLog, recordCalls, recorderOf } from "../../../../rehearsal/cloud/call-log.ts";
import { failure } from "../../../../rehearsal/cloudflare/envelope.ts";
import { HetznerError } from "../../../../rehearsal/hetzner/errors.ts";

let app: FastifyInstance;
let calls: CallLog;
let lines: string[];
let noted: Promise<void>;
beforeEach(() => {
  app = fastify();
  calls = new CallLog();
  lines = [];
  noted = new Promise((resolve) => {
    const record = recorderOf(calls, (line) => {
      lines.push(line);
      resolve();
    });
    recordCalls(app, record);
  });
});
afterEach(() => app.close());

const listen = () => app.listen({ host: "127.0.0.1", port: 0 });

test("every call of the APIs is noted, newest first, and none of the cloud's own", async () => {
  const paths = ["/hetzner/v1/servers", "/client/v4/zones", "/rehearsal/status", "/"];
  for (const path of paths) app.get(path, () => ({}));
  const base = await listen();
  for (const path of paths) await fetch(`${base}${path}?token=secret`);
  expect(calls.total).toBe(2);
  expect(calls.last).toMatchObject([
    { method: "GET", path: "cloudflare:/zones", status: 200, problem: null },
    { method: "GET", path: "hetzner:/servers", status: 200, problem: null },
  ]);
  expect(lines).toEqual([
    expect.stringMatching(/^\d\d:\d\d:\d\d GET {4}hetzner:\/servers 200 \d+ ms$/),
    expect.stringMatching(/^\d\d:\d\d:\d\d GET {4}cloudflare:\/zones 200 \d+ ms$/),
  ]);
});

test.each([
  ["/hetzner/v1/servers", 409, new HetznerError(409, "conflict", "no luck").envelope, "conflict: no luck"],
  ["/client/v4/zones", 400, failure({ code: 1004, message: "no luck" }), "1004: no luck"],
  ["/hetzner/v1/servers", 502, "<html>bad gateway</html>", null],
])("%s answers %i, and the log says why", async (path, status, body, problem) => {
  app.delete(path, (_request, reply) => reply.code(status).send(body));
  await fetch(`${await listen()}${path}`, { method: "DELETE" });
  await noted;
  expect(calls.last).toMatchObject([{ status, problem }]);
  expect(lines).toEqual([expect.stringMatching(problem === null ? / ms$/ : new RegExp(` ${problem}$`))]);
});

test("a call that the client aborts is recorded once", async () => {
  const reached = new Promise<void>((reach) => {
    app.get("/hetzner/v1/servers", async (request, reply) => {
      reach();
      await new Promise((resolve) => request.raw.socket.once("close", resolve));
      return reply.hijack();
    });
  });
  const base = await listen();
  const abort = new AbortController();
  const call = fetch(`${base}/hetzner/v1/servers`, { signal: abort.signal });
  await reached;
  abort.abort();
  await expect(call).rejects.toThrow("aborted");
  await noted;
  // Everything that belongs to the call is over when the server has closed.
  await app.close();
  expect(calls.last).toMatchObject([{ path: "hetzner:/servers", status: 0 }]);
  expect(lines).toEqual([expect.stringMatching(/ hetzner:\/servers aborted by the client$/)]);
});

test("what a client sent and a message quotes does not reach the log raw", async () => {
  const message = "label selector 'a\u001b[2J\n12:00:00 forged' is not valid";
  app.get("/hetzner/v1/servers", (_request, reply) =>
    reply.code(400).send(new HetznerError(400, "x", message).envelope),
  );
  await fetch(`${await listen()}/hetzner/v1/servers`);
  await noted;
  expect(lines).toEqual([expect.stringContaining("'a\\u001b[2J\\u000a12:00:00 forged' is not valid")]);
  expect(calls.last[0]?.problem).not.toMatch(/\n/);
});
