/** Getting the engine, with downloads and builds that are played; `make setup` does it for real. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeOrigin, ensureEngine } from "../../../../toolchain/src/engine.ts";
import { isInstalled, type Part, partsOf, type ToolchainPaths } from "../../../../toolchain/src/parts.ts";
import { readChecksums } from "../../../../toolchain/src/checksums.ts";
import { failed, type Given, machine, makeProject, ok, pinAs, writeProgram } from "./support/machine.ts";

let places: ToolchainPaths;
beforeEach(() => {
  places = makeProject();
});
afterEach(() => {
  rmSync(places.root, { recursive: true, force: true });
});

const missing = () =>
  partsOf(places)
    .filter((part) => !isInstalled(part))
    .map(({ name }) => name);
const partNamed = (name: string): Part => {
  const found = partsOf(places).find((part) => part.name === name);
  if (!found) throw new Error(`there is no part ${name}`);
  return found;
};
const originOf = (name: string) => describeOrigin(partNamed(name), { places, parts: partsOf(places) });
const source = (...path: string[]) => join(places.root, "toolchain", "go", ...path);

/** One run: what was started, how often was built, what was said. */
async function ensured(given: Given = {}) {
  const { tools, ran, builds, said } = machine(places, given);
  await ensureEngine(places, tools);
  return { ran, builds, said: said.join("") };
}

describe("where the download host answers", () => {
  test("everything is downloaded, and nothing is built", async () => {
    const { ran } = await ensured({ download: true });
    expect(missing()).toEqual([]);
    expect(ran.filter((line) => line.startsWith("go"))).toEqual([]);
    expect(["engine", "tls"].map(originOf)).toEqual(["official download", "official download"]);
    // Nothing of the download stays behind.
    expect(readdirSync(places.cache).sort()).toEqual(["logs"]);
  });

  test("what it has not got is built, and the log is named", async () => {
    const { builds, said } = await ensured({ download: true, withheld: ["tls"] });
    expect(missing()).toEqual([]);
    expect(builds).toHaveLength(1);
    expect(said).toContain(`Could not download tls; see ${places.cache}/logs/download.log`);
    expect(["hcloud", "tls"].map(originOf)).toEqual(["official download", "built from source"]);
  });

  test("an archive that is not the pinned one stops it, and nothing of it is installed", async () => {
    const { tools, builds } = machine(places, { download: true, forged: ["engine"] });
    await expect(ensureEngine(places, tools)).rejects.toThrow(
      /is not the archive that toolchain\/checksums\.json names[^]*expected [0-9a-f]{64}\n {2}got {6}[0-9a-f]{64}/,
    );
    expect(builds).toEqual([]);
    expect(missing()).toHaveLength(6);
    expect(readdirSync(places.cache)).toEqual(["logs"]);
  });

  test("what has no checksum for this version is not downloaded, but built", async () => {
    const pins = readChecksums(places.root);
    pinAs(places, { ...pins, tls: { ...pins["tls"], version: "1.2.2" } });
    const { builds, said } = await ensured({ download: true });
    expect(builds).toHaveLength(1);
    expect(said).toContain("No checksum is pinned for tls 1.2.3 on this platform, so it is not downloaded.");
    expect(["hcloud", "tls"].map(originOf)).toEqual(["official download", "built from source"]);
  });

  test("without any checksum the host is not even asked", async () => {
    pinAs(places, {});
    const { ran, builds } = await ensured({ download: true });
    expect(ran.filter((line) => line.startsWith("curl"))).toEqual([]);
    expect(builds).toHaveLength(3);
  });

  test("a plugin that can only be downloaded holds nobody up", async () => {
    expect((await ensured({ download: true, withheld: ["cloudflare"] })).builds).toHaveLength(0);
    expect(missing()).toEqual(["cloudflare"]);
    expect((await ensured()).ran).toEqual([]);
  });
});

