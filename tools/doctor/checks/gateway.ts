/** Checks a gateway's own view: which server behind each of its ports is up. */
import { statisticsPort } from "../../../components/gateway/haproxy-config.ts";
import { gatewayPorts } from "../../../topology/services/gateway.ts";
import type { Checked } from "../advice.ts";
import type { Question } from "../question.ts";

const question = `exec 3<>/dev/tcp/127.0.0.1/${statisticsPort}; echo 'show servers state' >&3; timeout 10 cat <&3`;

export async function checkGateway({ service, exec }: Question): Promise<Checked> {
  const { ok, output } = await exec(service, "bash", "-c", question);
  return ok ? viewOf(output) : { problem: "gateway-silent", detail: output.slice(0, 200) };
}

/** The operational state of a server that takes connections. */
const isRunning = 2;

/**
 * What HAProxy's table of its servers says. Pure.
 *
 * @param text the answer to `show servers state`: a line for each server, with port, name and state in its second, fourth and sixth column
 */
export function viewOf(text: string): Checked {
  const servers = text.split("\n").flatMap((line) => {
    const [id = "", port = "", , name = "", , state] = line.split(" ");
    return /^\d+$/.test(id) && name !== "" ? [{ port, name, up: Number(state) === isRunning }] : [];
  });
  if (servers.length === 0) return { problem: "gateway-silent", detail: text.slice(0, 200) };
  // Beside its ports, a gateway that follows Redis Sentinel has each Sentinel that it asks.
  const ports = [...new Set(servers.map(({ port }) => port))].filter((port) => port in gatewayPorts);
  const silent = servers.flatMap(({ port, name, up }) => (up || port !== name || port in gatewayPorts ? [] : [name]));
  const upAt = (port: string) => servers.filter((server) => server.port === port && server.up).map(({ name }) => name);
  // Without a replica that can be read, the way for reads leads to the fallback.
  const hasWay = (port: string) => upAt(port).length > 0 || upAt(`${port}-fallback`).length > 0;
  const blocked = ports.filter((port) => !hasWay(port));
  if (blocked.length > 0) {
    const down = servers.filter(({ port }) => blocked.includes(port)).map(({ port, name }) => `${port}: ${name}`);
    return { problem: "gateway-blocked", detail: `no server is up behind ${down.join(", ")}` };
  }
  const ways = ports.map((port) => {
    const up = upAt(port);
    return `${port}: ${up.length > 0 ? up.join(", ") : `${upAt(`${port}-fallback`).join(", ")}, as no replica follows`}`;
  });
  return { detail: [...ways, ...silent.map((name) => `${name} does not answer it`)].join("; ") };
}
