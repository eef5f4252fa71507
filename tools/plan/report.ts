/** Formats an inventory for people: servers with their services, the price, and what the account must allow. Pure. */
import { beyondAccount, hasOf, type Need } from "../../policy/account.ts";
import { bold, dim, table, yellow } from "../terminal.ts";
import { type Group, groupsOn, type Inventory, type PlannedServer, type PlannedService } from "./inventory.ts";

export function reportOfPlan(inventory: Inventory): string {
  const { stack, phase, hosting, servers } = inventory;
  const machines = hosting === "local" ? "containers on this machine" : counted(servers.length, "servers");
  return [
    bold(`Stack ${stack}, phase ${phase}: ${machines}`),
    ...(hosting === "local" ? machine(inventory, "local") : servers.flatMap((server) => ofServer(inventory, server))),
    ...balancers(inventory),
    "",
    ...(hosting === "local"
      ? [dim("No cost: it runs on this machine.")]
      : [...costs(inventory), "", ...accountLines(inventory.account)]),
  ].join("\n");
}

function ofServer(inventory: Inventory, server: PlannedServer): string[] {
  const { name, location, type, otherTypes, privateAddress, volumeGb, publicWeb, monthly } = server;
  const facts = [
    ...[location, otherTypes.length > 0 ? `${type} (or ${otherTypes.join(", ")})` : type, privateAddress],
    ...(publicWeb ? ["reached by visitors"] : []),
    ...(volumeGb > 0 ? [`Volume of ${volumeGb} GB with data`] : []),
    monthly === null ? "price not known" : `€ ${monthly.toFixed(2)}`,
  ];
  return ["", `${bold(name)}  ${facts.join(" · ")}`, ...machine(inventory, name)];
}

function machine(inventory: Inventory, name: string): string[] {
  const groups = groupsOn(inventory, name);
  return groups.length === 0 ? ["  no service"] : [table(groups.map(row))];
}

const row = ({ kind, services }: Group): string[] => [
  `  ${services.length > 1 ? `${kind} × ${services.length}` : kind}`,
  memory(services),
  ports(services),
  [...new Set(services.flatMap(notes))].join(" "),
];

function memory(services: readonly PlannedService[]): string {
  const [first] = services;
  // Zero: it runs in another service's container.
  if (!first || services.every(({ memoryMb }) => memoryMb === 0)) return "";
  const same = services.every(({ memoryMb }) => memoryMb === first.memoryMb);
  return same
    ? `${first.memoryMb} MiB${services.length > 1 ? " each" : ""}`
    : services.map(({ memoryMb }) => memoryMb).join(" + ");
}

const ports = (services: readonly PlannedService[]): string =>
  services.flatMap(({ ports: all }) => all.map(({ address, port }) => `${address}:${port}`)).join(" ");

const notes = ({ runs, keeps, queues }: PlannedService): string[] => [
  ...(queues ?? []),
  ...(runs === "once" ? ["runs once in an update"] : runs === "by timer" ? ["runs by a timer"] : []),
  ...(keeps === "data" ? ["keeps data"] : []),
];

function balancers({ loadBalancers }: Inventory): string[] {
  return loadBalancers.flatMap(({ name, location, type, privateAddress, monthly }) => [
    "",
    `${bold(name)}  ${[location, type, privateAddress, "reached by visitors", monthly === null ? "price not known" : `€ ${monthly.toFixed(2)}`].join(" · ")}`,
  ]);
}

function costs({ cost: { monthly, items, unpriced, source, date } }: Inventory): string[] {
  const parts = items.map(({ what, count, monthly: sum }) => `${counted(count, what)} ${sum.toFixed(2)}`);
  return [
    bold(`€ per month: ${monthly.toFixed(2)}`),
    `  ${parts.join(", ")}`,
    dim(`  Net, without traffic and Cloudflare; ${source}, ${date}.`),
    ...unpriced.map((name) => yellow(`  The price of ${name}'s type is not known; it is not in the sum.`)),
  ];
}

/** What the account must allow, with a warning for what a new one does not. */
export function accountLines(needs: readonly Need[]): string[] {
  const list = needs.map(({ what, count }) => counted(count, what)).join(", ");
  return [
    bold("Needed of the account at Hetzner"),
    `  ${list}`,
    ...beyondAccount(needs).map((need) =>
      yellow(
        `  ${hasOf(need)}: have the limit raised to ${need.count} or more in the Console (Limits) before the update; it can take days.`,
      ),
    ),
  ];
}

/** `1 server`, `2 servers`. @param what in the plural */
const counted = (count: number, what: string): string =>
  `${count} ${count === 1 ? what.replace("addresses", "address").replace(/(server|Volume|balancer|group|IP)s\b/, "$1") : what}`;
