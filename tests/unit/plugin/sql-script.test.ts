import { OrionProvider } from "../../../plugin/provider.ts";
import { testClock } from "../../../testing/clock.ts";
import { type Command, runBy } from "../support/process.ts";

const inputs = {
  dockerHost: "unix:///var/run/docker.sock",
  container: "orion-test-database",
  script: "ALTER ROLE a PASSWORD :'app';\n",
  variables: { app: "p4ssw0rd" },
  removal: "SELECT pg_drop_replication_slot(:'app');\n",
  timeoutSeconds: 1,
};
const urn = "urn:pulumi:dev::orion::orion:index:SqlScript::database-roles-script";

/** A psql that answers as told, one answer after the other. */
function psql(...answers: { code: number; output: string }[]) {
  const calls: Command[] = [];
  const run = runBy((command) => {
    calls.push(command);
    return answers[Math.min(calls.length, answers.length) - 1] ?? { code: 0, output: "" };
  });
  return { provider: new OrionProvider(run, testClock()), calls };
}

test("psql gets the script and its variables by standard input, so that no process list shows a password", async () => {
  const { provider, calls } = psql({ code: 0, output: "" });
  await provider.create(urn, inputs);
  const [{ args, input } = { args: [], input: "" }] = calls;
  expect(args.join(" ")).toContain("container exec --interactive orion-test-database psql -XqtA -v ON_ERROR_STOP=1");
  expect(args.join(" ")).not.toContain("p4ssw0rd");
  expect(input).toBe("\\set app 'p4ssw0rd'\nALTER ROLE a PASSWORD :'app';\n");
  await provider.delete("id", urn, inputs);
  expect(calls[1]?.input).toBe("\\set app 'p4ssw0rd'\nSELECT pg_drop_replication_slot(:'app');\n");
});

test("a table that is in use is tried again", async () => {
  const { provider, calls } = psql(
    { code: 3, output: "ERROR:  canceling statement due to lock timeout" },
    { code: 0, output: "" },
  );
  await provider.create(urn, { ...inputs, timeoutSeconds: 60 });
  expect(calls).toHaveLength(2);
});

test("any other failure is the update's, without the password", async () => {
  const { provider, calls } = psql({ code: 3, output: "ERROR:  syntax error: PASSWORD 'p4ssw0rd'" });
  const failure = provider.create(urn, inputs);
  await expect(failure).rejects.toThrow(
    /orion-test-database: a script for its database failed: ERROR: {2}syntax error/,
  );
  await expect(failure).rejects.not.toThrow(/p4ssw0rd/);
  expect(calls).toHaveLength(1);
});

test("a variable that psql would have to quote is refused", async () => {
  const { failures } = await psql({ code: 0, output: "" }).provider.check(
    urn,
    {},
    { ...inputs, variables: { app: "a'b" } },
  );
  expect(failures).toEqual([{ property: "variables.app", reason: "letters and digits" }]);
});
