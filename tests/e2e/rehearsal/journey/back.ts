/** The fourth stop: back to one server in one step, under load as well. */
import { presets } from "../../../../config/presets.ts";
import { CloudClient } from "../../../../rehearsal/cloud/client.ts";
import { succeed } from "../../../../testing/sandbox.ts";
import type { Stop } from "./journey.ts";
import { expectAsPlanned } from "./scale.ts";

export const back: Stop = {
  name: "mvp again",
  tests: (journey) => {
    const { cloud, platform } = journey;

    test("a Volume does not shrink, and a replica is not given up while it is protected", async () => {
      // As the zone's owner does at Cloudflare.
      await new CloudClient(cloud.settings).choosePlan("example.com", presets.mvp.cloudflare.plan);
      platform.configure("phase", "mvp");
      expect(platform.update()).toEqual({ code: 2, output: expect.stringContaining("database.volumeGb") as string });
      platform.configure("database.volumeGb", String(presets.enterprise.database.volumeGb));
      expect(platform.update()).toEqual({ code: 2, output: expect.stringContaining("protect") as string });
    });

    test("the move back under load: no request fails, and containers with data stay the same", async () => {
      platform.configure("protection", "false");
      platform.configure("phase", "enterprise");
      platform.configure("cloudflare.plan", "free");
      succeed(platform.update());
      const before = await journey.servers.identity();
      platform.configure("phase", "mvp");
      await journey.unnoticed(() => {
        succeed(platform.update());
      });
      expect(await journey.servers.identity()).toEqual(before);
      await expectAsPlanned(journey);
    });

    test("nothing of several servers is left, and doctor finds no problem", async () => {
      const { servers, balancers } = await journey.cloud.status();
      expect([servers.map(({ name }) => name), balancers]).toEqual([
        journey.cloud.plan.servers.map(({ name }) => `orion-prod-${name}`),
        [],
      ]);
      journey.expectWellAfterFaults();
    });

    test("every order of the way is there", () => journey.expectAllOrders());
  },
};
