/** What the containers of all PostgreSQL servers have in common. */
import { archiveEnvironment, archiveSettings } from "../../../../components/database/archive-config.ts";
import { imageOf, postgresContainer, withArchive } from "../../../../components/database/postgres-container.ts";

const usual = { PGUSER: "orion_user", PGDATABASE: "orion_db", PGDATA: "/var/lib/postgresql/data" };

test("without an archive a server has PostgreSQL's own image, and nothing of pgBackRest", () => {
  const { image, environment } = postgresContainer({ memoryMb: 512 });
  expect([image, environment]).toEqual(["postgres", usual]);
  expect(withArchive({ ssl: "on" }, {})).toEqual({ ssl: "on" });
});

test("a server that archives has image, variables and settings for it", () => {
  const server = { memoryMb: 512, archive: "[global]" };
  expect(postgresContainer(server).environment).toEqual({ ...usual, ...archiveEnvironment });
  expect(imageOf(server)).toBe("database");
  expect(withArchive({ ssl: "on" }, server)).toEqual({ ssl: "on", ...archiveSettings });
});

test.each([
  [128, 64],
  [2048, 512],
])("with %i MiB of memory a quarter is shared, and 64 MiB at least: %i", (memoryMb, shmMb) => {
  expect(postgresContainer({ memoryMb }).shmMb).toBe(shmMb);
});
