/** Whether services answer over HTTP, asked from where their clients are. */
import { containerPorts } from "../../topology/plan.ts";
import { type Service } from "../../topology/types.ts";
import { type Checked, type Problem } from "./advice.ts";
import { type Exec } from "./exec.ts";

/** Whether an address answers: from this machine in development, from inside an app's container on a server. */
export async function checkHttp(
  service: Service,
  path: string,
  problem: Problem,
  exec: Exec,
  from: Service | undefined,
): Promise<Checked> {
  const url = service.server === "local" ? localUrl(service, path) : insideUrl(service, path);
  if (url === undefined) return { detail: "healthy" };
  const { status, text } = service.server === "local" ? await fetchStatus(url) : fetchInside(url, exec, from);
  if (status === 0) return { problem: "no-answer", detail: `${url}: ${text}` };
  const detail = `${url} answers ${status}`;
  // Who only has to answer may ask for a password.
  const isWell = status < (problem === "no-answer" ? 500 : 400);
  return isWell ? { detail } : { problem, detail: `${detail} ${text}` };
}

const localUrl = ({ published: [at] }: Service, path: string): string | undefined =>
  at && `http://${at.address}:${at.port}${path}`;

/** Whether an edge takes visitors from a load balancer alone; then it has a port for questions. */
export const isBehindBalancer = ({ published }: Service): boolean =>
  published.some(({ containerPort }) => containerPort === containerPorts.edgeHealth);

/** By its name in the container network, where an edge with TLS has that at its second port. */
function insideUrl(service: Service, path: string): string {
  const { name, kind, published } = service;
  if (isBehindBalancer(service)) return `http://${name}:${containerPorts.edgeHealth}${path}`;
  if (kind === "edge" && published.length > 1) return `https://${name}:${containerPorts.edgeTls}${path}`;
  const port = kind === "edge" ? containerPorts.edge : kind === "flower" ? containerPorts.flower : containerPorts.app;
  return `http://${name}:${port}${path}`;
}

async function fetchStatus(url: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    return { status: response.status, text: (await response.text()).slice(0, 200) };
  } catch (error) {
    return { status: 0, text: error instanceof Error ? error.message : String(error) };
  }
}

/** Python is in every image that runs FastAPI. What is asked for is an answer, not whether its certificate is trusted. */
const fetchScript = `import ssl, sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=5, context=ssl._create_unverified_context())
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.read(200).decode(errors="replace"))`;

function fetchInside(url: string, exec: Exec, from: Service | undefined): { status: number; text: string } {
  if (!from) return { status: 0, text: "no app to look from" };
  const { ok, output } = exec(from, "python", "-c", fetchScript, url);
  const [status = "0", ...text] = output.split(" ");
  return ok ? { status: Number(status), text: text.join(" ") } : { status: 0, text: output.split("\n").at(-1) ?? "" };
}
