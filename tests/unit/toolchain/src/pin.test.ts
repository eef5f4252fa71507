/** Pinning checksums, and downloading by them, from a real host with real archives. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { tryRun } from "../../../../common/process.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { archiveUrl, platforms, readChecksums, thisPlatform } from "../../../../toolchain/src/checksums.ts";
import { officialDownloads } from "../../../../toolchain/src/download.ts";
import { isInstalled, type Part, partsOf, type ToolchainPaths } from "../../../../toolchain/src/parts.ts";
import { pinChecksums } from "../../../../toolchain/src/pin.ts";
import { progressOn } from "../../../../toolchain/src/progress.ts";
import { makeProject, pinAs, writeProgram } from "./support/machine.ts";

let places: ToolchainPaths;
let files: string;
let server: Server;
let host: string;
const asked: string[] = [];

/** What the publishers offer: packed once, because it is a hundred programs that pack it. */
const published = temporaryFolder("published");
beforeAll(() => {
  for (const part of partsOf(makeProject())) for (const platform of platforms) publish(part, platform);
});

beforeEach(async () => {
  places = makeProject();
  pinAs(places, {});
  files = temporaryFolder("download-host");
  cpSync(published, files, { recursive: true });
  asked.length = 0;
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    try {
      response.end(readFileSync(join(files, request.url ?? "")));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
});

/** Packs a part as its publisher does. */
function publish(part: Part, platform: string): void {
  const content = temporaryFolder("content");
  const names = part.kind === "engine" ? ["pulumi/pulumi", "pulumi/pulumi-language-nodejs"] : part.programs;
  for (const name of names) writeProgram(join(content, name));
  writeFileSync(join(content, names[0] ?? ""), `${part.name} for ${platform}`, { mode: 0o755 });
  const path = join(published, archiveUrl(part, platform, ""));
  mkdirSync(dirname(path), { recursive: true });
  expect(spawnSync("tar", ["-czf", path, "-C", content, ...readdirSync(content)]).status).toBe(0);
}

const engine = (): Part => partsOf(places).find(({ kind }) => kind === "engine") as Part;
const downloads = () => officialDownloads(places, tryRun, progressOn({ write: () => undefined }), host);
const pin = () => pinChecksums(places, new Date("2026-11-29T12:00:00Z"), { host });

test("what is pinned is then downloaded, unpacked where Pulumi looks for it, and used", async () => {
  expect(await downloads().get(engine()).catch(String)).toContain("expected a pinned checksum");
  const said = await pin();
  expect(said[0]).toBe(`engine ${engine().version}: linux-x64, linux-arm64, darwin-x64, darwin-arm64`);
  for (const part of partsOf(places)) {
    expect([part.name, downloads().isPinned(part), await downloads().get(part), isInstalled(part)]).toEqual([
      ...[part.name, true, true, true],
    ]);
  }
  expect(readFileSync(join(engine().folder, "bin", "pulumi"), "utf8")).toBe(`engine for ${thisPlatform()}`);
});

test("an archive that changes after it was pinned is refused", async () => {
  await pin();
  const path = join(files, archiveUrl(engine(), thisPlatform(), ""));
  writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from("more")]));
  await expect(downloads().get(engine())).rejects.toThrow("is not the archive that toolchain/checksums.json names");
  expect(isInstalled(engine())).toBe(false);
});

test("the publisher's list is taken where there is one; what is pinned for a version stays", async () => {
  const list = platforms.map((platform, index) => {
    const sha256 = createHash("sha256").update(String(index)).digest("hex");
    return `${sha256}  pulumi-v${engine().version}-${platform}.tar.gz`;
  });
  writeFileSync(join(files, "releases", "sdk", `pulumi-${engine().version}-checksums.txt`), list.join("\n"));
  await pin();
  expect(readChecksums(places.root)["engine"]).toMatchObject({
    date: "2026-11-29",
    sha256: { "linux-x64": createHash("sha256").update("0").digest("hex") },
  });
  asked.length = 0;
  expect(await pin()).toContain(`engine ${engine().version}: unchanged`);
  expect(asked).toEqual([]);
});

test("a host that lacks one archive changes nothing", async () => {
  const tls = partsOf(places).find(({ name }) => name === "tls") as Part;
  rmSync(join(files, archiveUrl(tls, "darwin-x64", "")));
  await expect(pin()).rejects.toThrow("pulumi-resource-tls-v1.2.3-darwin-amd64.tar.gz could not be fetched");
  expect(readChecksums(places.root)).toEqual({});
});

test.each([
  ["another form", { engine: "3.255.0" }],
  ["half a checksum", { engine: { version: "1", date: "2026-11-29", sha256: { "linux-x64": "ab" } } }],
  ["an unknown platform", { engine: { version: "1", date: "2026-11-29", sha256: { "plan9-x64": "ab".repeat(32) } } }],
])("a file of checksums with %s is refused", (_, contents) => {
  pinAs(places, contents);
  expect(() => readChecksums(places.root)).toThrow("toolchain/checksums.json is not valid");
});
