/** Checks the external PostgreSQL and Redis of a stack as an update does, and says how they are used. */
import { type Asked, type ExternalKey, externalKeys } from "../../../guard/check-external.ts";
import { judgeExternal } from "../../../guard/fitting-external.ts";
import { type Finding as Judged, lineOf } from "../../../policy/findings.ts";
import { rowsOfDatabase } from "../../../policy/external-database.ts";
import { rowsOfRedis } from "../../../policy/external-redis.ts";
import { isFacts } from "../../../policy/external-service.ts";
import { askStack } from "../../check-external.ts";
import type { StackFile } from "../../stack-file.ts";
import type { Checked, Finding } from "../advice.ts";

/** The first part of the names of what is found, by the secret that has the address. */
const kinds: Readonly<Record<ExternalKey, string>> = {
  ...{ databaseUrl: "database", redisUrl: "cache", brokerUrl: "broker" },
};

/** A check for each external service; the first of them that runs asks all services at once. */
export function externalChecks(
  root: string,
  file: StackFile,
): { readonly name: string; readonly check: () => Promise<Finding> }[] {
  let asked: Promise<Asked> | undefined;
  return externalKeys(file.settings).map((key) => {
    const name = `external ${kinds[key]}`;
    const check = async () => {
      const answers = await (asked ??= askStack(root, file));
      return { service: name, ...judged(key, answers, judgeExternal(answers, file.settings)) };
    };
    return { name, check };
  });
}

/** What is said of one service. Pure. */
export function judged(key: ExternalKey, asked: Asked, findings: readonly Judged[]): Checked {
  const own = findings.filter(({ name }) => name.startsWith(`${kinds[key]}.`));
  const rows = rowsFor(key, asked);
  const first = rows.length > 0 ? rows.join("; ") : "it could not be asked";
  if (own.length === 0) return { detail: first };
  const problem = own.some(({ severity }) => severity === "refused") ? "external-unfit" : "external-unsafe";
  return { problem, detail: [first, ...own.map(lineOf)].join("\n") };
}

function rowsFor(key: ExternalKey, { database, redis }: Asked): string[] {
  if (key === "databaseUrl") return database && isFacts(database) ? rowsOfDatabase(database) : [];
  const facts = redis[key];
  return facts && isFacts(facts) ? rowsOfRedis(facts) : [];
}
