/** `make flower`: prints the URL of the task monitor; for a server it opens an SSH tunnel and prints the password. */
import { flowerUser } from "../common/app-contract.ts";
import { freePort, isFree } from "../common/ports.ts";
import { UserError } from "../common/user-error.ts";
import type { Service } from "../topology/service.ts";
import { servicesOf } from "../topology/topology.ts";
import { type Engines, stackOutput } from "./engines.ts";
import type { StackFile } from "./stack-file.ts";
import { bold, say } from "./terminal.ts";

export async function openFlower(root: string, { stack, topology }: StackFile, engines: Engines): Promise<number> {
  const [service] = servicesOf(topology, "flower");
  const [published] = service?.published ?? [];
  if (!service || !published)
    throw new UserError(`Stack '${stack}' does not run flower; add it to orion:services and run make up.`);
  const url = `http://${published.address}:${published.port}/`;
  return service.server === "local" ? showLocal(url, stack) : openTunnel(root, stack, service, published.port, engines);
}

async function showLocal(url: string, stack: string): Promise<number> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(5000) });
  } catch {
    throw new UserError(`Flower does not answer at ${url}; make doctor STACK=${stack} explains why.`);
  }
  say(`Flower: ${bold(url)}`);
  return 0;
}

/** On a server Flower listens on loopback: the SSH tunnel lasts as long as the command runs. */
async function openTunnel(
  root: string,
  stack: string,
  service: Service,
  port: number,
  engines: Engines,
): Promise<number> {
  const engine = engines.of(service);
  const password = stackOutput(root, stack, "flowerPassword", "--show-secrets");
  // A development stack's Flower, or another tunnel, may have that port here.
  const localPort = (await isFree("127.0.0.1", port)) ? port : await freePort();
  say(`Flower of ${service.server}: ${bold(`http://127.0.0.1:${localPort}/`)}`);
  if (password !== undefined) say(`user ${flowerUser}, password ${password}`);
  say("Ctrl-C ends it.");
  return engine.tunnel(port, localPort);
}
