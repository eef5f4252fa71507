/** Checks a service by an HTTP request: from this machine to a local Docker Engine, from an app's container on a server. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Service } from "../../../topology/service.ts";
import type { Checked, Problem } from "../advice.ts";
import { pythonCommand } from "../python.ts";
import type { Exec } from "../question.ts";

export interface HttpQuestion {
  readonly service: Service;
  readonly exec: Exec;
  /** On a server, the service whose container sends the request. */
  readonly from: Service | undefined;
  readonly scheme: "http" | "https";
  /** Port inside the container. */
  readonly port: number;
  readonly path: string;
  /** The problem to report for a status of 400 or more. With `no-answer` the limit is 500: a 401 shows that the service answers. */
  readonly failure: Problem;
}

/**
 * An app that is not ready is asked once more: doctor asks everything at the same time, and on a small server its database can have
 * answered too late because of that.
 */
export async function checkHttp(
  question: HttpQuestion,
  pause: () => Promise<unknown> = () => sleep(3000),
): Promise<Checked> {
  const first = await askOnce(question);
  if (first.problem !== "app-not-ready") return first;
  await pause();
  return askOnce(question);
}

async function askOnce({ service, exec, from, failure, ...at }: HttpQuestion): Promise<Checked> {
  const isLocal = service.server === "local";
  const url = isLocal ? localUrl(service, at.path) : insideUrl(service, from, at);
  if (url === undefined) return { detail: "healthy" };
  const { status, text } = isLocal ? await fetchStatus(url) : await fetchInside(url, exec, from);
  if (status === 0) return { problem: "no-answer", detail: `${url}: ${text}` };
  const detail = `${url} answers ${status}`;
  const isWell = status < (failure === "no-answer" ? 500 : 400);
  return isWell ? { detail } : { problem: failure, detail: `${detail} ${text}` };
}

const localUrl = ({ published: [at] }: Service, path: string): string | undefined =>
  at && `http://${at.address}:${at.port}${path}`;

/**
 * A service's own container asks 127.0.0.1, as its health check does: an app that answers only for the names of ALLOWED_HOSTS refuses
 * the name of its container. An edge replaces the name before it asks its app.
 */
function insideUrl(
  { name }: Service,
  from: Service | undefined,
  { scheme, port, path }: Pick<HttpQuestion, "scheme" | "port" | "path">,
): string {
  const host = from?.name === name ? "127.0.0.1" : name;
  return `${scheme}://${host}:${port}${path}`;
}

async function fetchStatus(url: string): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    return { status: response.status, text: (await response.text()).slice(0, 200) };
  } catch (error) {
    return { status: 0, text: error instanceof Error ? error.message : String(error) };
  }
}

/** Every image of the app has Python (`pythonCommand`). The certificate is not verified. */
const fetchScript = `import ssl, sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=5, context=ssl._create_unverified_context())
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.read(200).decode(errors="replace"))`;

async function fetchInside(
  url: string,
  exec: Exec,
  from: Service | undefined,
): Promise<{ status: number; text: string }> {
  if (!from) return { status: 0, text: "no app on the server to send the request from" };
  const { ok, output } = await exec(from, ...pythonCommand(fetchScript, url));
  const [status = "0", ...text] = output.split(" ");
  return ok ? { status: Number(status), text: text.join(" ") } : { status: 0, text: output.split("\n").at(-1) ?? "" };
}