describe("where it does not", () => {
  test("each program is built once, and every part installed whole", async () => {
    const { ran, builds, said } = await ensured();
    expect(missing()).toEqual(["cloudflare"]);
    expect(ran.filter((line) => line.startsWith("curl"))).toHaveLength(1);
    expect(builds).toHaveLength(3);
    expect(said).toContain("not reachable: building from source instead. This happens once and takes some minutes");
    expect(readdirSync(join(partNamed("engine").folder, "bin"))).toEqual(["pulumi", "pulumi-language-nodejs"]);
    expect(originOf("hcloud")).toBe("built from source");
    expect(originOf("cloudflare")).toBeUndefined();
  });

  test.each<[string, Given, string]>([
    ["no Go", { go: { code: 127 } }, "which needs go1.26.4 or newer, and Go is not installed."],
    ["an old Go", { go: { stdout: "go1.19.8\nlocal\nlinux\namd64\n/c\n/m\n" } }, "Go is too old: got go1.19.8"],
    ["a full disk", { freeGiB: 1 }, "needs 6 GiB of free space"],
  ])("with %s nothing is begun", async (_, given, message) => {
    const { tools, builds } = machine(places, given);
    await expect(ensureEngine(places, tools)).rejects.toThrow(message);
    expect(builds).toEqual([]);
    expect(missing()).toHaveLength(6);
  });

  test("a build that fails installs nothing, gives the lock back and says the cause and the log's end", async () => {
    const { tools } = machine(places, {
      build: (program, { log = "" }) => {
        writeProgram(program);
        writeFileSync(log, "go: downloading x\ndial tcp: lookup proxy: no such host\n");
        return failed;
      },
    });
    await expect(ensureEngine(places, tools)).rejects.toThrow(
      `Node.js language host could not be built.\nThe Go module proxy could not be reached. Check the network, and GOPROXY where one is set (go env GOPROXY).\n  | go: downloading x\n  | dial tcp: lookup proxy: no such host\nFull log: ${places.cache}/logs/language.log`,
    );
    expect(missing()).toHaveLength(6);
    expect(readdirSync(places.cache)).toEqual(["logs"]);
  });

  test("what was built before another build failed is not built again", async () => {
    const broken = machine(places, {
      build: (program) => {
        if (program.endsWith("plugins")) return failed;
        writeProgram(program);
        return ok;
      },
    });
    await expect(ensureEngine(places, broken.tools)).rejects.toThrow("resource plugins could not be built");
    expect((await ensured()).builds).toHaveLength(1);
    expect(missing()).toEqual(["cloudflare"]);
  });
});

describe("once it was done", () => {
  beforeEach(async () => {
    await ensured();
  });

  test("nobody is asked, and nothing is said", async () => {
    expect(await ensured()).toEqual({ ran: [], builds: [], said: "" });
  });

  test.each<[string, () => void]>([
    [
      "was deleted",
      () => {
        rmSync(partNamed("tls").folder, { recursive: true });
      },
    ],
    [
      "lost a program",
      () => {
        rmSync(join(partNamed("engine").folder, "bin", "pulumi"));
      },
    ],
    // In place of the file, as a power cut leaves it: writing into it would reach the cache's as well.
    [
      "was cut short",
      () => {
        const path = join(partNamed("hcloud").folder, "pulumi-resource-hcloud");
        rmSync(path);
        writeFileSync(path, "", { mode: 0o755 });
      },
    ],
  ])("a part that %s comes back from the cache, without a build", async (_, damage) => {
    damage();
    expect(missing()).toHaveLength(2);
    expect((await ensured()).builds).toEqual([]);
    expect(missing()).toEqual(["cloudflare"]);
  });

  test("a part whose sources have changed is built again, and no other", async () => {
    writeFileSync(source("plugins", "main.go"), "package main\n");
    expect(["engine", "tls"].map(originOf)).toEqual(["built from source", "built from source, outdated"]);
    expect((await ensured()).builds).toHaveLength(1);
    expect(originOf("tls")).toBe("built from source");
  });

  test("what Pulumi itself has installed is left alone, whatever the sources are", async () => {
    for (const { folder } of partsOf(places)) rmSync(join(folder, "orion-origin.json"), { force: true });
    writeFileSync(source("plugins", "main.go"), "package main\n");
    expect(originOf("tls")).toBe("installed by Pulumi");
    expect((await ensured()).ran).toEqual([]);
  });
});

test("what interrupted runs left is removed and never used", async () => {
  const left = [places.cache, join(places.pulumiHome, "plugins"), join(places.pulumiHome, "versions")].map((folder) =>
    join(folder, ".orion-unfinished-abc"),
  );
  for (const folder of left) mkdirSync(join(folder, "new"), { recursive: true });
  const { builds } = await ensured();
  expect(left.filter((folder) => existsSync(folder))).toEqual([]);
  expect(builds).toHaveLength(3);
});

test("two at the same time: the second waits, says so, and finds everything there", async () => {
  const second = machine(places);
  const first = machine(places, {
    build: async (program) => {
      // Not before the second one waits.
      while (second.said.length === 0) await sleep(1);
      writeProgram(program);
      return ok;
    },
  });
  await Promise.all([ensureEngine(places, first.tools), ensureEngine(places, second.tools)]);
  expect(first.builds).toHaveLength(3);
  expect(second.ran).toEqual([]);
  expect(second.said.join("")).toBe(
    `Process ${process.pid} is already installing the Pulumi engine; waiting for it to finish.\n`,
  );
  expect(missing()).toEqual(["cloudflare"]);
});
