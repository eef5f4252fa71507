/** The commands that a stack's outputs have for each of its components. */
import { basename } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { backupCommand, backupUnit, drillCommand } from "../../../common/server-contract.ts";
import { accessOf } from "../../../components/access-output.ts";
import { plan } from "../../../topology/plan.ts";
import { settingsOf } from "../support/settings.ts";

const resolved = (value: pulumi.Input<string> | undefined): Promise<string> =>
  new Promise((resolve) => {
    pulumi.output(value ?? "nothing").apply(resolve);
  });

test("in development they run on this machine, in containers of known names", () => {
  const topology = plan("dev", settingsOf("development"));
  expect(accessOf(topology, {})).toMatchObject({
    database: {
      psql: "docker exec -it orion-dev-database psql",
      logs: "docker logs --tail 200 --follow orion-dev-database",
      restart: "docker restart orion-dev-database",
    },
    cache: { "redis-cli": "docker exec -it orion-dev-cache sh /etc/orion/redis/current/admin" },
    worker: { "active tasks": "docker exec -it orion-dev-worker celery -A app.celery inspect active" },
  });
});

test("on a server they go through ssh, and find the container at the moment that they run", async () => {
  const topology = plan("prod", settingsOf("mvp"));
  const access = accessOf(topology, { "core-1": pulumi.output(["-o", "ConnectTimeout=10", "root@203.0.113.7"]) });
  expect(await resolved(access["core-1"]?.["shell"])).toBe("ssh -o ConnectTimeout=10 root@203.0.113.7");
  expect(await resolved(access["core-1"]?.["flower, at http://127.0.0.1:5555"])).toBe(
    "ssh -NL 5555:127.0.0.1:5555 -o ConnectTimeout=10 root@203.0.113.7",
  );
  expect(await resolved(access["app-core-1-2"]?.["logs"])).toBe(
    "ssh -t -o ConnectTimeout=10 root@203.0.113.7 'docker logs --tail 200 --follow $(docker ps -aqf label=service=app-core-1-2 | head -1)'",
  );
});

test("a server and the only worker on it, which has the same name, do not hide each other's commands", async () => {
  const topology = plan("prod", settingsOf("scale", { workers: { dedicated: false } }));
  const access = accessOf(topology, { "worker-nbg1-1": pulumi.output(["root@203.0.113.7"]) })["worker-nbg1-1"];
  expect(Object.keys(access ?? {})).toEqual([
    ...["shell", "containers", "load", "disks", "system log", "flower, at http://127.0.0.1:5555"],
    ...["active tasks", "reserved tasks", "shell in the container", "logs", "restart"],
  ]);
  expect(await resolved(access?.["shell"])).toBe("ssh root@203.0.113.7");
  expect(await resolved(access?.["shell in the container"])).toContain("docker exec -it $(docker ps");
});

test("backups have no container: their commands are the server's", async () => {
  const access = accessOf(plan("prod", settingsOf("mvp")), { "core-1": pulumi.output(["root@203.0.113.7"]) });
  expect(await resolved(access["backup"]?.["list backups"])).toBe(
    "ssh -t root@203.0.113.7 '/usr/local/sbin/orion-backup list'",
  );
  expect(access["backup"]).not.toHaveProperty("shell");
  const commands = await Promise.all(Object.values(access["backup"] ?? {}).map(resolved));
  for (const name of [backupCommand, drillCommand].map((path) => basename(path))) {
    expect(commands.join("\n")).toMatch(new RegExp(`['\\s/]${name}`));
  }
  expect(commands.join("\n")).toContain(`--unit ${backupUnit} `);
});

test.each(["development", "mvp", "scale", "ha"] as const)("in phase %s every component has a way to it", (phase) => {
  const topology = plan("any", settingsOf(phase));
  const access = accessOf(topology, {});
  const services = topology.services.filter(({ kind }) => kind !== "release").map(({ name }) => name);
  expect(Object.keys(access)).toEqual(services);
  for (const commands of Object.values(access)) expect(Object.keys(commands)).toContain("logs");
});
