/** What `make doctor` says of workers: whether they answer, what waits for them, and what no worker holds. */
import { askWorkers, checkWorker, type WorkersAnswer } from "../../../../../tools/doctor/checks/worker.ts";
import { pythonCommand } from "../../../../../tools/doctor/python.ts";
import { servicesOf } from "../../../../../topology/topology.ts";
import { stackOf } from "../../../policy/support.ts";

const { topology } = stackOf("mvp");
const all = servicesOf(topology, "worker");
const [first] = all;
const [service] = all.filter(({ name }) => name.endsWith("emails"));
const nodes = all.map(({ name }) => `${name}@0123456789ab`);
const said = (output: string) => Promise.resolve({ ok: true, output });

/** @param waiting the length of its queue, as the broker says it */
function checked(waiting: string, answering = nodes) {
  if (!service) throw new Error("phase mvp has a worker for e-mails");
  const workers = () => Promise.resolve({ answering, held: undefined });
  return checkWorker({ service, topology, exec: () => said(waiting), workers });
}

test.each([
  ["0", { detail: "no task waits" }],
  ["1000", { detail: "waiting: emails 1000" }],
  ["1001", { problem: "tasks-pile-up", detail: "waiting: emails 1001" }],
  ["NOAUTH Authentication required.", { detail: "no task waits" }],
])("with %s tasks in its queue", async (waiting, expected) => {
  expect(await checked(waiting)).toEqual(expected);
});

test("one that does not answer is silent, whatever waits, and whoever else answers", async () => {
  const others = nodes.filter((name) => !name.includes("emails"));
  expect(await checked("2000", others)).toEqual({ problem: "worker-silent", detail: "waiting: emails 2000" });
  expect(await checked("2000", [])).toMatchObject({ problem: "worker-silent" });
});

describe("tasks that were taken and not acknowledged", () => {
  /** @param taken how many the broker lists, all of them old; @param held how many the workers say that they hold */
  async function orphans(taken: number, held: number | undefined, of = first) {
    if (!of) throw new Error("phase mvp has workers");
    const exec = (_: unknown, ...command: string[]) => said(command.includes("zcount") ? String(taken) : "0");
    return checkWorker({ service: of, topology, exec, workers: () => Promise.resolve({ answering: nodes, held }) });
  }

  test("are a problem when no worker holds them, and told once", async () => {
    const problem = { problem: "tasks-orphaned", detail: "no task waits; 3 were taken and no worker holds them" };
    expect(await orphans(5, 2)).toEqual(problem);
    expect(await orphans(5, 2, all[1])).toEqual({ detail: "no task waits" });
  });

  test("are none while workers hold them, and not judged when one does not say what it holds", async () => {
    expect(await orphans(3, 3)).toEqual({ detail: "no task waits" });
    expect(await orphans(5, undefined)).toEqual({ detail: "no task waits" });
  });
});

describe("the question to all workers", () => {
  const named = all.map((one) => ({ service: one, host: "0123456789ab" }));
  /** @returns the command that was run, and what was made of this answer */
  async function asked(answer: string, unacknowledged = "0", workers = named): Promise<[string[], WorkersAnswer]> {
    const commands: string[][] = [];
    const exec = (_: unknown, ...command: string[]) => {
      if (command.includes("hlen")) return said(unacknowledged);
      commands.push(command);
      return said(answer);
    };
    const result = await askWorkers(workers, { topology, exec });
    expect(commands.length).toBeLessThanOrEqual(1);
    return [commands[0] ?? [], result];
  }

  test("is one command in the container of the first, with the names of all and what is not acknowledged", async () => {
    const [command, says] = await asked(`a warning\norion-workers {"answering": ["${nodes[0]}"], "held": 4}`, "7");
    const [program = "", ...words] = command.slice(4);
    expect(command).toEqual(pythonCommand(program, ...words));
    expect(words).toEqual(["app.celery", "7", ...nodes]);
    expect(says).toEqual({ answering: [nodes[0]], held: 4 });
  });

  test("has no answer from an image that cannot ask, and does not count what a worker that is gone holds", async () => {
    expect((await asked("Traceback"))[1]).toEqual({ answering: [], held: undefined });
    const one = named.slice(1);
    expect((await asked('orion-workers {"answering": [], "held": 4}', "7", one))[1].held).toBeUndefined();
    expect((await asked("", "0", []))[1]).toEqual({ answering: [], held: undefined });
  });
});

describe("a provider's broker", () => {
  const external = stackOf("mvp", { cache: { mode: "external" } }, ["redisUrl", "brokerUrl"]).topology;
  const workers = servicesOf(external, "worker").map((one) => ({ service: one, host: "0123456789ab" }));

  test("is asked by Celery, which alone reaches it, for every queue", async () => {
    const commands: string[][] = [];
    const exec = (_: unknown, ...command: string[]) => {
      commands.push(command);
      return said(
        'orion-workers {"answering": [], "held": 1, "broker": {"waiting": {"emails": 12, "default": 0}, "overdue": 4}}',
      );
    };
    const answer = await askWorkers(workers, { topology: external, exec });
    expect(answer).toEqual({
      ...{ answering: [], held: 1 },
      broker: { waiting: { emails: 12, default: 0 }, overdue: 4 },
    });
    expect(commands.map((command) => JSON.parse(command[6] ?? "") as unknown)).toEqual([
      ["default", "imports", "emails", "reports"],
    ]);
  });

  const check = (name: string, answer: Partial<WorkersAnswer>) => {
    const worker = workers.find(({ service: each }) => each.name.endsWith(name))?.service;
    if (!worker) throw new Error("phase mvp has such a worker");
    const known = { answering: nodes, held: undefined, ...answer };
    return checkWorker({
      service: worker,
      topology: external,
      exec: () => said("0"),
      workers: () => Promise.resolve(known),
    });
  };

  test("has what waits, and what no worker holds", async () => {
    const broker = { waiting: { emails: 12, default: 0 }, overdue: 4 };
    expect(await check("emails", { broker })).toEqual({ detail: "waiting: emails 12" });
    expect(await check("default", { broker, held: 1 })).toEqual({
      ...{ problem: "tasks-orphaned", detail: "no task waits; 3 were taken and no worker holds them" },
    });
  });

  test("is not said to be empty when nobody could ask it", async () => {
    expect(await check("emails", {})).toEqual({
      detail: "what waits is not known: Celery could not ask the external broker",
    });
  });
});
