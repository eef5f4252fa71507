/** The fix to suggest for each error that the check of an image reports. Pure. */
import type { ImageFacts } from "./image-facts.ts";

/** What to do about an error of an import. */
export function importAdvice(
  error: string,
  wanted: string,
  setting: string,
  { drivers }: Pick<ImageFacts, "drivers">,
): string {
  const [, missing] = /No module named '([\w.]+)'/.exec(error) ?? [];
  if (
    missing !== undefined &&
    (wanted === missing || wanted.startsWith(`${missing}.`) || wanted.startsWith(`${missing}:`))
  )
    return `set ${setting} to where the image has it`;
  if (missing !== undefined && /^psycopg2?$|^asyncpg$/.test(missing)) return driverAdvice(Object.keys(drivers));
  if (missing !== undefined) return `add the package that has ${missing} to the image's requirements`;
  if (/has no attribute|is not found/.test(error) && !/^Settings|ValidationError/.test(error))
    return `set ${setting} to a module and an object in it`;
  const [, file] = /(?:Read-only file system|Permission denied): '([^']+)'/.exec(error) ?? [];
  if (file !== undefined) return `let it write elsewhere, or add the folder of ${file} to orion:app.writable`;
  if (/ValidationError|KeyError|validation error|environment/i.test(error))
    return "give it the variables that it asks for in orion:app.environment (a value such as ${REDIS_URL} is that of a generated one) or orion:app.secrets";
  return `correct it in the image, or set ${setting}`;
}

/** How a URL names an installed driver. */
export function driverAdvice(installed: readonly string[]): string {
  const scheme = installed.includes("psycopg") ? "psycopg" : installed.includes("asyncpg") ? "asyncpg" : undefined;
  if (scheme === undefined) return "add psycopg[binary], psycopg2-binary or asyncpg to the image's requirements";
  return `give the app's own variable the installed driver: postgresql+${scheme}://\${DATABASE_URL#postgresql://} in orion:app.environment`;
}

/**
 * What to do about a URL that SQLAlchemy or its driver does not take.
 *
 * @param isExternal whether it is made of an external database's URL, whose parameters say how the server is verified
 */
export function urlAdvice(error: string, installed: readonly string[], isExternal = false): string {
  const ofParameters = /sslmode|unexpected keyword/.test(error);
  if (ofParameters && isExternal)
    return (
      "asyncpg takes no sslmode from SQLAlchemy, psycopg does: " +
      (installed.includes("psycopg") ? "" : "add psycopg[binary] to the image's requirements and ") +
      "write postgresql+psycopg://${DATABASE_URL#postgresql://}; or put the URL together without parameters, from ${DATABASE_URL.host} and " +
      "its other parts, and set PGSSLMODE and PGSSLROOTCERT in orion:app.environment to those of orion:databaseUrl"
    );
  if (ofParameters) return "leave the parameters out: PGSSLMODE and PGSSLROOTCERT say how the server is verified";
  if (/postgres\b/.test(error) && /plugin|dialect/.test(error)) return "the scheme is postgresql, not postgres";
  return driverAdvice(installed);
}
