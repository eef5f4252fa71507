/** An image that no registry has: taken as it is, copied from an engine that has it, or built. */
import { buildImage, type ImageBuildInputs } from "../../../plugin/image-build.ts";
import type { Command } from "../support/process.ts";
import { runBy } from "../support/process.ts";

const inputs: ImageBuildInputs = {
  ...{ dockerHost: "ssh://root@192.0.2.2", sshOptions: ["-o", "ConnectTimeout=10"] },
  ...{ reference: "orion/postgres:0123456789ab", base: "postgres:15-bookworm", argument: "POSTGRES_IMAGE" },
  dockerfile: "FROM postgres\n",
};
const from = { dockerHost: "ssh://root@192.0.2.1", sshOptions: [] };

/** Engines of which those at the addresses have the image; what is copied or built is there afterwards. */
function engines(having: string[], { copies = true, builds = true, arm = [] as readonly string[] } = {}) {
  const calls: Command[] = [];
  const run = runBy((command) => {
    calls.push(command);
    const text = command.args.join(" ");
    const target = /root@(\S+)/.exec(text)?.[1] ?? "";
    if (text.includes("docker image inspect")) return { code: having.includes(target) ? 0 : 1 };
    if (text.includes("docker version")) return { output: arm.includes(target) ? "arm64\n" : "amd64\n" };
    if (text.includes("docker save")) {
      if (copies) having.push("192.0.2.2");
      return { code: copies ? 0 : 1 };
    }
    if (!builds) return { code: 1, output: "Step 3\nE: Unable to locate package pgbackrest\n" };
    having.push(target);
    return {};
  });
  const did = () => calls.filter(({ args }) => !/docker (image inspect|version)/.test(args.join(" ")));
  return { run, did };
}

test("one that is there stays", async () => {
  const { run, did } = engines(["192.0.2.2"]);
  await buildImage({ ...inputs, from }, run);
  expect(did()).toEqual([]);
});

test("is copied from the engine that has it, so that both run the same files", async () => {
  const { run, did } = engines(["192.0.2.1"]);
  await buildImage({ ...inputs, from }, run);
  const [copy, ...rest] = did();
  expect(rest).toEqual([]);
  expect(copy?.args.at(-1)).toMatch(
    /ssh .*192\.0\.2\.1 'docker save orion\/postgres:\w+' \| ssh .*192\.0\.2\.2 'docker load --quiet'/,
  );
});

test.each([
  ["no engine has it", []],
  ["the way between the servers is closed", ["192.0.2.1"]],
])("is built from the Dockerfile when %s", async (_why, having) => {
  const { run, did } = engines([...having], { copies: false });
  await buildImage({ ...inputs, from }, run);
  const build = did().at(-1);
  expect(build?.input).toBe(inputs.dockerfile);
  expect(build?.args.at(-1)).toContain("--build-arg POSTGRES_IMAGE=postgres:15-bookworm");
});

test("is built where the engine that has it is of another architecture: its image would not start", async () => {
  const { run, did } = engines(["192.0.2.1"], { arm: ["192.0.2.2"] });
  await buildImage({ ...inputs, from }, run);
  expect(did().map(({ args }) => / (save|build) /.exec(args.join(" "))?.[1])).toEqual(["build"]);
});

test("a build that fails says how it ended, and what else can be done", async () => {
  const { run } = engines([], { builds: false });
  await expect(buildImage(inputs, run)).rejects.toThrow(
    /could not be built on postgres:15-bookworm[^]*orion:images\.database[^]*pointInTime false[^]*Unable to locate package pgbackrest/,
  );
});
