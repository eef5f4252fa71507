/** The few calls of GitHub's REST API that posting a preview needs. */
import { z } from "zod";
import { UserError } from "../../common/user-error.ts";

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

const commentsSchema = z.array(z.object({ id: z.number(), body: z.string().nullish() }));
const pullSchema = z.object({ state: z.string(), head: z.object({ sha: z.string() }) });

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

  /** The comment of a pull request whose text starts with a marker, on whichever page it is. */
  async findComment(pull: number, marker: string): Promise<Comment | undefined> {
    for (let page = 1; ; page += 1) {
      const answer = await this.#call("GET", `/issues/${pull}/comments?per_page=${pageSize}&page=${page}`);
      const comments = commentsSchema.parse(answer);
      const found = comments.find(({ body }) => body?.startsWith(marker));
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
