/** `make diff`, on a project with a state of its own. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { diff } from "../../../tools/diff.ts";
import { temporaryFolder } from "../../../testing/folder.ts";

const project = process.cwd();
let root: string;
let printed: string;

beforeEach(() => {
  root = temporaryFolder("diff");
  writeFileSync(join(root, "Pulumi.prod.yaml"), readFileSync("Pulumi.prod.yaml"));
  printed = "";
  jest.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

const run = (from?: string, to?: string) => diff({ root, project, stack: "prod", from, to });

/** A state with one Volume that is protected, where the stack's own is in `location`. */
function writeState(location: string): void {
  const folder = join(root, ".orion", "state", ".pulumi", "stacks", "orion");
  mkdirSync(folder, { recursive: true });
  const parents = "orion:index:Platform$orion:fleet:Fleet$orion:fleet:CloudServer";
  const resource = (types: string, name: string, more: object) => ({
    urn: `urn:pulumi:prod::orion::${types}::${name}`,
    type: types.split("$").pop(),
    ...more,
  });
  const urn = (types: string, name: string) => `urn:pulumi:prod::orion::${types}::${name}`;
  const resources = [
    resource("orion:index:Platform", "orion", {}),
    resource("orion:index:Platform$orion:fleet:Fleet", "fleet", { parent: urn("orion:index:Platform", "orion") }),
    resource(parents, "core-1", { parent: urn("orion:index:Platform$orion:fleet:Fleet", "fleet") }),
    resource(`${parents}$hcloud:index/volume:Volume`, "core-1-volume", {
      ...{ custom: true, protect: true, retainOnDelete: true, parent: urn(parents, "core-1") },
      inputs: { __defaults: [], location, size: 20, name: "orion-prod-core-1", labels: { phase: "mvp" } },
    }),
  ];
  writeFileSync(join(folder, "prod.json"), JSON.stringify({ version: 3, checkpoint: { latest: { resources } } }));
}

test("a move that grows prints servers, costs and a verdict, and ends well", async () => {
  expect(await run("mvp", "scale")).toBe(0);
  expect(printed).toMatch(/^From mvp to scale: \d+ created/);
  expect(printed).toMatch(/\+ Volume .*db-2-volume/);
  const [, was, is, difference] =
    /€ per month: (37\.13) before, (\d+\.\d\d) after \(\+(\d+\.\d\d)\)/.exec(printed) ?? [];
  expect(Number(difference)).toBeCloseTo(Number(is) - Number(was), 6);
  expect(printed).toContain("This move is safe");
});

test("a move back that would lose the replica's data is refused, with what to do instead", async () => {
  expect(await run("scale", "mvp")).toBe(1);
  expect(printed).toMatch(/refused: db-2-volume would be deleted, .*\n {2}instead: keep db-2/);
  expect(printed).toContain("This move back is refused");
});

test("two stack files are compared as the program composes them", async () => {
  const text = readFileSync("Pulumi.prod.yaml", "utf8");
  const other = join(root, "other.yaml");
  writeFileSync(other, text.replace("config:\n", "config:\n  orion:database:\n    memoryMb: 2048\n"));
  expect(await run("mvp", other)).toBe(0);
  expect(printed).toMatch(/^From mvp to other.yaml \(phase mvp\): 1 replaced\n/);
  expect(printed).toContain("± Container database-server: command, shmSize, memory, memoryReservation, memorySwap");
  expect(printed).toContain("danger: database-server would be restarted");
});

test("another base of an image that servers build restarts what runs it: each side has the images of its own file", async () => {
  const other = join(root, "other.yaml");
  const text = readFileSync("Pulumi.prod.yaml", "utf8");
  writeFileSync(other, `${text}  orion:images: { postgres: "postgres:15.20-bookworm" }\n`);
  expect(await run("mvp", other)).toBe(0);
  expect(printed).toMatch(/± Container database-server: .*image/);
  expect(printed).toContain("danger: database-server would be restarted because image changes");
});

test("a broker that clients would be given without their tasks is refused, as the update refuses it", async () => {
  const other = join(root, "other.yaml");
  const secrets = "  orion:redisUrl: { secure: v1:redis }\n  orion:brokerUrl: { secure: v1:broker }\n";
  const text = `${readFileSync("Pulumi.prod.yaml", "utf8")}\n  orion:cache: { mode: external }\n${secrets}`;
  writeFileSync(other, text);
  expect(await run("mvp", other)).toBe(1);
  expect(printed).toContain("refused: cache.mode.external would give Celery another broker");
  expect(printed).toMatch(/instead: .*and list cache\.mode\.external in orion:agreed/);
  writeFileSync(other, `${text}  orion:agreed: [cache.mode.external]\n`);
  expect(await run("mvp", other)).toBe(0);
});

test("a type without a known price is no saving: the difference is not said", async () => {
  const other = join(root, "other.yaml");
  const text = readFileSync("Pulumi.prod.yaml", "utf8").replace("orion:phase: mvp", "orion:phase: scale");
  writeFileSync(other, `${text}  orion:hetzner: { loadBalancerType: lb99 }\n`);
  expect(await run("scale", other)).toBe(0);
  expect(printed).toMatch(/€ per month: \d+\.\d\d before, at least \d+\.\d\d after\n/);
  expect(printed).toContain("The price of balancer-nbg1-balancer's type is not known");
});

test("without FROM it starts from what exists", async () => {
  writeState("hel1");
  expect(await run()).toBe(1);
  expect(printed).toMatch(/^From what exists \(phase mvp\) to mvp: /);
  expect(printed).toContain("refused: core-1-volume would be replaced because location changes from hel1 to nbg1");
});

test("a wrong value is reported with the file that it is in", async () => {
  const [wrong, broken] = [join(root, "wrong.yaml"), join(root, "broken.yaml")];
  writeFileSync(wrong, "config:\n  orion:phase: huge\n");
  writeFileSync(broken, "config: [");
  await expect(run("mvp", wrong)).rejects.toThrow(`${wrong}: The stack's configuration is not valid`);
  await expect(run("mvp", broken)).rejects.toThrow(`${broken} is not YAML`);
});

test("and reports a stack that does not exist, a missing file and an unknown phase", async () => {
  await expect(run()).rejects.toThrow(/does not exist here yet; .* make diff FROM=mvp TO=scale/);
  await expect(run("mvp", "none.yaml")).rejects.toThrow(/The stack file .*none\.yaml could not be read/);
  await expect(run("mvp", "huge")).rejects.toThrow(/^Got 'huge', allowed: a phase \(development, mvp, scale/);
});

test("what is not built yet is named: the phase, or what a stack of a phase that is built adds", async () => {
  await run("enterprise", "ha");
  expect(printed).toContain("Not built yet: phase ha. This compares the plans");
  const text = readFileSync("Pulumi.prod.yaml", "utf8").replace("orion:phase: mvp", "orion:phase: enterprise");
  const file = join(root, "more.yaml");
  writeFileSync(file, `${text}  orion:monitoring: { enabled: true }\n`);
  await run("enterprise", file);
  expect(printed).toContain("Not built yet: orion:monitoring.enabled true. This compares the plans");
});
