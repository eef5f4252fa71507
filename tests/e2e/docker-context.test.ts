/** The engine that the user has chosen for the real `docker` command is the one that the program uses. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { chosenEngine, standardEngine } from "../../common/docker-host.ts";
import { runSync } from "../../common/process.ts";
import { temporaryFolder } from "../../testing/folder.ts";

function docker(environment: NodeJS.ProcessEnv, ...words: string[]): string {
  const { code, stdout, stderr } = runSync("docker", words, { environment });
  expect([code, stderr]).toEqual([0, expect.anything()]);
  return stdout.trim();
}

test("a context of `docker context use` is followed, by name and by address", () => {
  const folder = temporaryFolder("docker-context");
  const socket = join(folder, "docker.sock");
  symlinkSync(standardEngine.replace("unix://", ""), socket);
  const env = { ...process.env, DOCKER_CONFIG: folder, DOCKER_HOST: "", DOCKER_CONTEXT: "" };
  docker(env, "context", "create", "another", "--docker", `host=unix://${socket}`);
  expect(chosenEngine(env)).toEqual({ host: standardEngine, by: undefined });
  docker(env, "context", "use", "another");
  const { host } = chosenEngine(env);
  expect(host).toBe(docker(env, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"));
  // The id of the engine: the same, over the other socket.
  expect(docker({ ...env, DOCKER_HOST: host }, "info", "--format", "{{.ID}}")).toBe(
    docker(env, "--host", standardEngine, "info", "--format", "{{.ID}}"),
  );
});
