/** Other images for containers that keep data: what the images have decides, not how their names are spelled. */
import {
  type Answer,
  claimedVersion,
  imageChanges,
  ofAnswer,
  ofNames,
  promisedVersion,
} from "../../../policy/data-images.ts";
import { moveBetween } from "../../../policy/dangers.ts";
import { asAgreed } from "../../../policy/findings.ts";
import { graphsBetween, moveOfMvp, stackOf, titles } from "./support.ts";

const digest = (letter: string) => `@sha256:${letter.repeat(64)}`;

test.each([
  ["postgres:15-bookworm", "15"],
  ["postgres:15.9", "15.9"],
  [`registry.example.com/mirror/postgres:15-bookworm${digest("5")}`, "15"],
  ["redis:7.2-bookworm", "7.2"],
  ["postgres:latest", undefined],
  ["postgres", undefined],
  [`postgres${digest("5")}`, undefined],
  ["pgvector/pgvector:pg16", undefined],
  ["timescale/timescaledb:2.17.2-pg16", undefined],
  ["team/database:16", undefined],
])("the name %s claims %s", (reference, number) => {
  expect(claimedVersion(reference)?.number).toBe(number);
});

test("only the publisher's own name promises a version: neither a digest nor another registry does", () => {
  expect(promisedVersion("postgres:16-bookworm")?.number).toBe("16");
  expect(promisedVersion("docker.io/library/redis:7")?.number).toBe("7");
  expect(promisedVersion(`postgres:16-bookworm${digest("a")}`)).toBeUndefined();
  expect(promisedVersion("registry.example.com/postgres:16")).toBeUndefined();
});

const changesTo = async (images: object) => {
  const graphs = await graphsBetween(stackOf("mvp"), stackOf("mvp", { images }));
  return imageChanges(graphs.before, graphs.after);
};
const only = async (images: object) => {
  const [change, ...rest] = await changesTo(images);
  if (!change || rest.length > 0) throw new Error(`${rest.length + (change ? 1 : 0)} changes`);
  return change;
};

test("a change names the container, its engine and its data", async () => {
  expect(await only({ postgres: "pgvector/pgvector:pg15" })).toMatchObject({
    kind: "postgres",
    after: { name: "database-server" },
    before: { name: "database-server" },
    is: "pgvector/pgvector:pg15",
    engine: "pulumi:providers:docker core-1-docker",
    data: { type: "bind", source: "/mnt/orion-data/postgres" },
  });
  const redis = await changesTo({ redis: "valkey/valkey:8" });
  expect(redis.map(({ after, data }) => [after.name, data])).toEqual([
    ["broker-server", { type: "volume", source: "orion-prod-broker-data" }],
    ["cache-server", { type: "volume", source: "orion-prod-cache-data" }],
  ]);
});

test("an image of another service, and a new stack's, are none", async () => {
  expect(await changesTo({ nginx: "nginx:1.29" })).toEqual([]);
  const { after } = await graphsBetween(stackOf("mvp"), stackOf("mvp"));
  expect(imageChanges({ resources: [], uses: new Map() }, after)).toEqual([]);
});

test("a container that a failed update deleted is asked about: its data is there", async () => {
  const { before, after } = await graphsBetween(stackOf("mvp"), stackOf("mvp"));
  const resources = before.resources.filter(({ name }) => name !== "database-server");
  expect(imageChanges({ ...before, resources }, after)).toMatchObject([{ after: { name: "database-server" } }]);
});

test("a first update that failed before its containers is not asked about: there is no data yet", async () => {
  const { before, after } = await graphsBetween(stackOf("mvp"), stackOf("mvp"));
  const early = before.resources.filter(
    ({ type }) => !type.startsWith("docker:") && type !== "pulumi:providers:docker",
  );
  expect(early.map(({ name }) => name)).toContain("core-1-server");
  expect(imageChanges({ ...before, resources: early }, after)).toEqual([]);
  expect(moveBetween({ ...before, resources: early }, after, { answers: new Map() }).findings).toEqual([]);
});

