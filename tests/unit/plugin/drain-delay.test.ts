/** The time that visitors on an old route get. */
import { OrionProvider } from "../../../plugin/provider.ts";
import { testClock } from "../../../testing/clock.ts";

const urn = "urn:pulumi:dev::orion::orion:index:DrainDelay::hostname-drain";
const route = (address: string) => ({ route: address, afterChangeSeconds: 30, atRemovalSeconds: 10 });

/** The milliseconds that the plugin waited. */
async function waited(work: (provider: OrionProvider) => Promise<unknown>): Promise<readonly number[]> {
  const clock = testClock();
  await work(new OrionProvider(() => Promise.reject(new Error("it runs nothing")), clock));
  return clock.slept;
}

test("passes when the route has changed, and not for the first route", async () => {
  expect(await waited((provider) => provider.create(urn, route("192.0.2.1")))).toEqual([]);
  expect(await waited((provider) => provider.update("", urn, route("192.0.2.1"), route("192.0.2.2")))).toEqual([
    30_000,
  ]);
  const longer = { ...route("192.0.2.1"), afterChangeSeconds: 50 };
  expect(await waited((provider) => provider.update("", urn, route("192.0.2.1"), longer))).toEqual([]);
});

test("passes when the resource is deleted", async () => {
  expect(await waited((provider) => provider.delete("", urn, route("192.0.2.1")))).toEqual([10_000]);
});
