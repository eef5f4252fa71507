import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ImageChoices,
  type OfficialImage,
  officialImages,
  ownImageReference,
  parseImagePins,
  resolveImage,
} from "../../../../config/images.ts";
import { contextArchive, contextFiles, hashOf } from "../../../../common/images/context.ts";
import { debianSources } from "../../../../common/images/debian.ts";
import { classifyPullFailure, registryOf } from "../../../../images/registry.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder("context");
});
const write = (path: string, text: string) => {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
};

describe("a build context", () => {
  test("holds files in the order of their paths, links as links, and programs as such", () => {
    write("b/run.sh", "x");
    chmodSync(join(folder, "b/run.sh"), 0o755);
    write("a.txt", "y");
    symlinkSync("a.txt", join(folder, "link"));
    expect(contextFiles(folder).map(({ path, kind }) => [path, kind])).toEqual([
      ["a.txt", "file"],
      ["b/run.sh", "executable"],
      ["link", "link"],
    ]);
  });

  test("leaves out what .dockerignore names, takes in again what ! names, and always has the Dockerfile", () => {
    write(".dockerignore", "tests\n*.log\n!keep.log\nDockerfile\n**/*.pyc\n");
    for (const path of ["Dockerfile", "tests/a.py", "b.log", "keep.log", "app/x.pyc", "app/x.py"]) write(path, path);
    expect(contextFiles(folder).map(({ path }) => path)).toEqual([
      ".dockerignore",
      "Dockerfile",
      "app/x.py",
      "keep.log",
    ]);
  });

  test("has one hash for the same files, and another for any difference", () => {
    const hash = (base: string) => hashOf(contextFiles(folder), base);
    write("a", "1");
    const before = hash("python:3.11");
    expect(hash("python:3.11")).toBe(before);
    expect(hash("python:3.12")).not.toBe(before);
    chmodSync(join(folder, "a"), 0o755);
    const executable = hash("python:3.11");
    expect(executable).not.toBe(before);
    write("a", "2");
    expect(hash("python:3.11")).not.toBe(executable);
  });

  test("is the same archive every time", () => {
    write("a", "1");
    expect(contextArchive(contextFiles(folder), 0).equals(contextArchive(contextFiles(folder), 0))).toBe(true);
    expect(contextArchive(contextFiles(folder), 1).equals(contextArchive(contextFiles(folder), 0))).toBe(false);
  });
});

describe("names", () => {
  test("official images are pinned by major version, and release where they have one", () => {
    const { rclone, certbot, ...ofReleases } = officialImages;
    expect(Object.values(ofReleases).filter((name) => !/^[a-z]+:\d[\w.]*-[a-z-]+$/.test(name))).toEqual([]);
    expect(certbot).toMatch(/^certbot\/certbot:v\d+(\.\d+){2}$/);
    expect(rclone).toMatch(/^rclone\/rclone:\d+$/);
  });

  test("a registry goes before, an override replaces", () => {
    expect(resolveImage("redis")).toBe("redis:7-bookworm");
    expect(resolveImage("redis", { registry: "mirror.example.com/hub/" })).toBe(
      "mirror.example.com/hub/redis:7-bookworm",
    );
    expect(resolveImage("redis", { registry: "mirror", overrides: { redis: "own/redis:1" } })).toBe("own/redis:1");
  });

  test("a pinned image is named with its digest, if that is known; an override names its own", () => {
    const redis = { digest: `sha256:${"ab".repeat(32)}`, date: "2026-11-29" };
    const pinned = (name: OfficialImage, more: ImageChoices = {}) =>
      resolveImage(name, { pinned: true, ...more }, { redis });
    expect(pinned("redis")).toBe(`redis:7-bookworm@${redis.digest}`);
    expect(pinned("redis", { registry: "mirror.example.com" })).toBe(
      `mirror.example.com/redis:7-bookworm@${redis.digest}`,
    );
    expect(pinned("redis", { overrides: { redis: "own/redis:1" } })).toBe("own/redis:1");
    expect(pinned("nginx")).toBe("nginx:1-bookworm");
    expect(resolveImage("redis", {}, { redis })).toBe("redis:7-bookworm");
  });

  test.each([
    ["an image that is not known", { redix: { digest: `sha256:${"ab".repeat(32)}`, date: "2026-11-29" } }],
    ["half a digest", { redis: { digest: "sha256:ab", date: "2026-11-29" } }],
    ["no date", { redis: { digest: `sha256:${"ab".repeat(32)}` } }],
    ["a date that is none", { redis: { digest: `sha256:${"ab".repeat(32)}`, date: "2026-13-01" } }],
  ])("a file of digests with %s is refused", (_, contents) => {
    expect(() => parseImagePins(contents)).toThrow();
  });

  test("an own image is named by the hash of what it is made of", () => {
    expect(ownImageReference("app", "0123456789abcdef")).toBe("orion/sample-app:0123456789ab");
    expect(() => ownImageReference("app", "latest")).toThrow("'latest' is no content hash");
  });
});

describe("registries", () => {
  test.each([
    ["redis:7", "docker.io"],
    ["team/app:1", "docker.io"],
    ["registry.example.com/app", "registry.example.com"],
    ["localhost/app", "localhost"],
    ["localhost:5000/app", "localhost:5000"],
  ])("%s is at %s", (reference, host) => {
    expect(registryOf(reference)).toBe(host);
  });

  test.each([
    ["dial tcp: lookup registry.example.com: no such host", "unreachable"],
    ["net/http: request canceled while waiting for connection", "unreachable"],
    ["manifest for redis:99 not found: manifest unknown", "refused"],
    ["pull access denied for app, repository does not exist", "refused"],
  ])("%s means %s", (output, kind) => {
    expect(classifyPullFailure(`some progress\n${output}\n`)).toEqual({ kind, reason: output });
  });
});

test("Debian's own lines are taken from either format of the source lists, for the wanted release", () => {
  const old =
    "deb https://mirror.example.com/debian bookworm main contrib\ndeb https://other.example.com/apt stable main\n";
  const modern = `Types: deb
URIs: https://mirror.example.com/debian-security
Suites: bookworm-security
Components: main
`;
  expect(debianSources([old, modern], "bookworm")).toEqual([
    "deb https://mirror.example.com/debian bookworm main",
    "deb https://mirror.example.com/debian-security bookworm-security main",
  ]);
});
