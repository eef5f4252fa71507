/** The third stop: back to one server, under load as well. */
import type { Journey, Stop } from "./journey.ts";
import { expectAsPlanned } from "./scale.ts";

export const back: Stop = {
  name: "mvp again",
  tests: (journey) => {
    test("a replica is not given up while it is protected", () => {
      const { code, output } = rehearse(journey);
      expect([code, output]).toEqual([2, expect.stringContaining("protect")]);
    });

    test("the move back under load: no request fails, and containers with data stay the same", async () => {
      // What was refused has left its phase in the rehearsal's own file.
      journey.platform.configure("phase", "scale");
      journey.platform.configure("protection", "false");
      journey.make("up", "YES=1");
      const before = await journey.servers.identity();
      await journey.unnoticed(() => {
        journey.rehearse("mvp");
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

const rehearse = ({ cloud, own }: Journey) =>
  cloud.runMake("rehearse", ["PHASE=mvp", `BLOCK=${own.block}`, `PORT=${own.port}`]);
