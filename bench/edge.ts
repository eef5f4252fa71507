/**
 * Benchmark of the edge: what it adds to the time of an answer, in one run with the app asked directly, and
 * with the connections that versions before made. Written to bench/edge.md. It
 * needs Docker and the images. The configuration is that of phase mvp, with TLS; clients keep their connections, as browsers and
 * Cloudflare do.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { must } from "../common/process.ts";
import { freePort } from "../common/ports.ts";
import { nginxConfig } from "../components/edge-proxy/nginx-config.ts";
import { presets } from "../config/presets.ts";
import { baseImage, officialImages } from "../config/images.ts";
import { ownImage } from "../images/own.ts";
import { selfSigned } from "../testing/certificate.ts";
import { eventually } from "../testing/eventually.ts";
import { machine, markdownTable } from "./table.ts";

const root = join(import.meta.dirname, "..");
const perSecond = 50;
const rounds = 6;
const requestsPerRound = 500;
const name = `orion-bench-edge-${process.pid}`;
const hostname = "orion.example.com";
const folder = mkdtempSync(join(tmpdir(), "orion-bench-edge-"));
const made: string[] = [];

/** An app that only answers, so that nothing but the way to it is measured. */
const app = `async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"x" * 2000})
`;

const { bodyLimitMb, responseSeconds, limits, headers, websockets } = presets.mvp.edge;
const configOf = (instances: readonly string[]): string =>
  nginxConfig({
    ...{ port: 8080, app: { host: "app", port: 8000, instances }, hostname, healthPort: 8081, trustedProxies: [] },
    ...{ bodyLimitMb, responseSeconds, limits, headers, websockets, privatePaths: [], healthPath: "/health" },
    tls: { port: 8443, certificate: "edge.crt", key: "edge.key" },
  });

async function start(container: string, ...args: string[]): Promise<void> {
  made.push(container);
  await must("docker", ["run", "--detach", "--pull", "never", "--name", container, "--network", name, ...args]);
}

async function startEdge(what: string, text: string, port: number): Promise<void> {
  const files = join(folder, what);
  await must("mkdir", ["-m", "755", files]);
  const { certificate, key } = selfSigned(hostname);
  for (const [file, contents] of Object.entries({ "nginx.conf": text, "edge.crt": certificate, "edge.key": key })) {
    writeFileSync(join(files, file), contents, { mode: 0o644 });
  }
  const mount = ["--volume", `${files}:/etc/orion/edge/current:ro`, "--publish", `127.0.0.1:${port}:8443`];
  const command = ["nginx", "-c", "/etc/orion/edge/current/nginx.conf", "-g", "daemon off;"];
  await start(`${name}-${what}`, ...mount, officialImages.nginx, ...command);
}

const agents = { plain: new PlainAgent({ keepAlive: true }), tls: new TlsAgent({ keepAlive: true }) };

/** Milliseconds until an answer is complete. */
function ask(port: number, tls: boolean): Promise<number> {
  const from = performance.now();
  const options = { host: "127.0.0.1", port, path: "/page", headers: { host: hostname } };
  return new Promise((resolve, reject) => {
    const call = tls
      ? tlsRequest({ ...options, agent: agents.tls, servername: hostname, rejectUnauthorized: false })
      : plainRequest({ ...options, agent: agents.plain });
    call.once("response", (response) => {
      response.resume();
      response.once("end", () => {
        if (response.statusCode === 200) resolve(performance.now() - from);
        else reject(new Error(`port ${port} answers ${response.statusCode ?? 0}`));
      });
    });
    call.once("error", reject);
    call.end();
  });
}

/** Resolves when a port answers. */
const answers = (port: number, tls: boolean): Promise<unknown> =>
  eventually(async () => {
    await ask(port, tls);
  }, 60);

const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(2);

try {
  await must("docker", ["network", "create", name]);
  writeFileSync(join(folder, "bench_app.py"), app, { mode: 0o644 });
  chmodSync(folder, 0o755);
  const ways = [
    { what: "Uvicorn, asked directly", port: await freePort(), tls: false },
    { what: "the edge, over TLS", port: await freePort(), tls: true },
    { what: "the same with a connection to the app for each request", port: await freePort(), tls: true },
  ].map((way) => ({ ...way, times: [] as number[] }));
  const [direct, edge, former] = ways.map(({ port }) => port);
  const uvicorn = ["uvicorn", "bench_app:app", "--host", "0.0.0.0", "--port", "8000", "--workers", "4"];
  await start(
    `${name}-app`,
    ...["--network-alias", "app", "--publish", `127.0.0.1:${direct ?? 0}:8000`, "--env", "PYTHONPATH=/bench"],
    ...["--volume", `${folder}/bench_app.py:/bench/bench_app.py:ro`, "--workdir", "/bench"],
    ...[
      ownImage(root, "app", baseImage()).reference,
      ...uvicorn,
      "--no-access-log",
      "--timeout-keep-alive",
      "75",
      "--ws",
      "none",
    ],
  );
  await answers(direct ?? 0, false);
  await startEdge("edge", configOf(["app"]), edge ?? 0);
  await startEdge("former", configOf([]), former ?? 0);
  for (const { port, tls } of ways) await answers(port, tls);
  for (let round = 1; round <= rounds; round++) {
    for (const { port, tls, times } of ways) {
      for (let count = 0; count < requestsPerRound; count++) {
        const next = sleep(1000 / perSecond);
        times.push(await ask(port, tls));
        await next;
      }
    }
  }
  for (const { times } of ways) times.sort((a, b) => a - b);
  const rows = ways.map(({ what, times }) => [what, at(times, 0.5), at(times, 0.99), times.length]);
  const text = `# What the edge costs

Measured by \`make bench-edge\` on ${machine()}: ${perSecond} requests a second, ${rounds} rounds of ${requestsPerRound} requests to each in turn. The machine is
shared and noisy, and runs clients, edge and app.

${markdownTable(["Milliseconds until the answer is complete", "median", "99th percentile", "requests"], rows)}

With a connection for each request the edge was in versions before; requests that must not be sent twice, such as POST, still have one of their
own ([why](../docs/edge.md#connections-to-the-app)).
`;
  writeFileSync(join(import.meta.dirname, "edge.md"), text);
  process.stdout.write(text);
} finally {
  for (const agent of Object.values(agents)) agent.destroy();
  await must("docker", ["rm", "--force", "--volumes", ...made], { allow: [1] });
  await must("docker", ["network", "rm", name], { allow: [1] });
  rmSync(folder, { recursive: true });
}
