/** The documentation: one container. */
import { Docs } from "../../../../components/docs/docs.ts";
import { compose } from "../../support/compose.ts";
import { named, placeOf, serviceOf } from "../../support/place.ts";

const modes = ["preview", "up"] as const;
const pythonCheck = (url: string) => [
  "CMD",
  "python",
  "-c",
  `import urllib.request; urllib.request.urlopen("${url}", timeout=4)`,
];

test.each(modes)("Docs in mode %s is one container", async (mode) => {
  const { resources } = await compose(
    mode,
    () => new Docs("docs", { place: placeOf("docs"), service: serviceOf("docs") }),
  );
  expect(named(resources, "docs-mkdocs").inputs).toMatchObject({
    name: "orion-test-docs",
    healthcheck: { tests: pythonCheck("http://127.0.0.1:9991/") },
  });
});
