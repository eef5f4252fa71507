/**
 * The same Hetzner resources by Terraform and by Pulumi, side by side on one emulated cloud without machines: those of phases
 * mvp and scale, and 10, 50 and 300 app servers. Several rounds in one run, written to bench/terraform.md.
 */
import { writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { tryRun } from "../common/process.ts";
import { Project } from "../tests/contract/rehearsal/project.ts";
import { RehearsalCloud } from "../testing/cloud.ts";
import { succeed } from "../testing/sandbox.ts";
import { Terraform } from "../testing/terraform.ts";
import { engineFolder, toolchainPaths } from "../toolchain/src/parts.ts";
import { chosenStack } from "../tools/chosen-stack.ts";
import { pollConfig } from "../tools/rehearsal/files.ts";
import { Descendants } from "./processes.ts";
import { machine, markdownTable, median } from "./table.ts";
import { appServers, type Needs, needsOfPlan } from "./terraform/needs.ts";
import { timed } from "./timed.ts";

const root = join(import.meta.dirname, "..");
const folder = join(import.meta.dirname, "terraform");

interface Size {
  readonly what: string;
  readonly needs: Needs;
  readonly rounds: number;
}

const phase = (name: string): Needs => needsOfPlan(chosenStack({ root, project: root, stack: "prod" }, name).topology);
const sizes: readonly Size[] = [
  { what: "1 app server", needs: appServers(1), rounds: 5 },
  { what: "phase mvp", needs: phase("mvp"), rounds: 5 },
  { what: "phase scale", needs: phase("scale"), rounds: 5 },
  { what: "10 app servers", needs: appServers(10), rounds: 5 },
  { what: "50 app servers", needs: appServers(50), rounds: 3 },
  { what: "300 app servers", needs: appServers(300), rounds: 2 },
];

/** What is compared, as each side calls it. */
const steps = [
  { terraform: "plan", pulumi: "preview" },
  { terraform: "apply", pulumi: "up" },
  { terraform: "plan, nothing changed", pulumi: "preview, nothing changed" },
  { terraform: "destroy", pulumi: "destroy" },
] as const;

/** What a step took in a round. */
interface Taken {
  readonly seconds: number;
  /** Processor seconds by program. */
  readonly processor: ReadonlyMap<string, number>;
}

/** Of each step, by round. */
type Rounds = readonly (readonly Taken[])[];

async function ofTerraform({ needs, rounds }: Size, cloud: RehearsalCloud): Promise<Rounds> {
  const { port, token } = cloud.settings;
  const terraform = await Terraform.of(root, folder, { endpoint: `http://127.0.0.1:${port}/hetzner/v1`, token });
  try {
    terraform.set({ ...needs, public_key: cloud.publicKey });
    return await inRounds(rounds, [
      () => terraform.plan(),
      () => terraform.apply(),
      () => terraform.isStill(),
      () => terraform.destroy(),
    ]);
  } finally {
    terraform.dispose();
  }
}

async function ofPulumi({ needs, rounds }: Size, cloud: RehearsalCloud, environment = {}): Promise<Rounds> {
  const { port, token } = cloud.settings;
  const project = new Project(root, join(folder, "program.ts"), {
    HCLOUD_TOKEN: token,
    HCLOUD_ENDPOINT: `http://127.0.0.1:${port}/hetzner/v1`,
    ...environment,
  });
  const pulumi = async (...args: string[]) => succeed(await project.pulumi(...args));
  try {
    const file = join(project.folder, "needs.json");
    writeFileSync(file, JSON.stringify(needs));
    await pulumi("stack", "init", "bench");
    const config = { ...pollConfig, needs: file, publicKey: cloud.publicKey };
    for (const [key, value] of Object.entries(config)) await pulumi("config", "set", key, value);
    return await inRounds(rounds, [
      () => pulumi("preview"),
      () => pulumi("up", "--yes", "--skip-preview"),
      () => pulumi("preview", "--expect-no-changes"),
      () => pulumi("destroy", "--yes", "--skip-preview"),
    ]);
  } finally {
    project.dispose();
  }
}

async function inRounds(rounds: number, work: readonly (() => Promise<unknown>)[]): Promise<Rounds> {
  const taken: Taken[][] = work.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, step] of work.entries()) {
      const descendants = new Descendants(150);
      const seconds = await timed(step);
      taken[index]?.push({ seconds, processor: descendants.stop().processorSeconds });
    }
  }
  return taken;
}

/** The processor seconds of each program in a step, the largest first: `pulumi 1.2, node run 0.9`. */
function processorOf(rounds: readonly Taken[]): string {
  const programs = new Set(rounds.flatMap(({ processor }) => [...processor.keys()]));
  return [...programs]
    .map((name) => ({ name, seconds: median(rounds.map(({ processor }) => processor.get(name) ?? 0)) }))
    .filter(({ name, seconds }) => name !== "" && seconds >= 0.05)
    .sort((one, other) => other.seconds - one.seconds)
    .map(({ name, seconds }) => `${name} ${seconds.toFixed(1)}`)
    .join(", ");
}

