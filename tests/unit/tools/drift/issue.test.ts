/** The issue about a stack's drift, against a server that keeps issues as GitHub does: in pages, among pull requests. */
import { serveHttp } from "../../../../testing/http-server.ts";
import { type Drift, driftOf } from "../../../../tools/drift/findings.ts";
import { bodyOf, keepIssue, markerOf } from "../../../../tools/drift/issue.ts";
import { limits } from "../../../../tools/github-text.ts";
import { GitHub } from "../../../../tools/github.ts";

interface Kept {
  number: number;
  title: string;
  body: string | null;
  state: string;
  user: { type: string };
  pull_request?: object;
}
let issues: Kept[];
let writes: string[];
let github: GitHub;

beforeAll(async () => {
  const { url } = await serveHttp((request, response, body) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    const path = pathname.replace("/repos/orion/platform", "");
    if (request.method === "GET") {
      const [size, page] = [Number(searchParams.get("per_page")), Number(searchParams.get("page"))];
      const wanted = issues.filter(({ state }) => searchParams.get("state") === "all" || state === "open");
      return response.end(JSON.stringify(wanted.slice((page - 1) * size, page * size)));
    }
    writes.push(`${request.method ?? ""} ${path}`);
    const change = JSON.parse(body) as Partial<Kept>;
    const number = Number(/\/issues\/(\d+)$/.exec(path)?.[1]);
    if (Number.isNaN(number)) issues.push({ ...issue(issues.length + 1, ""), ...change });
    else issues = issues.map((one) => (one.number === number ? { ...one, ...change } : one));
    return response.end("{}");
  });
  github = new GitHub({ api: url, repository: "orion/platform", token: "token" });
});
beforeEach(() => {
  issues = [];
  writes = [];
});

const issue = (number: number, body: string | null, more: Partial<Kept> = {}): Kept => ({
  ...{ number, title: "", body, state: "open", user: { type: "Bot" } },
  ...more,
});
const gone = (...names: string[]): Drift =>
  driftOf(
    names.map((name) => ({
      ...{ action: "create", type: "docker:index/container:Container", name, group: "core-1", inputs: [] },
    })),
    [],
  );
const clean = gone();
const checked = { stack: "prod", commit: "c".repeat(40) };

test("one issue: opened, left alone, edited, closed, opened again; nothing is said when all is well", async () => {
  expect(await keepIssue(github, clean, checked)).toContain("no open issue");
  expect(writes).toEqual([]);
  expect(await keepIssue(github, gone("app-1"), checked)).toContain("is opened");
  expect(issues).toMatchObject([{ title: "Infrastructure drift: prod", state: "open" }]);
  expect(issues[0]?.body).toMatch(
    /^<!-- .*prod -->\n.*1 difference[^]*#### core-1\n\n- Container app-1 does not exist/,
  );
  expect(await keepIssue(github, gone("app-1"), { ...checked, commit: "d".repeat(40) })).toContain("says so already");
  expect(await keepIssue(github, gone("app-1", "app-2"), checked)).toBe("Issue 1 is edited.");
  expect(await keepIssue(github, clean, checked)).toContain("issue 1 is closed");
  expect(issues).toMatchObject([{ state: "closed", body: expect.stringContaining("is gone") as string }]);
  expect(await keepIssue(github, clean, checked)).toContain("no open issue");
  expect(await keepIssue(github, gone("app-1"), checked)).toBe("Issue 1 is opened again.");
  expect(issues).toMatchObject([{ state: "open" }]);
  expect(writes).toEqual(["POST /issues", ...Array<string>(3).fill("PATCH /issues/1")]);
});

test("it is found on any page; not another stack's, a pull request's, or one that a person has written", async () => {
  const marker = markerOf("prod");
  issues = [
    issue(1, `${markerOf("prod-2")}\n`),
    issue(2, `${marker}\n`, { user: { type: "User" } }),
    issue(3, `${marker}\n`, { pull_request: {} }),
    ...Array.from({ length: 247 }, (_, index) => issue(index + 4, index % 2 ? null : "hello")),
    issue(251, `${marker}\nolder`),
  ];
  expect(await keepIssue(github, gone("app-1"), checked)).toBe("Issue 251 is edited.");
  expect(issues).toHaveLength(251);
});

test("names from a provider become no markup, and a long list is cut between servers", () => {
  const evil = gone("<img src=x> @everyone `x`");
  expect(bodyOf(evil, checked)).not.toMatch(/<img|@everyone/);
  const drifted = Array.from({ length: 3000 }, (_, index) => ({
    ...{ action: "create" as const, type: "docker:index/container:Container", name: `app-${index}`, inputs: [] },
    group: `app-${String(index).padStart(4, "0")}`,
  }));
  const body = bodyOf(driftOf(drifted, []), checked);
  expect(body.length).toBeLessThanOrEqual(limits.characters);
  expect(body).toContain("3000 differences");
  expect(body.trimEnd()).toMatch(/whole report is in the job summary\._$/);
});
