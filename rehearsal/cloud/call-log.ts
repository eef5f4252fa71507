/** Records the calls of both APIs and of R2's S3 interface: the last ones for the status page, all of them for the log. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import { isRecord } from "../../common/record.ts";
import { type ClientCalls, Clients } from "./clients.ts";

export interface Call {
  /** RFC 3339. */
  readonly time: string;
  readonly method: string;
  readonly path: string;
  /** HTTP status of the reply; 0 when the client closed the connection before it. */
  readonly status: number;
  readonly milliseconds: number;
  /** Error code and message of the reply; null on success. */
  readonly problem: string | null;
  /** The client's User-Agent; empty when it sent none. */
  readonly agent: string;
}

const kept = 100;

export class CallLog {
  readonly #calls: Call[] = [];
  readonly #clients = new Clients();
  #total = 0;

  add(call: Call): void {
    this.#total++;
    this.#calls.push(call);
    this.#clients.add(call);
    if (this.#calls.length > kept) this.#calls.shift();
  }

  /** Newest first. */
  get last(): readonly Call[] {
    return this.#calls.toReversed();
  }

  /** The calls by client, those with errors first. */
  get clients(): readonly ClientCalls[] {
    return this.#clients.all;
  }

  /** Number of calls since the emulator started. */
  get total(): number {
    return this.#total;
  }
}

/** Makes what records a call, and writes it into the log. */
export const recorderOf =
  (calls: CallLog, log: (line: string) => void) =>
  (call: Omit<Call, "time">): void => {
    const agent = printable(call.agent.slice(0, 200));
    const problem = call.problem === null ? null : printable(call.problem);
    const whole = {
      ...call,
      time: new Date().toISOString(),
      milliseconds: Math.round(call.milliseconds),
      agent,
      problem,
    };
    calls.add(whole);
    log(lineOf(whole));
  };

/** Records every call of the APIs. */
export function recordCalls(app: FastifyInstance, record: (call: Omit<Call, "time">) => void): void {
  const problems = new WeakMap<FastifyRequest, string>();
  const note = (request: FastifyRequest, status: number, milliseconds: number): void => {
    const [path = ""] = request.url.split("?");
    if (path === "/" || path.startsWith("/rehearsal")) return;
    record({
      method: request.method,
      path: path.replace(/^\/(hetzner\/v1|client\/v4)/, (api) => (api.startsWith("/h") ? "hetzner:" : "cloudflare:")),
      status,
      milliseconds,
      problem: problems.get(request) ?? null,
      agent: request.headers["user-agent"] ?? "",
    });
  };
  app.addHook("onSend", (request, reply, payload, done) => {
    const problem = reply.statusCode < 400 ? undefined : problemOf(payload);
    if (problem !== undefined) problems.set(request, problem);
    done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    note(request, reply.statusCode, reply.elapsedTime);
    done();
  });
  app.addHook("onRequestAbort", (request, done) => {
    note(request, 0, 0);
    done();
  });
}

/** Code and message of an error reply of either API. */
function problemOf(payload: unknown): string | undefined {
  const body: unknown = typeof payload === "string" && payload.startsWith("{") ? JSON.parse(payload) : undefined;
  if (!isRecord(body)) return undefined;
  const { errors } = body;
  const error: unknown = Array.isArray(errors) ? errors[0] : body["error"];
  if (!isRecord(error)) return undefined;
  return `${String(error["code"])}: ${String(error["message"])}`;
}

/** A message can quote what a client sent: control characters would end the line of the log, or steer a terminal. */
const printable = (text: string): string =>
  // eslint-disable-next-line no-control-regex -- they are what it is about
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);

const lineOf = ({ time, method, path, status, milliseconds, problem }: Call): string =>
  [
    `${time.slice(11, 19)} ${method.padEnd(6)} ${path}`,
    status === 0 ? "aborted by the client" : `${status} ${milliseconds} ms`,
    ...(problem === null ? [] : [problem]),
  ].join(" ");
