/** `make down`, with an engine and a Docker that only note what they are told to do. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "../../../testing/folder.ts";
import { type DataChoice, down } from "../../../tools/down.ts";
import { describeStack } from "../../../tools/stack-file.ts";
import { playedProgram } from "../support/played-program.ts";
import { leastValues } from "../support/settings.ts";

const host = "unix:///run/docker-of-tests.sock";
const data = "orion-dev-database-data";

const docker = { type: "pulumi:providers:docker", inputs: { host } };
const volume = { type: "docker:index/volume:Volume", inputs: { name: data }, protect: true };
const hetznerVolume = { type: "hcloud:index/volume:Volume", protect: true };
const bucket = { type: "cloudflare:index/r2Bucket:R2Bucket", protect: true };
const server = { type: "hcloud:index/server:Server" };

const destroysAll = "destroy --stack dev --cwd ROOT --yes --skip-preview --suppress-outputs";
const destroysUnprotected =
  "destroy --stack dev --cwd ROOT --yes --skip-preview --exclude-protected --suppress-outputs";
const unprotects = "state unprotect --all --yes --stack dev --cwd ROOT";
const asks = "destroy --stack dev --cwd ROOT --exclude-protected";

const pulumi = playedProgram("pulumi");
const dockerProgram = playedProgram("docker");

interface Given {
  /** Those of the state. @default - the stack was never made */
  readonly resources?: readonly object[];
  readonly phase?: "development" | "scale";
  readonly choice?: DataChoice;
  /** The chosen Docker Engine. */
  readonly dockerHost?: string;
}

/** What happened: the engine's commands, Docker's commands, and what was said. */
async function takeDown({ resources, phase = "development", choice = "keep", dockerHost = host }: Given) {
  const root = temporaryFolder("down");
  const place = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const file of ["Pulumi.yaml", "index.ts"]) place(file, readFileSync(file, "utf8"));
  if (resources) {
    const named = resources.map((one, index) => ({ urn: `urn:pulumi:dev::orion::type::name-${index}`, ...one }));
    const state = { checkpoint: { latest: { resources: named } } };
    place(".orion/state/.pulumi/stacks/orion/dev.json", JSON.stringify(state));
  }
  const values = { ...leastValues(phase), dockerHost };
  const config = Object.fromEntries(Object.entries(values).map(([key, value]) => [`orion:${key}`, value]));
  const said: string[] = [];
  const write = jest.spyOn(process.stdout, "write").mockImplementation((text) => said.push(String(text)) > 0);
  try {
    const result = await down(root, describeStack("dev", { config }), choice).catch((error: unknown) => String(error));
    const engine = pulumi.calls().map((line) => line.replaceAll(root, "ROOT"));
    // To look for what an interrupted update has left.
    const acts = engine.filter((line) => !line.startsWith("stack export"));
    return { result, engine: acts, docker: dockerProgram.calls(), said: said.join("") };
  } finally {
    write.mockRestore();
  }
}

beforeEach(() => {
  for (const command of ["destroy", "state unprotect"]) pulumi.answer(command);
  dockerProgram.answer("version");
  dockerProgram.answer("volume ls", `${data}\n`);
  dockerProgram.answer("volume rm");
});

test("a stack that was never made is not taken down", async () => {
  const { result, engine, said } = await takeDown({});
  expect({ result, engine }).toEqual({ result: 0, engine: [] });
  expect(said).toContain("there is nothing to take down");
});

describe("a stack on a Docker Engine", () => {
  const resources = [docker, volume];

  test("the data is kept, and stays protected", async () => {
    const { result, engine, said } = await takeDown({ resources });
    expect({ result, engine }).toEqual({ result: 0, engine: [destroysUnprotected] });
    expect(said).toContain(`The data is kept: ${data}.`);
  });

  test("without a terminal nobody agrees to a deletion", async () => {
    expect((await takeDown({ resources, choice: "ask" })).engine).toEqual([destroysUnprotected]);
  });

  test("the data is deleted where the user says so", async () => {
    const { result, engine, docker: asked } = await takeDown({ resources, choice: "delete" });
    expect({ result, engine }).toEqual({ result: 0, engine: [destroysUnprotected, unprotects, destroysAll] });
    expect(asked).toContain(`--host ${host} volume rm ${data}`);
  });

  test("nothing is deleted while another Docker Engine is chosen than that of the state", async () => {
    const dockerHost = "unix:///run/other.sock";
    for (const choice of ["keep", "delete"] as const) {
      const { result, engine, docker: asked } = await takeDown({ resources, choice, dockerHost });
      expect({ engine, asked }).toEqual({ engine: [], asked: [] });
      expect(result).toContain(`Stack 'dev' is on the Docker Engine at ${host}, and ${dockerHost} is chosen by now`);
      expect(result).toContain("npx pulumi stack rm dev --force --preserve-config");
    }
  });

  test("a state without an engine of its own is taken down at the chosen one", async () => {
    const dockerHost = "unix:///run/other.sock";
    const { docker: asked } = await takeDown({ resources: [volume], dockerHost });
    expect(asked.filter((line) => !line.startsWith(`--host ${dockerHost} `))).toEqual([]);
    expect(asked).toHaveLength(2);
  });

  test("nothing is begun while the engine does not answer", async () => {
    dockerProgram.forget("version");
    const { result, engine } = await takeDown({ resources, choice: "delete" });
    expect(engine).toEqual([]);
    expect(result).toContain(`The Docker Engine does not answer at ${host}: refused`);
  });

  test("a list of volumes that fails is not an empty one", async () => {
    dockerProgram.forget("volume ls");
    const { result, engine } = await takeDown({ resources });
    expect(engine).toEqual([destroysUnprotected]);
    expect(result).toMatch(/The volumes of 'dev' could not be listed, and none was deleted:\nrefused/);
  });

  test("a protected volume of the state is data, whatever Docker lists", async () => {
    dockerProgram.answer("volume ls");
    const { engine, said } = await takeDown({ resources });
    expect(engine).toEqual([destroysUnprotected]);
    expect(said).toContain(`The data is kept: ${data}.`);
  });

  test("without data everything goes", async () => {
    dockerProgram.answer("volume ls");
    const { engine } = await takeDown({ resources: [docker] });
    expect(engine).toEqual([destroysUnprotected, unprotects, destroysAll]);
  });
});

describe("what is protected beyond this machine stays", () => {
  test.each([
    ["a stack with servers", { phase: "scale", resources: [server] }],
    ["servers that the stack's file has no longer", { resources: [docker, volume, server] }],
    ["a Volume that is all that is left of a server", { resources: [hetznerVolume] }],
    ["files at Cloudflare of a stack on a Docker Engine", { resources: [docker, volume, bucket] }],
  ] as const)("%s: the engine asks", async (_, given) => {
    expect(await takeDown(given)).toEqual({ result: 0, engine: [asks], docker: [], said: "" });
  });

  test("it is not deleted, whatever is asked", async () => {
    const { result, engine } = await takeDown({ phase: "scale", resources: [server], choice: "delete" });
    expect(engine).toEqual([]);
    expect(result).toMatch(
      /make down deletes no data.*for good, remove its protection first: npx pulumi config set protection false/,
    );
  });

  test("servers that only the state has are not deleted either: the file is put back first", async () => {
    const changed = await takeDown({ resources: [server], choice: "delete" });
    expect(changed.engine).toEqual([]);
    expect(changed.result).toMatch(
      /for good, put Pulumi\.dev\.yaml back as it was with its servers, and then remove its protection/,
    );
  });
});
