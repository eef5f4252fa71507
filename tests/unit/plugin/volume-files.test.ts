import type { DockerCall } from "../../../plugin/docker.ts";
import { writeVolumeFiles } from "../../../plugin/volume-files.ts";
import { outcomeOf } from "../support/process.ts";

test("all files are on the disk when they are said to be written", async () => {
  const calls: DockerCall[] = [];
  const files = { "redis.conf": { text: "port 0\n", mode: "0444" }, "users.acl": { text: "user a\n", mode: "0400" } };
  const engine = { dockerHost: "unix:///var/run/docker.sock" };
  await writeVolumeFiles({ ...engine, volume: "cache-files", image: "sha256:redis", files }, (call) => {
    calls.push(call);
    return Promise.resolve(outcomeOf({ code: 0, output: "" }));
  });
  expect(calls).toHaveLength(1);
  expect(calls[0]?.input).toMatch(/\nsync \/files \/files\/redis\.conf \/files\/users\.acl\n$/);
});
