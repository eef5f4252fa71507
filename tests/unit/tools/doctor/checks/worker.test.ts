/** What `make doctor` says of a worker: whether it answers, and what waits for it. */
import { checkWorker } from "../../../../../tools/doctor/checks/worker.ts";
import { servicesOf } from "../../../../../topology/topology.ts";
import { stackOf } from "../../../policy/support.ts";

const { topology } = stackOf("mvp");
const [service] = servicesOf(topology, "worker").filter(({ name }) => name.endsWith("emails"));

/** @param waiting the length of its queue, as the broker says it */
function checked(waiting: string, pings = { ok: true, output: "-> worker@1: OK\n        pong" }) {
  if (!service) throw new Error("phase mvp has a worker for e-mails");
  const exec = (_: unknown, ...command: string[]) => (command.includes("llen") ? { ok: true, output: waiting } : pings);
  return checkWorker({ service, topology, exec });
}

test.each([
  ["0", { detail: "no task waits" }],
  ["1000", { detail: "waiting: emails 1000" }],
  ["1001", { problem: "tasks-pile-up", detail: "waiting: emails 1001" }],
  ["NOAUTH Authentication required.", { detail: "no task waits" }],
])("with %s tasks in its queue", (waiting, expected) => {
  expect(checked(waiting)).toEqual(expected);
});

test.each([
  ["no worker is there", { ok: false, output: "Error: No nodes replied within time constraint" }],
  ["the command ends well, and nobody answered", { ok: true, output: "" }],
])("one that does not answer is silent, whatever waits: %s", (_, pings) => {
  expect(checked("2000", pings)).toEqual({ problem: "worker-silent", detail: "waiting: emails 2000" });
});
