/** The live files of a Sentinel: configuration, users, certificate and scripts. Pure. */
import { tlsFiles } from "./redis-config.ts";
import type { TlsText } from "./redis-files.ts";
import type { Address } from "../published-address.ts";
import type { RedisGroup } from "./redis-group.ts";
import { firstMasters, groupSettings, sentinelBase, type SentinelLogin, sentinelUsers } from "./sentinel-config.ts";
import { sentinelScripts } from "./sentinel-scripts.ts";
import { aclText } from "./users.ts";

/** What the files with secrets are made of. */
export interface SentinelSecrets {
  readonly groups: readonly RedisGroup[];
  readonly passwords: Readonly<Record<SentinelLogin, string>>;
  /** Password of the user `sentinel` of each group's servers, by the group's name. */
  readonly roles: Readonly<Record<string, string>>;
  readonly tls: TlsText;
}

/** The files without secrets: text by file name. @param own where others reach the Sentinel */
export const sentinelSettingFiles = (
  groups: readonly RedisGroup[],
  own: Address,
): Readonly<Record<string, string>> => ({
  ...sentinelScripts(groups),
  "base.conf": sentinelBase(own),
  "first.conf": firstMasters(groups),
});

/** The files with secrets: how each is made, by its name. */
export const sentinelSecretFiles: Readonly<Record<string, (secrets: SentinelSecrets) => string>> = {
  "groups.conf": ({ groups, passwords, roles }) => groupSettings(groups, passwords.peer, roles),
  "users.acl": ({ passwords }) => aclText(sentinelUsers(passwords)),
  // Read by scripts, since every user of the server can see arguments.
  "admin-password": ({ passwords }) => passwords.admin,
  "monitor-password": ({ passwords }) => passwords.monitor,
  "server-password": ({ passwords }) => passwords.server,
  [tlsFiles.certificate]: ({ tls }) => tls.certificate,
  [tlsFiles.key]: ({ tls }) => tls.privateKey,
  [tlsFiles.authority]: ({ tls }) => tls.authority,
};
