/** The image of a local stack's own app, at a real Docker Engine: a tag is what was built last under it. */
import { builtImages } from "../../images/built.ts";
import { parseConfig } from "../../config/parse.ts";
import { runSync } from "../../common/process.ts";

const image = `orion/test-local-app-${process.pid}:latest`;

function build(label: string): void {
  const input = `FROM scratch\nLABEL orion-test=${label}\n`;
  const { code, stderr } = runSync("docker", ["build", "--quiet", "--tag", image, "-"], { input });
  expect([code, stderr]).toEqual([0, expect.anything()]);
}
afterAll(() => {
  runSync("docker", ["image", "rm", "--force", image]);
  runSync("docker", ["image", "prune", "--force", "--filter", "label=orion-test"]);
});

test("its id is known, and another build has another one", () => {
  const { settings } = parseConfig({ values: { phase: "development", app: { image } }, secrets: new Set() });
  const idOf = () => builtImages(process.cwd(), settings).appId;
  expect(idOf()).toBeUndefined();
  build("one");
  const first = idOf();
  expect(first).toMatch(/^sha256:[0-9a-f]{64}$/);
  build("two");
  expect(idOf()).not.toBe(first);
});
