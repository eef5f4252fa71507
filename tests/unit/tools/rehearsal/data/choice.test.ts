/** What DATA= names, and which backup of a bucket is the newest good one. */
import { dataChoice, newestBackup, readManifest } from "../../../../../tools/rehearsal/data/choice.ts";

test("latest, a dump, or an encrypted dump; anything else is refused", () => {
  expect(dataChoice("latest")).toEqual({ kind: "latest" });
  expect(dataChoice("old/orion.dump")).toEqual({ kind: "file", path: "old/orion.dump", encrypted: false });
  expect(dataChoice("20261125T023512Z.dump.age")).toMatchObject({ kind: "file", encrypted: true });
  expect(() => dataChoice("backup.sql")).toThrow("DATA: got 'backup.sql', allowed: latest");
});

test("the newest backup is complete, and not suspect unless it was accepted", () => {
  const of = (time: string, ...endings: string[]) => endings.map((ending) => `${time}.${ending}`);
  const good = [...of("1", "dump.age", "manifest"), ...of("2", "dump.age", "manifest")];
  expect(newestBackup(good)).toBe("2");
  expect(newestBackup([...good, ...of("3", "dump.age")])).toBe("2");
  expect(newestBackup([...good, ...of("3", "dump.age", "manifest", "suspect")])).toBe("2");
  expect(newestBackup([...good, ...of("3", "dump.age", "manifest", "suspect", "accepted")])).toBe("3");
  expect(() => newestBackup(of("1", "dump.age"))).toThrow("no complete backup");
});

test("a manifest says how large the database and the dump are", () => {
  const text = [
    ...["orion-backup 2", "taken 2026-11-25T02:35:12Z", "source primary", "database orion_db", "bytes 50331648"],
    ...["table 60000 - public.orders", "table 104 - public.sessions", "file 120 aa 20261125T023512Z.globals.sql.age"],
    ...["file 9000 bb 20261125T023512Z.dump.age", "file 80 cc 20261125T023512Z.sums.age", ""],
  ].join("\n");
  expect(readManifest(text)).toEqual({
    databaseBytes: 50_331_648,
    rows: 60_104,
    dump: { name: "20261125T023512Z.dump.age", bytes: 9000, sha256: "bb" },
  });
  expect(() => readManifest("orion-backup 2\n")).toThrow("names no dump");
});
