/** The live files of a Redis: configuration, users, certificate and scripts. Pure. */
import { configCommand, redisConfig, type RedisSettings, replicationFile, tlsFiles } from "./redis-config.ts";
import { redisScripts } from "./redis-scripts.ts";
import { aclText, redisUsers, type UsersArgs, withFormerClients } from "./users.ts";

/** A certificate, its key and its authority's certificate, in PEM. */
export interface TlsText {
  readonly certificate: string;
  readonly privateKey: string;
  readonly authority: string;
}

/** What the files with secrets are made of. */
export interface RedisSecrets extends UsersArgs {
  /** The one password of the version without users. */
  readonly formerPassword: string;
  /** @default - clients speak no TLS */
  readonly tls?: TlsText | undefined;
  /** Password of the Sentinels' user `server`. @default - there are no Sentinels */
  readonly serverPassword?: string | undefined;
}

/** The files without secrets: text by file name. */
export const settingFiles = (settings: Omit<RedisSettings, "formerClients">): Readonly<Record<string, string>> => ({
  ...redisScripts(settings.member),
  ...Object.fromEntries(
    [false, true].flatMap((formerClients) => {
      const name = formerClients ? "former" : "redis";
      const own = { ...settings, formerClients };
      return [
        [`${name}.conf`, redisConfig(own)],
        [`${name}.apply`, configCommand(own)],
      ];
    }),
  ),
});

/** The files with secrets: how each is made, by its name. */
export const secretFiles: Readonly<Record<string, (secrets: RedisSecrets) => string>> = {
  "users.acl": (secrets) => aclText(redisUsers(secrets)),
  "former.acl": (secrets) => aclText(withFormerClients(redisUsers(secrets), secrets.formerPassword)),
  // Read by scripts, since every user of the server can see arguments.
  "admin-password": ({ passwords }) => passwords.admin,
  "monitor-password": ({ passwords }) => passwords.monitor,
};

/** Those of a server that belongs to a group. */
export const groupFiles: typeof secretFiles = {
  [replicationFile]: ({ roles }) => `masteruser replica\nmasterauth ${roles?.replica ?? ""}\n`,
  "server-password": ({ serverPassword }) => serverPassword ?? "",
};

export const certificateFiles: typeof secretFiles = {
  [tlsFiles.certificate]: ({ tls }) => tls?.certificate ?? "",
  [tlsFiles.key]: ({ tls }) => tls?.privateKey ?? "",
  [tlsFiles.authority]: ({ tls }) => tls?.authority ?? "",
};
