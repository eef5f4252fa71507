/** What `make doctor` makes of the answer, or the silence, of a service that speaks HTTP. */
import { serveHttp } from "../../../../../testing/http-server.ts";
import { checkEdge } from "../../../../../tools/doctor/checks/edge.ts";
import { checkHttp, type HttpQuestion } from "../../../../../tools/doctor/checks/http.ts";
import { pythonCommand } from "../../../../../tools/doctor/python.ts";
import type { Service } from "../../../../../topology/service.ts";
import { servicesOf } from "../../../../../topology/topology.ts";
import { stackOf } from "../../../policy/support.ts";

const exec = () => Promise.resolve({ ok: false, output: "nothing is to be run" });
const workers = () => Promise.reject(new Error("no worker is to be asked"));
const one = (phase: "development" | "mvp", kind: "app" | "edge" | "flower"): Service => {
  const [service] = servicesOf(stackOf(phase).topology, kind);
  if (!service) throw new Error(`phase ${phase} has ${kind}`);
  return service;
};

describe("in a local stack, asked by this machine", () => {
  let port: number;
  let pauses = 0;
  let late = 0;
  beforeAll(async () => {
    const { host } = await serveHttp((request, response) => {
      const status = request.url === "/late" ? (late++ === 0 ? 503 : 200) : Number(request.url?.slice(1));
      response.writeHead(status).end(status === 200 ? "" : "why");
    });
    port = Number(host.split(":")[1]);
  });
  const checked = (path: string, failure: HttpQuestion["failure"], at: number | undefined = port) => {
    const service = one("development", "flower");
    const published = service.published.map((each) => ({ ...each, port: at }));
    const asked = { ...service, published };
    return checkHttp({ service: asked, exec, from: undefined, scheme: "http", port: 1, path, failure }, () => {
      pauses += 1;
      return Promise.resolve();
    });
  };

  test.each([
    ["/200", "bad-gateway", undefined],
    ["/502", "bad-gateway", "bad-gateway"],
    ["/503", "app-not-ready", "app-not-ready"],
    // Whoever asks for a password answers.
    ["/401", "no-answer", undefined],
    ["/401", "app-not-ready", "app-not-ready"],
    ["/500", "no-answer", "no-answer"],
  ] as const)("%s, whose failure is %s: %s", async (path, failure, problem) => {
    const { detail, ...rest } = await checked(path, failure);
    expect(rest).toEqual(problem ? { problem } : {});
    const words = `http://127.0.0.1:${port}${path} answers ${path.slice(1)}`;
    expect(detail).toBe(problem ? `${words} why` : words);
  });

  test("an app whose database answered too late once is well", async () => {
    pauses = 0;
    expect(await checked("/late", "app-not-ready")).toEqual({ detail: `http://127.0.0.1:${port}/late answers 200` });
    expect(pauses).toBe(1);
  });

  test("nobody there is a problem that names the address", async () => {
    expect(await checked("/200", "bad-gateway", 1)).toEqual({
      problem: "no-answer",
      detail: expect.stringMatching(/^http:\/\/127\.0\.0\.1:1\/200: /) as unknown,
    });
  });
});

test("on a server a container asks itself at 127.0.0.1, which ALLOWED_HOSTS has, and another one by its name", async () => {
  const app = one("mvp", "app");
  const asked: string[] = [];
  const noting = (_: unknown, ...command: string[]) => {
    const [program = "", url = ""] = command.slice(4);
    expect(command).toEqual(pythonCommand(program, url));
    asked.push(url);
    return Promise.resolve({ ok: true, output: "200 ok" });
  };
  const ask = (service: Service) =>
    checkHttp({
      ...{ service, exec: noting, from: app, scheme: "http", port: 8000, path: "/ready", failure: "app-not-ready" },
    });
  expect(await ask(app)).toEqual({ detail: "http://127.0.0.1:8000/ready answers 200" });
  const edge = one("mvp", "edge");
  await ask(edge);
  expect(asked).toEqual(["http://127.0.0.1:8000/ready", `http://${edge.name}:8000/ready`]);
});

describe("on a server, asked by an app's container", () => {
  const { topology } = stackOf("mvp");
  const checked = (answer: { ok: boolean; output: string }, plan = topology) =>
    checkEdge({ service: one("mvp", "edge"), topology: plan, exec: () => Promise.resolve(answer), workers });

  test.each([
    [{ ok: true, output: "200 ok" }, undefined, "answers 200"],
    [{ ok: true, output: "502 <html>" }, "bad-gateway", "answers 502 <html>"],
    [{ ok: false, output: "Traceback\nurllib.error.URLError: timed out" }, "no-answer", "URLError: timed out"],
  ])("%j", async (answer, problem, detail) => {
    const seen = await checked(answer);
    expect(seen.problem).toBe(problem);
    expect(seen.detail).toContain(detail);
  });

  test("without an app there nobody can ask", async () => {
    const services = topology.services.filter(({ kind }) => kind !== "app");
    expect(await checked({ ok: true, output: "200 ok" }, { ...topology, services })).toMatchObject({
      problem: "no-answer",
      detail: expect.stringContaining("no app on the server to send the request from") as unknown,
    });
  });
});
