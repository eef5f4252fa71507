import { type Docker, type DockerCall } from "../../../provider/docker.ts";
import { OrionProvider } from "../../../provider/provider.ts";
import { redact, unwrapSecrets } from "../../../provider/secrets.ts";

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
  timeoutSeconds: 900,
};

/** A docker that answers `container run` as told, and keeps what it was asked. */
function fakeDocker(code: number | undefined, output = ""): { docker: Docker; calls: DockerCall[] } {
  const calls: DockerCall[] = [];
  const docker: Docker = (call) => {
    calls.push(call);
    return Promise.resolve(call.args[1] === "run" ? { code, output } : { code: 1, output: "No such container" });
  };
  return { docker, calls };
}

const urn = "urn:pulumi:dev::orion::orion:index:Task::release-migrate";

test("a task runs its container once, with its secrets in the environment and not in the arguments", async () => {
  const { docker, calls } = fakeDocker(0);
  const { id } = await new OrionProvider(docker).create(urn, inputs);
  expect(id).toBe("release-migrate");
  const run = calls.find(({ args }) => args[1] === "run");
  expect(run).toEqual({
    host: "unix:///var/run/docker.sock",
    timeoutSeconds: 900,
    environment: inputs.environment,
    args: [
      ...["container", "run", "--rm", "--init", "--pull", "never", "--name", "orion-test-migrate"],
      ...["--network", "orion-test-network", "--log-driver", "json-file", "--label", "app=orion"],
      ...["--env", "DATABASE_URL", "sha256:1", "alembic", "upgrade", "head"],
    ],
  });
});

test("a run that a killed update left behind is waited for first", async () => {
  const { docker, calls } = fakeDocker(0);
  await new OrionProvider(docker).create(urn, inputs);
  expect(calls.map(({ args }) => args.slice(0, 2).join(" "))).toEqual([
    "container wait",
    "container rm",
    "container run",
  ]);
});

test("one that fails says why with the end of its log, free of secrets", async () => {
  const log = Array.from({ length: 60 }, (_, n) => `line ${n}`).join("\n");
  const { docker } = fakeDocker(3, `${log}\ncannot reach postgresql://user:p4ssw0rd@database\n`);
  const created = new OrionProvider(docker).create(urn, inputs);
  await expect(created).rejects.toThrow("orion-test-migrate (alembic upgrade head) failed with exit code 3.");
  await expect(created).rejects.toThrow("... 21 lines before");
  await expect(created).rejects.toThrow("cannot reach [secret]");
  await expect(created).rejects.not.toThrow("p4ssw0rd");
});

test("one that takes too long is removed", async () => {
  const { docker, calls } = fakeDocker(undefined);
  await expect(new OrionProvider(docker).create(urn, inputs)).rejects.toThrow("did not end within 900 s");
  expect(calls.at(-1)?.args).toEqual(["container", "rm", "--force", "orion-test-migrate"]);
});

test("an input that is missing or wrong is named before anything runs", async () => {
  const { docker, calls } = fakeDocker(0);
  const { failures } = await new OrionProvider(docker).check(urn, {}, { ...inputs, command: [], timeoutSeconds: 0 });
  expect(failures?.map(({ property }) => property)).toEqual(["command", "timeoutSeconds"]);
  expect(calls).toEqual([]);
});

test("only another value is a change, whether it is a secret or not", async () => {
  const provider = new OrionProvider(fakeDocker(0).docker);
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
