/** Point-in-time recovery that cannot work is refused before anything is made, with the numbers. */
import { leastValues, refusalOf, settingsOf } from "../../support/settings.ts";

const mvpWith = (values: object) => ({ ...leastValues("mvp"), ...values });

test("what waits may take half of the Volume at most", () => {
  const backups = { pointInTime: true, archiveQueueGb: 11 };
  expect(refusalOf(mvpWith({ backups }))).toContain(
    "orion:backups.archiveQueueGb: got 11, allowed: 10 at most, half of orion:database.volumeGb (20): the data needs the rest",
  );
  expect(settingsOf("mvp", { backups, database: { volumeGb: 22 } }).backups.archiveQueueGb).toBe(11);
  // Without an archive nothing waits.
  expect(settingsOf("mvp", { backups: { ...backups, pointInTime: false } }).backups.pointInTime).toBe(false);
});

test("an object storage without TLS is refused", () => {
  const storage = { bucket: "orion-files", endpoint: "http://127.0.0.1:9000", clearText: true };
  expect(refusalOf(mvpWith({ storage, backups: { pointInTime: true } }))).toContain(
    'orion:storage.endpoint: got "http://127.0.0.1:9000", allowed: an https:// URL while orion:backups.pointInTime is true',
  );
});

test.each([
  ["archiveQueueGb", 0],
  ["archiveQueueGb", "4"],
  ["pointInTimeDays", 0],
  ["pointInTimeDays", 366],
  ["pointInTime", "yes"],
])("%s %p is refused with the key", (key, value) => {
  expect(refusalOf(mvpWith({ backups: { [key]: value } }))).toContain(`orion:backups.${key}`);
});
