/** What happens before a release: migrations and the initialisation. */
import { Release } from "../../../../components/app-tier/release.ts";
import { compose } from "../../support/compose.ts";
import { known, modes, named, runtimeOf, serviceOf } from "../../support/runtime.ts";

const service = {
  ...serviceOf("release"),
  ...{ migrate: ["python", "manage.py", "migrate"], initialise: ["python", "seed.py"] },
};
const limits = { memoryMb: 512, writable: ["/app/cache"] };
const environment = { DATABASE_URL: "postgresql://database" };

describe.each(modes)("Release in mode %s", (mode) => {
  test("migrations first, then the initialisation", async () => {
    const { resources } = await compose(
      mode,
      () => new Release("release", { runtime: runtimeOf("app"), service, environment, ...limits }),
    );
    expect(named(resources, "release-migrate").inputs).toEqual({
      dockerHost: "unix:///var/run/docker.sock",
      container: "orion-test-release-migrate",
      image: known(mode, "sha256:local-image-app"),
      command: ["python", "manage.py", "migrate"],
      environment,
      network: "orion-test-network",
      labels: { app: "orion", stack: "test", role: "release" },
      volumes: [],
      memoryMb: 512,
      writable: ["/tmp", "/app/run", "/app/cache"],
      timeoutSeconds: 900,
    });
    expect(named(resources, "release-init").inputs["command"]).toEqual(["python", "seed.py"]);
    expect(named(resources, "release-init").options.dependencies).toContain("orion:index:Task release-migrate");
  });

  test("an image that is older than the data does not migrate", async () => {
    const { resources } = await compose(mode, () => {
      const args = { runtime: runtimeOf("app"), service, environment, migrate: false, ...limits };
      return new Release("release", args);
    });
    expect(resources.map(({ name }) => name)).not.toContain("release-migrate");
    expect(resources.map(({ name }) => name)).toContain("release-init");
  });

  test.each([
    [{ migrate: [] }, ["release-init"]],
    [{ initialise: [] }, ["release-migrate"]],
    [{ migrate: [], initialise: [] }, []],
  ])("an image with %j has the other task alone, or none", async (commands, names) => {
    const { resources } = await compose(mode, () => {
      const args = { runtime: runtimeOf("app"), service: { ...service, ...commands }, environment, ...limits };
      return new Release("release", args);
    });
    expect(resources.map(({ name }) => name).filter((name) => name.startsWith("release-"))).toEqual(names);
  });
});
