/** The removal of old images, by the real Docker Engine, in a repository of its own. */
import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { imageCleanupScript } from "../../components/runtime/docker/image-cleanup.ts";
import { docker } from "../../testing/sandbox.ts";

jest.setTimeout(120_000);

const repository = `orion/e2e-cleanup-${process.pid}`;
const container = `orion-e2e-cleanup-${process.pid}`;
const tags = (): string[] => docker("image", "ls", "--format", "{{.Tag}}", repository);

afterAll(() => {
  docker("rm", "--force", container);
  docker("image", "rm", "--force", ...tags().map((tag) => `${repository}:${tag}`));
});

test("the newest three of a repository stay, and what a container uses", async () => {
  for (let version = 1; version <= 6; version++) {
    const input = `FROM scratch\nLABEL version=${version}\nCMD ["nothing"]\n`;
    const options = { input, env: { ...process.env, DOCKER_BUILDKIT: "0" } };
    // Docker tells their order by the second.
    await sleep(1100);
    expect(spawnSync("docker", ["build", "--quiet", "--tag", `${repository}:${version}`, "-"], options).status).toBe(0);
  }
  docker("create", "--name", container, `${repository}:2`);
  const before = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").filter(
    (name) => !name.startsWith(repository),
  );

  const { stdout, status } = spawnSync("sh", ["-s", repository], { input: imageCleanupScript, encoding: "utf8" });
  expect({ stdout, status }).toEqual({ stdout: `removed ${repository}:3\nremoved ${repository}:1\n`, status: 0 });
  expect(tags()).toEqual(["6", "5", "4", "2"]);
  expect(docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")).toEqual(expect.arrayContaining(before));
});
