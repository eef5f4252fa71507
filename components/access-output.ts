/** Builds the stack output `access`: command lines with which this machine reaches each server and service. */
import type * as pulumi from "@pulumi/pulumi";
import { quotedWords } from "../common/shell.ts";
import { definitionOf } from "../topology/catalogue.ts";
import { flowerPorts } from "../topology/services/flower.ts";
import { commandsFor } from "../topology/service-commands.ts";
import type { Service } from "../topology/service.ts";
import type { Topology } from "../topology/topology.ts";

type Commands = Record<string, pulumi.Input<string>>;

/**
 * Command lines for a shell of this machine, by server or service and by purpose.
 *
 * @param ssh arguments with which `ssh` logs in, by server; empty in development
 */
export function accessOf(
  topology: Topology,
  ssh: Readonly<Record<string, pulumi.Output<readonly string[]>>>,
): Record<string, Commands> {
  const on = (server: string, command: string): pulumi.Input<string> => {
    const login = ssh[server];
    return login ? login.apply((words) => `ssh -t ${quotedWords([...words, command])}`) : command;
  };
  const ofService = (service: Service): Commands =>
    Object.fromEntries(
      commandsFor(topology, service).map(({ purpose, command }) => [purpose, on(service.server, command)]),
    );
  const ofServer = (name: string, login: pulumi.Output<readonly string[]>): Commands => ({
    shell: login.apply((words) => `ssh ${quotedWords(words)}`),
    containers: on(name, "docker ps --all"),
    load: on(name, "docker stats"),
    disks: on(name, "df -h"),
    "system log": on(name, "journalctl --follow"),
    ...(topology.services.some(({ kind, server }) => kind === "flower" && server === name) && {
      [`flower, at http://127.0.0.1:${flower}`]: login.apply((words) => `ssh -NL ${tunnel} ${quotedWords(words)}`),
    }),
  });
  const ofServers = Object.entries(ssh).map(([name, login]) => [name, ofServer(name, login)] as const);
  const servers = Object.fromEntries(ofServers);
  return Object.fromEntries<Commands>([
    ...ofServers,
    ...topology.services
      .filter(({ kind }) => definitionOf(kind).runs !== "once")
      .map((service) => [service.name, besideServer(servers[service.name], ofService(service))] as const),
  ]);
}

/**
 * The commands of a service, and of the server that has the same name: the only worker of `worker-nbg1-1` is called so, too. A
 * purpose that both have is the server's; the container's is named as such.
 */
const besideServer = (ofServer: Commands = {}, ofService: Commands): Commands => ({
  ...ofServer,
  ...Object.fromEntries(
    Object.entries(ofService).map(([purpose, command]) => [
      purpose in ofServer ? `${purpose} in the container` : purpose,
      command,
    ]),
  ),
});

const flower = flowerPorts.http;
const tunnel = `${flower}:127.0.0.1:${flower}`;