/** What any program costs, without a resource: the parts of a preview that the program's resources have no part in. */
async function floor(): Promise<readonly (readonly [string, number])[]> {
  const nothing = join(folder, "nothing.ts");
  const places = toolchainPaths(root, process.env);
  // The engine itself comes first on this PATH, not the project's start of it.
  const stockPath = [engineFolder(places), dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
  const [project, stock] = [new Project(root, nothing, {}), new Project(root, nothing, { PATH: stockPath })];
  const middle = async (work: () => Promise<unknown>) => {
    const values = [];
    for (let round = 0; round < 5; round++) values.push(await timed(work));
    return median(values);
  };
  const pulumi = (by: Project, ...args: string[]) => middle(async () => succeed(await by.pulumi(...args)));
  const preload = ["--require", join(root, "toolchain", "src", "preload.cjs")];
  const node = (script: string, ...options: string[]) =>
    middle(() => tryRun(process.execPath, [...options, "-e", script], { cwd: root }));
  try {
    for (const each of [project, stock]) succeed(await each.pulumi("stack", "init", "bench"));
    return [
      ["start of the engine (`pulumi version`)", await pulumi(stock, "version")],
      [
        "the same by the project's `pulumi`, which looks whether everything is installed",
        await pulumi(project, "version"),
      ],
      ["start of Node.js", await node("0")],
      ["start of Node.js with `@pulumi/pulumi`", await node('require("@pulumi/pulumi")')],
      ["the same without what no program uses of it", await node('require("@pulumi/pulumi")', ...preload)],
      ["the same with `@pulumi/hcloud` besides", await node('require("@pulumi/hcloud")', ...preload)],
      ["preview of a program without a resource, by the engine alone", await pulumi(stock, "preview")],
      ["the same by the project's `pulumi`", await pulumi(project, "preview")],
    ];
  } finally {
    project.dispose();
    stock.dispose();
  }
}

/**
 * What the state costs: the seconds of an update that makes 300 servers, and of one that writes its state at the end only. The
 * latter loses what it has made when it is killed, so the product never does it.
 */
async function stateOf(cloud: RehearsalCloud): Promise<readonly [number, number]> {
  const size: Size = { what: "300 app servers", needs: appServers(300), rounds: 1 };
  const up = async (environment: Readonly<Record<string, string>>) =>
    (await ofPulumi(size, cloud, environment))[1]?.[0]?.seconds ?? NaN;
  return [await up({}), await up({ PULUMI_SKIP_CHECKPOINTS: "true" })];
}

/** Both sides take turns with each size, so that a busy minute of the machine meets both. */
async function compared(cloud: RehearsalCloud): Promise<{ readonly rows: string[][]; readonly processor: string[][] }> {
  const rows: string[][] = [];
  const processor: string[][] = [];
  for (const size of sizes) {
    const [theirs, ours] = [await ofTerraform(size, cloud), await ofPulumi(size, cloud)];
    for (const [index, { terraform, pulumi }] of steps.entries()) {
      const [one, other] = [theirs, ours].map((side) => median((side[index] ?? []).map(({ seconds }) => seconds)));
      processor.push([
        index === 0 ? size.what : "",
        `${terraform} / ${pulumi}`,
        ...[theirs, ours].map((side) => processorOf(side[index] ?? [])),
      ]);
      const ratio = (other ?? NaN) / (one ?? NaN);
      rows.push([
        index === 0 ? size.what : "",
        `${terraform} / ${pulumi}`,
        ...[one, other, ratio].map((value) => (value ?? NaN).toFixed(2)),
        String(size.rounds),
      ]);
    }
    process.stdout.write(`${size.what}: measured\n`);
  }
  return { rows, processor };
}

const cloud = new RehearsalCloud(root, { name: "benchtf", block: 96, port: 8960, machines: "none" });
try {
  cloud.up();
  const parts = await floor();
  const [checkpoints, without] = await stateOf(cloud);
  const { rows, processor } = await compared(cloud);
  const floorSeconds = parts.at(-1)?.[1] ?? NaN;
  const ours = (step: string) => Number(rows.find(([, steps = ""]) => steps.endsWith(step))?.[3]);
  const text = `# Terraform and Pulumi

\`make bench-terraform\` on ${machine()}: the same Hetzner resources by both, on one emulated cloud without machines, with the provider's polling
set to 50 ms. Medians in seconds.

${markdownTable(["resources of", "step (Terraform / Pulumi)", "Terraform", "Pulumi", "ratio", "rounds"], rows)}

Processor seconds by program, medians; \`node run\` is the Pulumi program, \`node pulumi\` what starts the engine:

${markdownTable(["resources of", "step (Terraform / Pulumi)", "Terraform", "Pulumi"], processor)}

What any program costs, without a resource:

${markdownTable(
  ["part", "seconds"],
  parts.map(([what, seconds]) => [what, seconds.toFixed(2)]),
)}

Of the ${ours("preview, nothing changed").toFixed(2)} s of a preview of one server, ${floorSeconds.toFixed(2)} s are such a program's.

The state: an update that makes 300 app servers takes ${checkpoints.toFixed(1)} s, and ${without.toFixed(1)} s if it writes its state at the end only, which
the product never does. After each step the engine writes the whole file, so that its share grows with the square of their number.

What the product does about each part:

- SDK: the program and the plugin load what they use of it, send no debug messages and take no stack traces of promises
  (\`toolchain/src/preload.cjs\`). Compiled code is kept in \`.orion/cache/node\`.
- Engine, language host and plugins are started by each command, and end with it. The \`orion\` plugin is a program that the engine starts itself,
  without a language host of its own.
- State: each step must be in it before the next one, so that nothing which was made is forgotten when the update is killed. The engine
  collects the memory that this takes more rarely (\`toolchain/src/environment.ts\`).
`;
  writeFileSync(join(root, "bench", "terraform.md"), text);
  process.stdout.write(text);
} finally {
  cloud.dispose();
}
