import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../../testing/folder.ts";
import type { Run } from "../../../common/process.ts";
import { type Command, runBy } from "../support/process.ts";
import { OrionProvider } from "../../../plugin/provider.ts";
import { redact, unwrapSecrets } from "../../../common/secrets.ts";

const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});
const inputs = {
  dockerHost: "unix:///var/run/docker.sock",
  container: "orion-test-migrate",
  image: "sha256:1",
  command: ["alembic", "upgrade", "head"],
  environment: { DATABASE_URL: "postgresql://user:p4ssw0rd@database" },
  network: "orion-test-network",
  labels: { app: "orion" },
  volumes: [],
  memoryMb: 300,
  writable: ["/tmp"],
  timeoutSeconds: 900,
};

/** A machine whose docker answers `container run` as told, and that keeps what it was asked. */
function fakeDocker(code: number | undefined, output = ""): { run: Run; calls: Command[] } {
  const calls: Command[] = [];
  const run = runBy((command) => {
    calls.push(command);
    return isRun(command) ? { code, output } : { code: 1, output: "No such container" };
  });
  return { run, calls };
}

const isRun = ({ args }: Command): boolean => args.join(" ").includes("container run");

const urn = "urn:pulumi:dev::orion::orion:index:Task::release-migrate";

test("a task runs its container once, with its secrets in the environment and not in the arguments", async () => {
  const { run, calls } = fakeDocker(0);
  const { id } = await new OrionProvider(run).create(urn, inputs);
  expect(id).toBe("release-migrate");
  expect(calls.find(isRun)).toEqual({
    program: "sh",
    environment: { DOCKER_HOST: "unix:///var/run/docker.sock" },
    input: "DATABASE_URL=postgresql://user:p4ssw0rd@database\n",
    timeoutSeconds: 900,
    args: [
      ...["-c", 'cat | docker "$@"', "docker"],
      ...["container", "run", "--rm", "--init", "--pull", "never", "--name", "orion-test-migrate"],
      ...["--network", "orion-test-network", "--log-driver", "json-file", "--label", "app=orion"],
      ...["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--pids-limit", "512"],
      ...["--oom-score-adj", "1000"],
      ...["--memory", "300m", "--memory-swap", "300m", "--volume", "/tmp"],
      ...["--env-file", "/dev/stdin", "sha256:1", "alembic", "upgrade", "head"],
    ],
  });
});

const pem = "-----BEGIN PRIVATE KEY-----\nit's $HOME \\n\n\tline\n-----END PRIVATE KEY-----\n";
const withKey = { ...inputs, environment: { ...inputs.environment, KEY: pem, EMPTY: "", WINDOWS: "a\r\nb" } };

