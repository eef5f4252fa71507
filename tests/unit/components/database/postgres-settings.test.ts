/** Settings of PostgreSQL from its memory. */
import { postgresSettings } from "../../../../components/database/postgres-settings.ts";

test("PostgreSQL is tuned from its memory: a quarter shared buffers, three quarters cache", () => {
  expect(postgresSettings(4096)).toMatchObject({ shared_buffers: "1024MB", effective_cache_size: "3072MB" });
});