test("a container that is missing and would get the image of before is refused by an answer only", async () => {
  const { before, after } = await graphsBetween(stackOf("mvp"), stackOf("mvp"));
  const resources = before.resources.filter(({ name }) => name !== "database-server");
  const [change] = imageChanges({ ...before, resources }, after);
  if (!change) throw new Error("no change");
  expect(ofAnswer(change, { problem: "no route to host" })).toEqual([]);
  expect(ofNames(change)).toEqual([]);
  const [wrote, has] = ["15", "16.1"].map((number) => ({ program: "PostgreSQL", number }));
  expect(ofAnswer(change, { wrote, has, missing: [] })).toMatchObject([{ severity: "refused" }]);
});

describe("by the answer of an engine", () => {
  const postgres = (number: string) => ({ program: "PostgreSQL", number });
  const judged = async (answer: Answer, agreed: string[] = [], image = "pgvector/pgvector:pg16") =>
    asAgreed(ofAnswer(await only({ postgres: image }), { missing: [], ...answer }), agreed);

  test("another major version is refused, whatever the name says", async () => {
    expect(await judged({ wrote: postgres("15"), has: postgres("16.4") }, [], "team/database:15")).toEqual([
      {
        severity: "refused",
        name: "database-server",
        happens: "would run PostgreSQL 16 on the data of PostgreSQL 15, on which it does not start",
        instead: "leave orion:images.postgres at 15; another major version is a dump, a restore and a new stack",
      },
    ]);
  });

  test("the setting that is named is the one that the stack sets", async () => {
    const named = async (images: object) => (await moveOfMvp({}, { images })).findings[0]?.instead;
    expect(await named({ database: "registry.example.com/orion/postgres:16" })).toMatch(
      /^leave orion:images\.database at 15/,
    );
    expect(await named({ postgres: "registry.example.com/orion/postgres:16" })).toMatch(
      /^leave orion:images\.postgres at 15/,
    );
  });

  test("the same major version is accepted, whatever the name says", async () => {
    expect(await judged({ wrote: postgres("15"), has: postgres("15.20") })).toEqual([]);
    expect(await judged({ wrote: postgres("15"), has: postgres("15.20") }, [], `postgres${digest("5")}`)).toEqual([]);
  });

  test("no answer is refused, with how to say it", async () => {
    expect(await judged({ wrote: postgres("15"), problem: "manifest unknown" })).toMatchObject([
      {
        severity: "refused",
        happens: expect.stringContaining(
          "not known which PostgreSQL pgvector/pgvector:pg16 runs (manifest unknown)",
        ) as string,
        instead: expect.stringContaining("npx pulumi config set --path orion:database.version 15") as string,
      },
    ]);
  });

  test("without data every image is as good", async () => {
    expect(await judged({ isEmpty: true })).toEqual([]);
  });

  test("an extension that the data needs and the image lacks is refused, until the stack agrees", async () => {
    const answer = { wrote: postgres("15"), has: postgres("15.20"), missing: ["vector"] };
    expect(await judged(answer)).toMatchObject([
      { severity: "refused", happens: expect.stringContaining("lacks the extension vector") as string },
    ]);
    expect(await judged(answer, ["vector"])).toMatchObject([{ severity: "danger" }]);
  });

  test("a database that does not say its extensions is a danger", async () => {
    const change = await only({ postgres: "team/database:1" });
    expect(ofAnswer(change, { wrote: postgres("15"), has: postgres("15.1") })).toMatchObject([{ severity: "danger" }]);
  });

  test.each([
    ["Redis", "7.0.15", "7.2.4", []],
    ["Redis", "7.2.4", "7.0.15", ["refused broker-server", "danger cache-server"]],
    ["Redis", "7.2.4", "8.0.0", ["danger broker-server", "danger cache-server"]],
    ["Valkey", "7.2.4", "8.1.1", ["danger broker-server", "danger cache-server"]],
  ])("%s: from Redis %s to %s", async (program, from, to, expected) => {
    const answer = { wrote: { program: "Redis", number: from }, has: { program, number: to } };
    const findings = (await changesTo({ redis: "team/redis:1" })).flatMap((change) => ofAnswer(change, answer));
    expect(titles({ findings })).toEqual(expected);
  });
});

