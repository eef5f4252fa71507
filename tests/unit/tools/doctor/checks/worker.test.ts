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

describe("tasks that were taken and not acknowledged", () => {
  const [first] = servicesOf(topology, "worker");
  const workers = servicesOf(topology, "worker").length;
  /** @param taken how many the broker lists, all of them old; @param held how many the first worker says that it runs */
  function orphans(taken: number, held: number, answering = workers) {
    if (!first) throw new Error("phase mvp has workers");
    const asked: string[] = [];
    const exec = (_: unknown, ...command: string[]) => {
      const output = (text: string) => ({ ok: true, output: text });
      asked.push(command.find((word) => ["hlen", "zcount", "active", "reserved", "scheduled"].includes(word)) ?? "");
      if (command.includes("ping")) return output("pong");
      if (command.includes("hlen") || command.includes("zcount")) return output(String(taken));
      if (!command.includes("--json")) return output("0");
      const tasks = Array.from({ length: command.includes("active") ? held : 0 }, (_, id) => ({ id }));
      const nodes = Array.from({ length: answering }, (_, node) => [`worker-${node}@x`, node === 0 ? tasks : []]);
      return output(`a warning\n${JSON.stringify(Object.fromEntries(nodes))}`);
    };
    return { result: checkWorker({ service: first, topology, exec }), asked: asked.filter((one) => one !== "") };
  }

  test("are a problem when no worker holds them", () => {
    expect(orphans(5, 2).result).toEqual({
      problem: "tasks-orphaned",
      detail: "no task waits; 3 were taken and no worker holds them",
    });
  });

  test("are none while workers hold them; the broker is asked last, since tasks end meanwhile", () => {
    const { result, asked } = orphans(3, 3);
    expect(result).toEqual({ detail: "no task waits" });
    expect(asked).toEqual(["hlen", "active", "reserved", "scheduled", "zcount"]);
  });

  test("are not judged when a worker does not say what it holds, and cost nothing when there are none", () => {
    expect(orphans(5, 0, workers - 1).result).toEqual({ detail: "no task waits" });
    expect(orphans(0, 0).asked).toEqual(["hlen"]);
  });
});
