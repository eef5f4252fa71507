/** What `make doctor` says of a replica: whether it receives, and how late it is. */
import { checkReplica } from "../../../../../tools/doctor/checks/replica.ts";
import { servicesOf } from "../../../../../topology/topology.ts";
import { stackOf } from "../../../policy/support.ts";

const { topology } = stackOf("scale");
const [service] = servicesOf(topology, "replica");

const workers = () => Promise.reject(new Error("no worker is to be asked"));

function checked(...answers: { readonly ok: boolean; readonly output: string }[]) {
  if (!service) throw new Error("phase scale has a replica");
  return checkReplica({
    service,
    topology,
    exec: () => Promise.resolve(answers.shift() ?? { ok: true, output: "on 0 0 0" }),
    workers,
  });
}
const says = (output: string) => ({ ok: true, output });

test.each([
  ["streaming 0", undefined],
  ["streaming 300", undefined],
  ["streaming 301", "replica-behind"],
  // The primary does not let it in, or has removed what it needs.
  ["nothing 0", "replica-behind"],
  ["waiting 0", "replica-behind"],
])("%s: %s", async (answer, problem) => {
  const [status, seconds] = answer.split(" ");
  expect(await checked(says(answer))).toEqual({
    ...(problem && { problem }),
    detail: `${status} from the primary, ${seconds} s behind`,
  });
});

test("one that does not answer is said with its words", async () => {
  const output = "psql: error: FATAL: the database system is starting up";
  expect(await checked({ ok: false, output })).toEqual({ problem: "database-refuses", detail: output });
});

test("the weaknesses of a primary are those of a replica", async () => {
  expect((await checked(says("streaming 0"), says("on 1 0 0"))).problem).toBe("superuser-open");
});
