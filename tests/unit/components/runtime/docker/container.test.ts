/** What all containers share. */
import { createContainer, dockerDuration } from "../../../../../components/runtime/docker/container.ts";
import { compose } from "../../../support/compose.ts";
import { redisProbe } from "../../../../../components/runtime/docker/health.ts";
import { runtimeOf, serviceOf } from "../../../support/runtime.ts";

describe("what all containers share", () => {
  test("a time is written as Docker reports it, or a refresh would find a difference", () => {
    expect([5, 59, 60, 90, 600].map(dockerDuration)).toEqual(["5s", "59s", "1m0s", "1m30s", "10m0s"]);
  });

  test("an image that the Docker Engine does not have is an error that lists those that it has", async () => {
    const container = () => {
      const runtime = runtimeOf("redis");
      const args = { image: "postgres", health: redisProbe, stopSeconds: 1 } as const;
      return createContainer("c", serviceOf("cache"), args, runtime, { parent: runtime });
    };
    await expect(compose("up", container)).rejects.toThrow(
      "The image 'postgres' is not one of this Docker Engine's: redis.",
    );
  });
});
