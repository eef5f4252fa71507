/** Sets up a lab's PostgreSQL as the program does: live files, roles, replication slots. */
import { run } from "../common/process.ts";
import { hbaText } from "../components/database/hba.ts";
import { fileNames, filesDirectory, reloadFiles } from "../components/database/postgres-tls.ts";
import { createSlotScript } from "../components/database/replication.ts";
import { passwordVariables, rolesScript } from "../components/database/roles.ts";
import { dockerBy } from "../plugin/docker.ts";
import { writeLiveFiles } from "../plugin/live-files.ts";
import { runSqlScript } from "../plugin/sql-script.ts";
import { signed } from "./certificate.ts";

/** This machine's Docker Engine, on which labs run. */
export const dockerHost = "unix:///var/run/docker.sock";
export const docker = dockerBy(run);
/** Name of the authority that signs a lab's certificates (certificate.ts). */
export const labAuthority = "lab";
export const labDatabase = "orion_db";

/** The password of each of the database's roles, by its variable. */
export const databasePasswords: Readonly<Record<string, string>> = Object.fromEntries(
  passwordVariables.map((name) => [name, `${name}-password`]),
);

/** The live files of a server. @param folder with the authority @param hosts the host names in its certificate */
export function postgresFiles(folder: string, name: string, hosts: readonly string[] = [name]): Record<string, string> {
  const tls = signed(folder, name, hosts.map((host) => `DNS:${host}`).join(","), labAuthority);
  return {
    [fileNames.hba]: hbaText(labDatabase, () => ({ beside: true, ranges: [] })),
    ...{ [fileNames.certificate]: tls.certificate, [fileNames.key]: tls.privateKey },
    [fileNames.authority]: tls.authority,
  };
}

/** Writes a server's live files as an update does. */
export const writePostgresFiles = (
  image: string,
  container: string,
  volume: string,
  files: Readonly<Record<string, string>>,
): Promise<void> =>
  writeLiveFiles(
    {
      ...{ dockerHost, volume, directory: filesDirectory, image, container, files: { ...files } },
      ...{ check: ["test", "-s", `{}/${fileNames.hba}`], reload: ["sh", "-c", reloadFiles] },
    },
    docker,
  );

const runSql = async (
  container: string,
  script: string,
  variables: Readonly<Record<string, string>>,
): Promise<void> => {
  await runSqlScript({ ...{ dockerHost, container, timeoutSeconds: 60 }, script, variables: { ...variables } }, docker);
};

/** Runs the program's script for roles. @param passwords in place of the usual ones */
export const giveRoles = (
  container: string,
  rotation = 0,
  passwords: Readonly<Record<string, string>> = {},
): Promise<void> =>
  runSql(container, rolesScript({ database: labDatabase, extensions: [], rotation }), {
    ...databasePasswords,
    ...passwords,
  });

/** Makes a replica's slot at its primary. */
export const admitReplica = (primary: string, slot: string): Promise<void> =>
  runSql(primary, createSlotScript, { slot });
