/** One of the two PostgreSQL servers of a move: how SQL and PostgreSQL's programs reach it from the machine of a Docker Engine. */
import { hereDocument, quotedWords } from "../../common/shell.ts";
import { UserError } from "../../common/user-error.ts";
import type { OnEngine } from "../../guard/check-image.ts";

export interface DatabaseEndpoint {
  /** For messages: `own` or `external`. */
  readonly name: string;
  /** The container in which the programs run: the server itself, or a client of an external one. */
  readonly container: string;
  /** The database's name, or a URL; the container's environment and files say the rest. */
  readonly database: string;
  /** The role that owns what the platform's migrations create. @default - the one that logs in */
  readonly owner?: string;
}

/** Statements in one of them may take long: a copy of an index, a count. */
const sqlSeconds = 3600;

/** `docker exec` of a program, as shell words. */
export const inside = ({ container }: DatabaseEndpoint, words: readonly string[]): string =>
  quotedWords(["docker", "exec", "--interactive", container, ...words]);

export const psqlOf = (endpoint: DatabaseEndpoint): string =>
  inside(endpoint, ["psql", "-XqtAw", "-v", "ON_ERROR_STOP=1", endpoint.database]);

/** The session may write although the database is read-only by default. */
const beginning =
  "SET default_transaction_read_only = off; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex'; SET timezone = 'UTC';";

/**
 * Runs SQL.
 *
 * @param as `owner`: as the role that owns the platform's tables
 * @returns the rows, without white space at their ends
 * @throws {UserError} with the server's own words, and no values
 */
export async function sql(
  on: OnEngine,
  endpoint: DatabaseEndpoint,
  text: string,
  as: "login" | "owner" = "login",
): Promise<string> {
  const role = as === "owner" && endpoint.owner !== undefined ? `SET ROLE ${endpoint.owner};` : "";
  const script = `${psqlOf(endpoint)} ${hereDocument(`${beginning}${role}\n${text}`)}`;
  const { code, stdout, stderr } = await on(script, sqlSeconds);
  if (code === 0) return stdout.trim();
  throw new UserError(`PostgreSQL (${endpoint.name}): ${errorOf(stderr)}`);
}

/** The first error that a program printed; the lines after it may show values. */
export const errorOf = (text: string): string =>
  text
    .split("\n")
    .find((line) => /ERROR|FATAL|error:/.test(line))
    ?.slice(0, 300) ??
  text.trim().split("\n").at(-1)?.slice(0, 300) ??
  "";
