/** Drivers of PostgreSQL that the sample application's image does not have, for tests of every driver. */
import { spawnSync } from "node:child_process";

const drivers = ["psycopg2-binary==2.9.10", "asyncpg==0.30.0", "async-timeout==5.0.1"];

/** Installs psycopg 2 and asyncpg for the image's Python into a folder, which PYTHONPATH has to name. @throws {Error} as pip says it */
export function installDrivers(folder: string): void {
  const python311 = ["--python-version", "3.11", "--only-binary=:all:", "--platform", "manylinux2014_x86_64"];
  const { status, stderr } = spawnSync(
    "pip",
    ["install", "--quiet", "--no-deps", ...python311, "--target", folder, ...drivers],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
}
