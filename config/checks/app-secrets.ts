/** Checks that `orion:app.secrets`, and nothing else in `orion:app`, is stored encrypted. Pure. */
import { isRecord } from "../../common/record.ts";

const setSecret = (name: string): string => `pulumi config set --secret --path orion:app.secrets.${name}`;

/**
 * Problems of the image's own secrets, one line each; no value is repeated.
 *
 * @param app the section `orion:app` as read
 * @param encrypted what the stack holds encrypted; `app` alone where only that is known of the section
 */
export function checkAppSecrets(app: unknown, encrypted: ReadonlySet<string>): string[] {
  const secrets: unknown = isRecord(app) ? app["secrets"] : undefined;
  if (secrets !== undefined && !isRecord(secrets)) {
    return [`orion:app.secrets: allowed: a secret for each variable's name; set one with: ${setSecret("NAME")}`];
  }
  const names = Object.keys(secrets ?? {});
  const isEncrypted = (name: string) => encrypted.has("app") || encrypted.has(`app.secrets.${name}`);
  const elsewhere = [...encrypted].filter((path) => path.startsWith("app.") && !path.startsWith("app.secrets."));
  return [
    ...names
      .filter((name) => !isEncrypted(name))
      .map((name) => `orion:app.secrets.${name}: is stored in clear text; set it with: ${setSecret(name)}`),
    ...elsewhere.map((path) => misplaced(path, path.replace(/^app\.environment\./, ""))),
    ...(encrypted.has("app") && names.length === 0 ? [misplaced("app", "NAME")] : []),
  ];
}

const misplaced = (path: string, name: string): string =>
  `orion:${path}: is stored as a secret, but of orion:app only app.secrets holds secrets; ` +
  `set it with: ${setSecret(/^\w+$/.test(name) ? name : "NAME")}`;
