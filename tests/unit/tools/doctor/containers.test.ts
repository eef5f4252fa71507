import { settingsOf } from "../../support/settings.ts";
import { explain } from "../../../../tools/doctor/advice.ts";
import { checkContainer } from "../../../../tools/doctor/containers.ts";
import type { Question } from "../../../../tools/doctor/question.ts";
import type { ContainerState } from "../../../../tools/docker.ts";
import { plan } from "../../../../topology/plan.ts";

const [service] = plan("dev", settingsOf("development")).services.filter(({ kind }) => kind === "beat");
const problemOf = async (state: object | undefined) =>
  (
    await checkContainer(
      { service } as unknown as Question,
      state && ({ RestartCount: 0, State: { OOMKilled: false, ExitCode: 0, ...state } } as ContainerState),
    )
  ).problem;

test("a container is missing, stopped, starting, unhealthy or well", async () => {
  expect(await problemOf(undefined)).toBe("missing");
  expect(await problemOf({ Status: "exited" })).toBe("stopped");
  expect(await problemOf({ Status: "running", Health: { Status: "starting" } })).toBe("starting");
  expect(await problemOf({ Status: "running", Health: { Status: "unhealthy" } })).toBe("unhealthy");
  expect(await problemOf({ Status: "running", Health: { Status: "healthy" } })).toBeUndefined();
});

test.each(["missing", "stopped"] as const)(
  "what is said about a %s container makes the engine look at what runs",
  (problem) => {
    expect(explain(problem, "worker", "STACK=prod").remedy).toContain("make up STACK=prod REFRESH=1");
  },
);
