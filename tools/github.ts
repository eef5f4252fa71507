/** The few calls of GitHub's REST API that posting a preview and reporting drift need. */
import { z } from "zod";
import { UserError } from "../common/user-error.ts";

export interface GitHubAccess {
  /** @example https://api.github.com */
  readonly api: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly token: string;
}

export interface Comment {
  readonly id: number;
  readonly body: string;
}

/** What a job of GitHub Actions is told about its repository. @throws {UserError} when a variable is missing */
export const gitHubOfJob = (env: NodeJS.ProcessEnv): GitHub =>
  new GitHub({
    api: variable(env, "GITHUB_API_URL"),
    repository: variable(env, "GITHUB_REPOSITORY"),
    token: variable(env, "GITHUB_TOKEN"),
  });

/** @throws {UserError} when it is not set */
export function variable(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name];
  if (value === undefined || value === "") throw new UserError(`The environment variable ${name} is not set.`);
  return value;
}

export interface Issue {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly isOpen: boolean;
}

const userSchema = z.object({ type: z.string() }).nullish();
const commentsSchema = z.array(z.object({ id: z.number(), body: z.string().nullish(), user: userSchema }));
const pullSchema = z.object({ state: z.string(), head: z.object({ sha: z.string() }) });

const issuesSchema = z.array(
  z.object({
    ...{ number: z.number(), title: z.string(), body: z.string().nullish(), state: z.string() },
    user: userSchema,
    // GitHub lists pull requests as issues.
    pull_request: z.unknown().optional(),
  }),
);

const runSchema = z.object({ status: z.string().nullable(), updated_at: z.string() });

const pageSize = 100;

export class GitHub {
  readonly #access: GitHubAccess;

  constructor(access: GitHubAccess) {
    this.#access = access;
  }

  /** The newest commit of a pull request. @returns undefined when it is closed */
  async headOf(pull: number): Promise<string | undefined> {
    const { state, head } = pullSchema.parse(await this.#call("GET", `/pulls/${pull}`));
    return state === "open" ? head.sha : undefined;
  }

  /**
   * The comment of a pull request whose text starts with a marker, on whichever page it is. Only a bot's counts: everybody can write a
   * comment with the marker, and could change it later.
   */
  async findComment(pull: number, marker: string): Promise<Comment | undefined> {
    for (let page = 1; ; page += 1) {
      const answer = await this.#call("GET", `/issues/${pull}/comments?per_page=${pageSize}&page=${page}`);
      const comments = commentsSchema.parse(answer);
      const found = comments.find(({ body, user }) => user?.type === "Bot" && body?.startsWith(marker));
      if (found) return { id: found.id, body: found.body ?? "" };
      if (comments.length < pageSize) return undefined;
    }
  }

  async createComment(pull: number, body: string): Promise<void> {
    await this.#call("POST", `/issues/${pull}/comments`, { body });
  }

  async editComment(id: number, body: string): Promise<void> {
    await this.#call("PATCH", `/issues/comments/${id}`, { body });
  }

  /**
   * The issue whose text starts with a marker, on whichever page it is; an open one before a closed one. Only a bot's counts,
   * for the same reason.
   *
   * @param states `open`, or `all` where a closed one is wanted as well
   */
  async findIssue(marker: string, states: "open" | "all"): Promise<Issue | undefined> {
    let closed: Issue | undefined;
    for (let page = 1; ; page += 1) {
      const issues = issuesSchema.parse(
        await this.#call("GET", `/issues?state=${states}&per_page=${pageSize}&page=${page}`),
      );
      for (const { number, title, body, state, user, pull_request: pull } of issues) {
        if (pull !== undefined || user?.type !== "Bot" || body?.startsWith(marker) !== true) continue;
        const found = { number, title, body, isOpen: state === "open" };
        if (found.isOpen) return found;
        closed ??= found;
      }
      if (issues.length < pageSize) return closed;
    }
  }

  /** An attempt of a run of GitHub Actions. */
  async runAttempt(run: number, attempt: number): Promise<{ readonly isOver: boolean; readonly changed: Date }> {
    const answer = await this.#call("GET", `/actions/runs/${run}/attempts/${attempt}`);
    const { status, updated_at: changed } = runSchema.parse(answer);
    return { isOver: status === "completed", changed: new Date(changed) };
  }

  async createIssue(title: string, body: string): Promise<void> {
    await this.#call("POST", "/issues", { title, body });
  }

  async editIssue(
    number: number,
    change: { readonly title?: string; readonly body?: string; readonly state?: "open" | "closed" },
  ): Promise<void> {
    await this.#call("PATCH", `/issues/${number}`, change);
  }

  async #call(method: string, path: string, payload?: unknown): Promise<unknown> {
    const { api, repository, token } = this.#access;
    const response = await fetch(`${api}/repos/${repository}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/vnd.github+json",
        "x-github-api-version": "2022-11-28",
        "content-type": "application/json",
      },
      signal: AbortSignal.timeout(30_000),
      ...(payload !== undefined && { body: JSON.stringify(payload) }),
    });
    if (response.ok) return response.json();
    throw new UserError(
      `GitHub answered ${response.status} to ${method} ${path}: ${(await response.text()).slice(0, 300)}`,
    );
  }
}