describe("by names alone, for make diff", () => {
  test.each([
    ["postgres:16-bookworm", "refused"],
    ["postgres:15.9-bookworm", undefined],
    [`postgres:15-bookworm${digest("a")}`, undefined],
    [`postgres${digest("5")}`, "danger"],
    [`postgres${digest("a")}`, "danger"],
    ["pgvector/pgvector:pg16", "danger"],
    ["postgres:latest", "danger"],
  ])("%s: %s", async (postgres, severity) => {
    expect(ofNames(await only({ postgres })).map((finding) => finding.severity)).toEqual(severity ? [severity] : []);
  });

  const redis = async (before: string, after: string) => {
    const [from, to] = [before, after].map((name) => stackOf("mvp", { images: { redis: name } }));
    const graphs = await graphsBetween(from ?? stackOf("mvp"), to ?? stackOf("mvp"));
    return imageChanges(graphs.before, graphs.after).flatMap(ofNames);
  };

  test.each([
    [
      "redis:7-bookworm",
      "redis:7.2-bookworm",
      /redis:7\.2-bookworm in place of redis:7-bookworm, whose name does not say/,
    ],
    [
      "redis:7.2-bookworm",
      "redis:7-bookworm",
      /would run redis:7-bookworm, whose name does not say which Redis it has/,
    ],
    ["redis:7.2.4", "redis:7.2", undefined],
    ["redis:7-bookworm", "redis:7-alpine", undefined],
    ["redis:7", "redis:6.2", /Redis 6.2 on the data of Redis 7, which it may not be able to read/],
  ])("from %s to %s", async (before, after, happens) => {
    const findings = await redis(before, after);
    expect(findings.map(({ name }) => name)).toEqual(happens ? ["broker-server", "cache-server"] : []);
    for (const finding of findings) expect(finding.happens).toMatch(happens ?? "");
  });

  test("an unknown version is said to be checked at the update", async () => {
    const { findings } = await moveOfMvp({}, { images: { postgres: "pgvector/pgvector:pg16" } });
    expect(findings.map(({ happens }) => happens)).toContain(
      "would run pgvector/pgvector:pg16, whose name does not say which PostgreSQL it has: the preview and the update ask the image",
    );
  });
});

describe("PostgreSQL from another distribution may order texts in another way", () => {
  const between = async (before: string, after: string) => {
    // pgBackRest is made for none of Alpine.
    const backups = { pointInTime: false };
    const [from, to] = [before, after].map((postgres) => stackOf("mvp", { images: { postgres }, backups }));
    const graphs = await graphsBetween(from ?? stackOf("mvp"), to ?? stackOf("mvp"));
    return imageChanges(graphs.before, graphs.after);
  };
  const answer = { wrote: { program: "PostgreSQL", number: "15" }, has: { program: "PostgreSQL", number: "15.9" } };

  test.each([
    ["postgres:15-bookworm", "postgres:15-trixie", "from trixie on data that one from bookworm wrote"],
    ["postgres:15.9-bookworm", "postgres:15.10-alpine3.21", "from alpine on data"],
    ["postgres:15-alpine3.20", "postgres:15-alpine3.21", undefined],
    ["postgres:15-bookworm", "postgres:15", "from a distribution that its name does not say"],
    ["postgres:15-bookworm", "registry.example.com/postgres:15.9-bookworm", undefined],
    [`postgres:15-bookworm${digest("a")}`, `postgres:15-bookworm${digest("b")}`, undefined],
    ["postgres:15-bookworm", "team/database:15-trixie", undefined],
  ])("%s to %s", async (before, after, words) => {
    const changes = await between(before, after);
    expect(changes).toHaveLength(1);
    const found = changes.flatMap((change) => [
      ...ofNames(change),
      // Also when the image was asked: its version says nothing of its C library.
      ...ofAnswer(change, { ...answer, missing: [] }),
    ]);
    const reindexing = found.filter(({ instead }) => instead?.includes("REINDEX DATABASE"));
    expect(reindexing.map(({ severity }) => severity)).toEqual(words === undefined ? [] : ["danger", "danger"]);
    for (const { happens } of reindexing) expect(happens).toContain(words);
  });
});
