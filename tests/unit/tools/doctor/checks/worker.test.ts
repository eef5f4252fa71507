/** What `make doctor` says of workers: whether they answer, what waits for them and is held, and what no worker holds. */
import { askWorkers, checkWorker, type WorkersAnswer } from "../../../../../tools/doctor/checks/worker.ts";
import { pythonCommand } from "../../../../../tools/doctor/python.ts";
import { servicesOf } from "../../../../../topology/topology.ts";
import { stackOf } from "../../../policy/support.ts";

const { topology } = stackOf("mvp");
const all = servicesOf(topology, "worker");
const nodes = all.map(({ name }) => `${name}@0123456789ab`);
const empty = { waiting: { default: 0, imports: 0, emails: 0, reports: 0 }, unacknowledged: 0, overdue: 0 };

/** What doctor says of the worker with such a name, when workers and broker have answered so. */
function checked(name: string, answer: Partial<WorkersAnswer>) {
  const service = all.find((each) => each.name.endsWith(name));
  if (!service) throw new Error(`phase mvp has a worker for ${name}`);
  const exec = () => Promise.reject(new Error("nobody else is to be asked"));
  const workers = () => Promise.resolve({ answering: nodes, held: 0, broker: empty, ...answer });
  return checkWorker({ service, topology, exec, workers });
}
const withEmails = (emails: number): Partial<WorkersAnswer> => ({
  broker: { ...empty, waiting: { ...empty.waiting, emails } },
});

test.each([
  [0, { detail: "no task waits, none is held" }],
  [1000, { detail: "waiting: emails 1000, none is held" }],
  [1001, { problem: "tasks-pile-up", detail: "waiting: emails 1001, none is held" }],
])("with %d tasks in its queue", async (waiting, expected) => {
  expect(await checked("emails", withEmails(waiting))).toEqual(expected);
});

test("one that does not answer is silent, whatever waits, and whoever else answers", async () => {
  const others = nodes.filter((name) => !name.includes("emails"));
  const silent = { problem: "worker-silent", detail: "waiting: emails 2000, what runs is not known" };
  expect(await checked("emails", { ...withEmails(2000), answering: others, held: undefined })).toEqual(silent);
  expect(await checked("emails", { ...withEmails(2000), answering: [] })).toMatchObject({ problem: "worker-silent" });
});

test("a broker that could not be asked is not said to be empty", async () => {
  const error = "AuthenticationError: Authentication required.";
  expect(await checked("emails", { broker: undefined, held: undefined, error })).toEqual({
    problem: "tasks-unknown",
    detail: `what waits is not known (${error}), what runs is not known`,
  });
  // Nor is a queue that its answer does not have.
  expect(await checked("emails", { broker: { ...empty, waiting: { default: 0 } } })).toMatchObject({
    problem: "tasks-unknown",
  });
});

describe("tasks that workers hold", () => {
  test("are those that are not acknowledged: fetched, scheduled, or with late acknowledgement running", async () => {
    const broker = { ...empty, unacknowledged: 3 };
    expect(await checked("emails", { broker, held: 3 })).toEqual({
      detail: "no task waits, 3 are held (fetched or running)",
    });
    // As long as a worker does not say what it has, the broker still knows.
    expect((await checked("emails", { broker, held: undefined })).detail).toContain("3 are held");
  });

  test("are also those that were acknowledged when they began", async () => {
    expect(await checked("emails", { held: 2 })).toEqual({ detail: "no task waits, 2 are held (fetched or running)" });
  });

  test("are not said to be none when a worker does not say it", async () => {
    expect(await checked("emails", { held: undefined })).toEqual({ detail: "no task waits, what runs is not known" });
  });
});

describe("tasks that were taken and not acknowledged", () => {
  /** @param taken how many the broker lists, all of them old; @param held how many the workers say that they hold */
  const orphans = (taken: number, held: number | undefined, name = "default") =>
    checked(name, { broker: { ...empty, unacknowledged: taken, overdue: taken }, held });
  const detail = "no task waits, 5 are held (fetched or running)";

  test("are a problem when no worker holds them, and told once", async () => {
    expect(all[0]?.name).toMatch(/default$/);
    expect(await orphans(5, 2)).toEqual({
      problem: "tasks-orphaned",
      detail: `${detail}; no worker has 3 of them`,
    });
    expect(await orphans(5, 2, "emails")).toEqual({ detail });
  });

  test("are none while workers hold them, and not judged when one does not say what it holds", async () => {
    expect(await orphans(5, 5)).toEqual({ detail });
    expect(await orphans(5, undefined)).toEqual({ detail });
  });
});

describe("the question to all workers", () => {
  const named = all.map((one) => ({ service: one, host: "0123456789ab" }));
  /** @returns the arguments of the program that was run, and what was made of this answer */
  async function asked(output: string, workers = named): Promise<[string[], WorkersAnswer]> {
    const commands: string[][] = [];
    const exec = (_: unknown, ...command: string[]) => {
      commands.push(command);
      return Promise.resolve({ ok: true, output });
    };
    const result = await askWorkers(workers, { topology, exec });
    expect(commands.length).toBeLessThanOrEqual(1);
    const [program = "", ...words] = commands[0]?.slice(4) ?? [];
    if (commands[0]) expect(commands[0]).toEqual(pythonCommand(program, ...words));
    return [words, result];
  }

  test("is one command in the container of the first, with all queues and the names of all", async () => {
    const answer = { answering: [nodes[0] ?? ""], held: 4, broker: empty };
    const [words, says] = await asked(`a warning\norion-workers ${JSON.stringify(answer)}`);
    expect(words).toEqual(["app.celery", '["default","imports","emails","reports"]', ...nodes]);
    expect(says).toEqual(answer);
  });

  test("has no answer from an image or a server that cannot ask, and says why", async () => {
    expect((await asked("Traceback\nImportError: x"))[1]).toEqual({ answering: [], error: "ImportError: x" });
    expect((await asked(""))[1]).toEqual({ answering: [], error: "no answer" });
    expect((await asked("", []))[1]).toEqual({ answering: [] });
  });

  test("does not count what a worker that is gone holds", async () => {
    const output = 'orion-workers {"answering": [], "held": 4}';
    expect((await asked(output, named.slice(1)))[1].held).toBeUndefined();
  });
});
