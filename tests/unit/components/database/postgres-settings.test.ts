/** Settings of PostgreSQL from its memory. */
import {
  postgresSettings,
  throwawayDataMb,
  throwawaySettings,
} from "../../../../components/database/postgres-settings.ts";

test("PostgreSQL is tuned from its memory: a quarter shared buffers, three quarters cache", () => {
  expect(postgresSettings(4096)).toMatchObject({ shared_buffers: "1024MB", effective_cache_size: "3072MB" });
});

test("files, WAL and buffers of a database in memory leave room for its processes", () => {
  const memoryMb = 512;
  expect(throwawaySettings(memoryMb)).toMatchObject({ shared_buffers: "32MB", max_wal_size: "64MB" });
  // 64 MiB for maintenance, and some for each connection.
  expect(memoryMb - throwawayDataMb(memoryMb) - 32).toBeGreaterThanOrEqual(128);
});
