/** Posting a preview, against a server that keeps comments as GitHub does: in pages. */
import { serveHttp } from "../../../../testing/http-server.ts";
import { GitHub } from "../../../../tools/github.ts";
import { marker } from "../../../../tools/preview/markdown.ts";
import { post, readReport } from "../../../../tools/preview/post.ts";
import type { PreviewReport } from "../../../../tools/preview/report.ts";

const head = "c".repeat(40);
let comments: { id: number; body: string | null; user: { type: string } }[];
const user = { type: "Bot" };
let state: string;
let calls: string[];
let github: GitHub;
let url: string;

beforeAll(async () => {
  ({ url } = await serveHttp((request, response, body) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    const call = `${request.method ?? ""} ${pathname.replace("/repos/orion/platform", "")}`;
    calls.push(call);
    if (request.headers.authorization !== "Bearer token") return response.writeHead(401).end("{}");
    const answer = (value: unknown) => response.end(JSON.stringify(value));
    if (call === "GET /pulls/7") return answer({ state, head: { sha: head } });
    if (call === "GET /issues/7/comments") {
      const [size, page] = [Number(searchParams.get("per_page")), Number(searchParams.get("page"))];
      return answer(comments.slice((page - 1) * size, page * size));
    }
    const { body: text } = JSON.parse(body) as { body: string };
    const edited = /PATCH \/issues\/comments\/(\d+)/.exec(call)?.[1];
    if (edited !== undefined)
      comments = comments.map((one) => (one.id === Number(edited) ? { ...one, body: text } : one));
    else comments.push({ id: comments.length + 1, body: text, user });
    return answer({});
  }));
  github = new GitHub({ api: url, repository: "orion/platform", token: "token" });
});
beforeEach(() => {
  comments = [];
  calls = [];
  state = "open";
});

const report = (...stacks: PreviewReport["stacks"]): PreviewReport => ({
  version: 1,
  base: "b",
  borrowed: false,
  stacks,
});
const invalid = report({ kind: "invalid", stack: "prod", error: "no" });
const unchanged = report({ kind: "unchanged", stack: "prod" });
const posting = { pull: 7, commit: head };

test("the first report is a new comment, the next one edits it, the same one again does nothing", async () => {
  expect(await post(github, invalid, posting)).toBe("The comment is created.");
  expect(comments).toHaveLength(1);
  expect(await post(github, invalid, posting)).toBe("Comment 1 says so already.");
  expect(await post(github, report({ kind: "invalid", stack: "dev", error: "no" }), posting)).toBe(
    "Comment 1 is edited.",
  );
  expect(comments).toHaveLength(1);
  expect(comments[0]?.body).toContain("dev");
});

test("the comment is found on any page, behind comments without a text", async () => {
  comments = Array.from({ length: 250 }, (_, index) => ({ id: index + 1, body: index % 2 ? null : "hello", user }));
  comments.push({ id: 251, body: `${marker}\nolder`, user });
  // Of somebody who could write into it later what they like.
  comments[7] = { id: 8, body: `${marker}\nSafe`, user: { type: "User" } };
  expect(await post(github, invalid, posting)).toBe("Comment 251 is edited.");
  expect(comments).toHaveLength(251);
});

test("nothing is posted where nothing changes, and an older comment then says so", async () => {
  expect(await post(github, unchanged, posting)).toContain("nothing is posted");
  expect(comments).toHaveLength(0);
  await post(github, invalid, posting);
  expect(await post(github, unchanged, posting)).toBe("Comment 1 is edited.");
  expect(comments[0]?.body).toContain("Nothing changes any more");
});

test("a report of another commit, or for a closed pull request, is not posted", async () => {
  expect(await post(github, invalid, { pull: 7, commit: "d".repeat(40) })).toContain("nothing is posted");
  state = "closed";
  expect(await post(github, invalid, posting)).toContain("nothing is posted");
  expect(calls.every((call) => call === "GET /pulls/7")).toBe(true);
});

test("what GitHub refuses is said with its status", async () => {
  const other = new GitHub({ api: "http://127.0.0.1:1", repository: "a/b", token: "t" });
  await expect(other.headOf(7)).rejects.toThrow();
  const wrong = new GitHub({ api: url, repository: "orion/platform", token: "wrong" });
  await expect(wrong.headOf(7)).rejects.toThrow("GitHub answered 401 to GET /pulls/7");
});

test("an artifact that is no report is refused", () => {
  expect(() => readReport("not JSON")).toThrow("no report of a preview");
  expect(() => readReport(JSON.stringify({ ...invalid, version: 2 }))).toThrow("no report of a preview");
  expect(readReport(JSON.stringify(invalid))).toEqual(invalid);
});
