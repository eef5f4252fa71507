/** `make check-image`: asks an image what a stack needs of it, on a Docker Engine of this machine, without any update. */
import { reachesOwnDatabase } from "../topology/database-access.ts";
import { UserError } from "../common/user-error.ts";
import { engineAt } from "../guard/ask-images.ts";
import { askImage, madeUp } from "../guard/check-image.ts";
import { refuseUnfit } from "../guard/fitting-image.ts";
import { harmlessUrl } from "../guard/harmless-url.ts";
import { builtImages } from "../images/built.ts";
import { lineOf } from "../policy/findings.ts";
import { rowsOf } from "../policy/image-facts.ts";
import { judgeImage } from "../policy/image-judgement.ts";
import type { SecretName } from "../config/schema.ts";
import { readConfig } from "./stack-config.ts";
import type { StackFile } from "./stack-file.ts";
import { bold, dim, green, say, yellow } from "./terminal.ts";

/** As docs/external.md has it. */
const exampleUrl =
  "postgresql://check:check@127.0.0.1:5432/shop?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt";

/** A value in the form of each secret, since only the engine knows those of the stack. */
const formOf: Readonly<Partial<Record<SecretName, string>>> = {
  databaseUrl: exampleUrl,
  redisUrl: "redis://check:check@127.0.0.1:1/0",
  brokerUrl: "redis://check:check@127.0.0.1:1/1",
  sentryDsn: "https://check@sentry.invalid/1",
};

/**
 * @param root folder of the stack's file
 * @param project folder of the program
 * @param choice the image; @default that of the stack
 * @returns 0
 * @throws {UserError} with everything that the image lacks
 */
export async function checkImage(
  root: string,
  project: string,
  file: StackFile,
  choice: string | undefined,
): Promise<number> {
  const { settings, topology, secrets, variables } = file;
  const image = choice ?? settings.app.image ?? builtImages(project, settings).app;
  const known: readonly SecretName[] = [
    ...secrets,
    ...settings.app.secrets.map((name) => `app.secrets.${name}` as const),
  ];
  const forms = { ...formOf, ...(reachesOwnDatabase(settings) ? {} : externalForm(root, file.stack)) };
  const secret = (name: SecretName) => (known.includes(name) ? (forms[name] ?? madeUp) : undefined);
  const isLocal = settings.hosting === "local";
  say(`${bold(image)} is asked for stack '${file.stack}' (phase ${settings.phase}).`);
  const facts = await askImage(
    { settings, topology, image, secret },
    engineAt(isLocal ? settings.dockerHost : undefined),
  );
  if (!("kind" in facts))
    for (const [what, found] of rowsOf(facts, settings)) say(`${green("ok")}    ${what}: ${found}`);
  const findings = judgeImage(facts, settings);
  for (const one of findings.filter(({ severity }) => severity !== "refused")) say(yellow(`note  ${lineOf(one)}`));
  refuseUnfit(image, findings, { ...settings, variables: `${variables} IMAGE=${image}` });
  if (settings.app.secrets.length > 0)
    say(dim("The values of orion:app.secrets were made up; an update asks the image with the real ones."));
  say(`\nThe image fits. What only a running platform shows is not known: answers of the database, and what tasks do.`);
  return 0;
}

/** The form of the external database's URL, whose parameters a driver may not take; the engine alone can read it. */
function externalForm(root: string, stack: string): Partial<Record<SecretName, string>> {
  try {
    const form = harmlessUrl(readConfig(root, stack)("orion:databaseUrl") ?? "");
    return form === undefined ? {} : { databaseUrl: form };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say(yellow(`note  orion:databaseUrl could not be read, the image is asked with an example: ${exampleUrl}`));
    return {};
  }
}
