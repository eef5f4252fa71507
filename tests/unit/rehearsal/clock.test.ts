import { globSync, readFileSync } from "node:fs";
import { Clock, type ClockObjects } from "../../../rehearsal/clock.ts";
import { Store } from "../../../rehearsal/store.ts";

/** The clock's time lies between two looks at this machine's clock, so many milliseconds later. */
function expectAhead(clock: Clock, milliseconds: number): void {
  const before = Date.now();
  const time = clock.now().getTime() - milliseconds;
  const times = [before, time, Date.now()];
  expect(times).toEqual(times.toSorted((one, other) => one - other));
}

test("it goes with this machine's, and can be moved forward, also after a restart", () => {
  const store = new Store<ClockObjects>(":memory:");
  const clock = new Clock(store);
  expectAhead(clock, 0);
  clock.forward(86_400_000);
  clock.forward(3_600_000);
  for (const one of [clock, new Clock(store)]) {
    expect(one.ahead).toBe(90_000_000);
    expectAhead(one, 90_000_000);
  }
});

/** Files of the cloud that ask this machine for the time, and why. */
const ofThisMachine: Readonly<Record<string, string>> = {
  "rehearsal/clock.ts": "it is the clock",
  "rehearsal/cloud/call-log.ts": "the log is read beside other logs of this machine",
  "rehearsal/cloud/change-log.ts": "as above",
  "rehearsal/machines/docker/power-cut.ts": "it waits",
  "rehearsal/programs/server-process.ts": "it waits",
  "rehearsal/acme/acme-authority.ts": "the difference to the authority's own clock",
  "rehearsal/cloudflare/authority.ts": "machines verify certificates by their clock",
  "rehearsal/cloudflare/edge/forward.ts": "the default of its callers, which have no cloud",
  "rehearsal/cloudflare/objects/bucket-lock.ts": "the difference to the storage's clock",
  "rehearsal/cloudflare/objects/s3-server.ts": "the storage verifies signatures by its clock",
};

test("everything else in the cloud has its time from there", () => {
  const files = globSync("rehearsal/**/*.ts").filter((file) => !/^rehearsal\/(load|cloudflare-plugin)\//.test(file));
  const asking = files.filter((file) => /Date\.now\(\)|new Date\(\)/.test(readFileSync(file, "utf8")));
  expect(asking.filter((file) => !(file in ofThisMachine))).toEqual([]);
  expect(asking).toContain("rehearsal/clock.ts");
});