test("values of several lines arrive as they are, and in no argument", async () => {
  const { run, calls } = fakeDocker(0);
  await new OrionProvider(run).create(urn, withKey);
  const { program = "", args = [], input = "" } = calls.find(isRun) ?? {};
  expect(args.join(" ")).toContain(" --env KEY --env WINDOWS --env-file /dev/stdin sha256:1 ");
  expect(args.join(" ")).not.toContain("PRIVATE");
  // A real shell, and a docker that tells what it gets.
  const folder = temporaryFolder("docker");
  writeFileSync(join(folder, "docker"), '#!/bin/sh\nprintf %s "$KEY|$WINDOWS|"; cat\n', { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` };
  const { stdout } = spawnSync(program, args, { input: typeof input === "string" ? input : "", encoding: "utf8", env });
  expect(stdout).toBe(`${pem}|a\r\nb|DATABASE_URL=postgresql://user:p4ssw0rd@database\nEMPTY=\n`);
});

test("on a server they are passed in the same way", async () => {
  const { run, calls } = fakeDocker(0);
  await new OrionProvider(run).create(urn, { ...withKey, dockerHost: "ssh://root@192.0.2.1", sshOptions: [] });
  const { args = [], input } = calls.find(isRun) ?? {};
  expect(args.at(-1)).toMatch(/^sh -c '.*read -r variables .*' docker container run .* --env KEY /);
  expect(args.join(" ")).not.toContain("PRIVATE");
  expect(input).toMatch(/^export KEY='-----BEGIN PRIVATE KEY-----'"\$n"'it'/);
});

test("a line of such a value is in no message, however a program prints it", async () => {
  const { run } = fakeDocker(1, `cannot read ${JSON.stringify(pem)}`);
  await expect(new OrionProvider(run).create(urn, withKey)).rejects.not.toThrow("PRIVATE KEY");
});

test("a task runs as the user that it is given", async () => {
  const { run, calls } = fakeDocker(0);
  await new OrionProvider(run).create(urn, { ...inputs, user: "1000:1000" });
  expect(calls.find(isRun)?.args.join(" ")).toContain(" --user 1000:1000 ");
});

test("on a server the same is done there, over the system's ssh", async () => {
  const { run, calls } = fakeDocker(0);
  const server = { dockerHost: "ssh://root@192.0.2.1:2222", sshOptions: ["-o", "ControlMaster=auto"] };
  await new OrionProvider(run).create(urn, { ...inputs, ...server, command: ["echo", "it's"] });
  const { program, args, input } = calls.find(isRun) ?? {};
  expect(program).toBe("ssh");
  expect(args?.slice(0, -1)).toEqual([
    ...["-o", "ControlMaster=auto", "-o", "BatchMode=yes", "-p", "2222", "root@192.0.2.1"],
  ]);
  expect(args?.at(-1)).toMatch(/^sh -c 'cat \| docker "\$@"' docker container run .* sha256:1 echo 'it'\\''s'$/);
  expect(input).toBe("DATABASE_URL=postgresql://user:p4ssw0rd@database\n");
});

test("a run that a killed update left behind is waited for, and then it runs; without one nothing else is asked", async () => {
  const usual = fakeDocker(0);
  await new OrionProvider(usual.run).create(urn, inputs);
  expect(usual.calls).toHaveLength(1);

  const calls: Command[] = [];
  const conflict = 'Conflict. The container name "/orion-test-migrate" is already in use by container "1a2b".';
  const run = runBy((command) => {
    calls.push(command);
    return isRun(command) && calls.length === 1 ? { code: 125, output: conflict } : { code: 0, output: "" };
  });
  await new OrionProvider(run).create(urn, inputs);
  expect(calls.map(({ args }) => args.slice(args.indexOf("container")).slice(0, 2).join(" "))).toEqual([
    "container run",
    "container wait",
    "container rm",
    "container run",
  ]);
});

test("one that fails says why with the end of its log, free of secrets", async () => {
  const log = Array.from({ length: 60 }, (_, n) => `line ${n}`).join("\n");
  const { run } = fakeDocker(3, `${log}\ncannot reach postgresql://user:p4ssw0rd@database\n`);
  const created = new OrionProvider(run).create(urn, inputs);
  await expect(created).rejects.toThrow("orion-test-migrate (alembic upgrade head) failed with exit code 3.");
  await expect(created).rejects.toThrow("... 21 lines before");
  await expect(created).rejects.toThrow("cannot reach [secret]");
  await expect(created).rejects.not.toThrow("p4ssw0rd");
});

test("one that the kernel killed says so, with its memory limit", async () => {
  const { run } = fakeDocker(137);
  await expect(new OrionProvider(run).create(urn, inputs)).rejects.toThrow("killed: its memory limit is 300 MiB");
});

test("one that takes too long is removed", async () => {
  const { run, calls } = fakeDocker(undefined);
  await expect(new OrionProvider(run).create(urn, inputs)).rejects.toThrow("did not end within 900 s");
  expect(calls.at(-1)?.args).toEqual(["container", "rm", "--force", "orion-test-migrate"]);
});

test("an input that is missing or wrong is named before anything runs", async () => {
  const { run, calls } = fakeDocker(0);
  const { failures } = await new OrionProvider(run).check(urn, {}, { ...inputs, command: [], timeoutSeconds: 0 });
  expect(failures?.map(({ property }) => property)).toEqual(["command", "timeoutSeconds"]);
  expect(calls).toEqual([]);
});

test("what is not known before an update is not judged", async () => {
  const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
  const kind = (type: string) => urn.replace("Task", type);
  const { run } = fakeDocker(0);
  const host = { host: unknown, sshOptions: [unknown], serverId: unknown, volumeDevice: unknown, timeoutSeconds: 9 };
  expect((await new OrionProvider(run).check(kind("HostReady"), {}, host)).failures).toEqual([]);
  const { failures } = await new OrionProvider(run).check(kind("HostReady"), {}, { ...host, host: "192.0.2.1" });
  expect(failures?.map(({ property }) => property)).toEqual(["host"]);
});

test("only another value is a change, whether it is a secret or not", async () => {
  const provider = new OrionProvider(fakeDocker(0).run);
  const changes = async (news: Record<string, unknown>) => (await provider.diff("id", urn, inputs, news)).changes;
  expect(await changes({ ...inputs, environment: secret(inputs.environment), __defaults: [] })).toBe(false);
  expect(await changes({ ...inputs, image: "sha256:2" })).toBe(true);
});

test("secrets are unwrapped at any depth", () => {
  expect(unwrapSecrets({ a: [secret({ b: secret("c") })], d: 1, e: null })).toEqual({ a: [{ b: "c" }], d: 1, e: null });
});

test("a text loses every secret in it, the longest first; very short ones would only garble it", () => {
  expect(redact("abcdefgh abcdef abc", ["abcdef", "abcdefgh", "abc"])).toBe("[secret] [secret] abc");
});

test("a task that can be undone runs that command when it is taken out, and another one nothing", async () => {
  const { run, calls } = fakeDocker(0);
  const provider = new OrionProvider(run);
  await provider.delete("", urn, inputs);
  expect(calls).toEqual([]);
  await provider.delete("", urn, { ...inputs, removal: ["psql", "-c", "DROP"] });
  expect(calls.find(isRun)?.args.slice(-4)).toEqual(["sha256:1", "psql", "-c", "DROP"]);
});

test("a task that a version without limits stored can be undone", async () => {
  const { run, calls } = fakeDocker(0);
  const isNew = (key: string) => key === "memoryMb" || key === "writable";
  const stored = Object.fromEntries(Object.entries(inputs).filter(([key]) => !isNew(key)));
  await new OrionProvider(run).delete("", urn, { ...stored, removal: ["psql", "-c", "DROP"] });
  expect(calls.find(isRun)?.args.join(" ")).toContain("--memory 256m");
});
