/** The files of a container, which are in a volume of their own. */
import { createContainer, type ContainerArgs } from "../../../../../components/runtime/docker/container.ts";
import { redisProbe } from "../../../../../components/runtime/docker/health.ts";
import * as pulumi from "@pulumi/pulumi";
import { compose } from "../../../support/compose.ts";
import { filesAt, named, runtimeOf, serviceOf } from "../../../support/runtime.ts";

const file = (path: string, content = "text") => ({ file: path, content, permissions: "0444" });
const container = (more: Partial<ContainerArgs>) =>
  compose("up", () => {
    const parent = new pulumi.ComponentResource("orion:test:Parent", "parent");
    const args = { image: "redis", health: redisProbe, stopSeconds: 1, ...more } as const;
    return createContainer("one", serviceOf("cache"), args, runtimeOf("redis"), { parent });
  });
const volumeOf = async (content: string): Promise<unknown> =>
  named((await container({ files: [file("/etc/orion/a", content)] })).resources, "one-files").inputs["name"];

test("other contents are another volume, and the same ones the same volume", async () => {
  expect(await volumeOf("one")).toBe(await volumeOf("one"));
  expect(await volumeOf("one")).not.toBe(await volumeOf("two"));
  const { resources } = await container({ files: [file("/etc/orion/a"), file("/etc/orion/b")] });
  expect(named(resources, "one").inputs["volumes"]).toEqual([filesAt("/etc/orion")]);
});

test("files in two folders, and mounts into the files' folder, are refused before anything is made", async () => {
  await expect(container({ files: [file("/etc/orion/a"), file("/etc/other/b")] })).rejects.toThrow(
    "the files of cache are in /etc/orion, /etc/other, not in one folder",
  );
  const mounts = [{ source: "/etc/orion/ca.crt", target: "/etc/orion/ca.crt" }];
  await expect(container({ files: [file("/etc/orion/a")], mounts })).rejects.toThrow(
    "cache mounts /etc/orion/ca.crt into the folder of its files, which is read-only",
  );
  await expect(container({ mounts })).resolves.toBeDefined();
});
