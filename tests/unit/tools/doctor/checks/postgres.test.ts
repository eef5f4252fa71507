/** What `make doctor` says about a PostgreSQL server's weaknesses. */
import { checkPostgres } from "../../../../../tools/doctor/checks/postgres.ts";
import { servicesOf } from "../../../../../topology/topology.ts";
import { stackOf } from "../../../policy/support.ts";

const workers = () => Promise.reject(new Error("no worker is to be asked"));

/** The check of a stack's database whose psql gives these two answers. */
function checked(phase: "development" | "mvp", weaknesses: string, readOnly = "off", isDatabaseLeft = false) {
  const { topology } = stackOf(phase);
  const [service] = servicesOf(topology, "database");
  if (!service) throw new Error("no database");
  const answers = [`6 100 ${readOnly} 0 8079 kB`, weaknesses];
  return checkPostgres({
    service,
    topology,
    exec: () => Promise.resolve({ ok: true, output: answers.shift() ?? "asked too often" }),
    workers,
    isDatabaseLeft,
  });
}

test.each([
  ["on 0 0 0", undefined],
  ["off 0 0 0", "no-checksums"],
  // An access rule that lets a superuser in; one that is handed over without an end; another superuser.
  ["on 1 0 0", "superuser-open"],
  ["off 0 1 0", "superuser-open"],
  ["on 0 0 1", "superuser-open"],
])("%s: %s", async (answer, problem) => {
  expect((await checked("mvp", answer)).problem).toBe(problem);
});

test("on a developer's machine neither is a problem", async () => {
  expect((await checked("development", "off 1 0 0")).problem).toBeUndefined();
});

test("one that refuses writes is a problem, unless its data has moved to an external one", async () => {
  expect((await checked("mvp", "on 0 0 0", "on")).problem).toBe("database-read-only");
  expect((await checked("mvp", "on 0 0 0", "on", true)).problem).toBeUndefined();
});
