/** The documentation: one container. */
import { Docs } from "../../../../components/docs/docs.ts";
import { compose } from "../../support/compose.ts";
import { httpProbe } from "../../../../components/runtime/docker/health.ts";
import { healthOf, modes, named, runtimeOf, serviceOf } from "../../support/runtime.ts";

test.each(modes)("Docs in mode %s is one container", async (mode) => {
  const { resources } = await compose(
    mode,
    () => new Docs("docs", { runtime: runtimeOf("docs"), service: serviceOf("docs") }),
  );
  expect(named(resources, "docs-mkdocs").inputs).toMatchObject({
    name: "orion-test-docs",
    healthcheck: healthOf(httpProbe(9991, "/")),
  });
});
