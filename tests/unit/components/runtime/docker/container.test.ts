/** What all containers share. */
import { createContainer, dockerDuration } from "../../../../../components/runtime/docker/container.ts";
import { compose } from "../../../support/compose.ts";
import { redisProbe } from "../../../../../components/runtime/docker/health.ts";
import { placeOf, serviceOf } from "../../../support/place.ts";

describe("what all containers share", () => {
  test("a time is written as Docker reports it, or a refresh would find a difference", () => {
    expect([5, 59, 60, 90, 600].map(dockerDuration)).toEqual(["5s", "59s", "1m0s", "1m30s", "10m0s"]);
  });

  test("an image that was not asked for at the place is an error that names those that were", async () => {
    const container = () => {
      const place = placeOf("redis");
      const args = { image: "postgres", health: redisProbe, stopSeconds: 1 } as const;
      return createContainer("c", serviceOf("cache"), args, place, { parent: place });
    };
    await expect(compose("up", container)).rejects.toThrow(
      "image 'postgres' was not asked for at this place; known: redis",
    );
  });
});
