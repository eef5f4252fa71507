/** `make check-external`: asks the external PostgreSQL and Redis of a stack what they are, without any update. */
import { UserError } from "../common/user-error.ts";
import { askExternal, type Asked, externalKeys, type ExternalUrls } from "../guard/check-external.ts";
import { judgeExternal, refuseExternal } from "../guard/fitting-external.ts";
import { engineOfApp } from "../guard/fitting-image.ts";
import { loginOf } from "../guard/image-script.ts";
import { lineOf } from "../policy/findings.ts";
import { rowsOfDatabase } from "../policy/external-database.ts";
import { rowsOfRedis } from "../policy/external-redis.ts";
import { isFacts } from "../policy/external-service.ts";
import { graphOf, stateSchema } from "../policy/state.ts";
import { readConfig } from "./stack-config.ts";
import type { StackFile } from "./stack-file.ts";
import { readState } from "./state.ts";
import { bold, green, say, yellow } from "./terminal.ts";

/**
 * @param root folder of the stack's Pulumi project
 * @returns 0
 * @throws {UserError} with everything that does not fit
 */
export async function checkExternal(root: string, file: StackFile): Promise<number> {
  const { settings, stack, variables } = file;
  const keys = externalKeys(settings);
  if (keys.length === 0)
    throw new UserError(
      `Stack '${stack}' uses no external services: orion:database.mode and orion:cache.mode are provision (docs/external.md).`,
    );
  say(`${bold(keys.map((key) => `orion:${key}`).join(", "))} of stack '${stack}':`);
  const asked = await askStack(root, file);
  for (const row of rowsOf(asked)) say(`${green("ok")}    ${row}`);
  const findings = judgeExternal(asked, settings);
  for (const one of findings.filter(({ severity }) => severity !== "refused")) say(yellow(`note  ${lineOf(one)}`));
  refuseExternal(findings, { ...settings, variables });
  say("\nThe external services fit.");
  return 0;
}

/** Asks all external services of a stack from where its app runs. */
export function askStack(root: string, { stack, settings }: StackFile): Promise<Asked> {
  const config = readConfig(root, stack);
  const urls: ExternalUrls = Object.fromEntries(
    externalKeys(settings).flatMap((key) => {
      const url = config(`orion:${key}`);
      return url === undefined ? [] : [[key, url]];
    }),
  );
  const deployment = readState(root, stack)?.deployment;
  const before = graphOf(deployment === undefined ? { resources: [] } : stateSchema.parse(deployment));
  const login = loginOf(settings, config("orion:registryPassword"));
  return askExternal(settings, urls, { ...engineOfApp(settings, before), login, appImage: settings.app.image });
}

const rowsOf = ({ database, redis }: Asked): string[] => [
  ...(database && isFacts(database) ? rowsOfDatabase(database) : []),
  ...[redis.redisUrl, redis.brokerUrl].flatMap((facts) => (facts && isFacts(facts) ? rowsOfRedis(facts) : [])),
];
