/** Lists, reads and writes the state's files in a folder or an S3 bucket, for locks and `make state-move`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { unescapeXml } from "../common/xml.ts";
import { type Key, sign } from "../common/s3-signature.ts";
import { UserError } from "../common/user-error.ts";

export interface StateStore {
  /** Names of the files below a folder, whole from the store's root, sorted. */
  readonly list: (folder: string) => Promise<string[]>;
  /** @returns undefined when there is no such file */
  readonly read: (name: string) => Promise<Buffer | undefined>;
  readonly write: (name: string, contents: Buffer) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
}

/** Where the engine has the files of a stack, in every store. */
export const foldersOf = (stack: string) => ({
  /** `<stack>.json`, or `.json.gz`, its copy, its tags; other stacks' as well. */
  stacks: ".pulumi/stacks/orion/",
  history: `.pulumi/history/orion/${stack}/`,
  backups: `.pulumi/backups/orion/${stack}/`,
  locks: `.pulumi/locks/organization/orion/${stack}/`,
  /** Not the engine's: what a move has left behind, and who updates. */
  moved: `.pulumi/orion-moved/${stack}/`,
  owner: `.pulumi/orion-owner/${stack}.json`,
});

/**
 * @returns undefined for a backend that is neither a folder nor a bucket
 * @throws {UserError} when a bucket's credentials are missing
 */
export function storeAt(url: string, env: NodeJS.ProcessEnv = process.env): StateStore | undefined {
  if (url.startsWith("file:///")) return folderStore(fileURLToPath(new URL(url)));
  return url.startsWith("s3://") ? bucketStore(new URL(url), env) : undefined;
}

function folderStore(root: string): StateStore {
  return {
    list: (folder) => {
      const path = join(root, folder);
      const found = existsSync(path) ? readdirSync(path, { recursive: true, withFileTypes: true }) : [];
      const names = found
        // Attributes of other files, which nothing reads.
        .filter((one) => one.isFile() && !one.name.endsWith(".attrs"))
        .map((one) => join(one.parentPath, one.name).slice(root.length + 1));
      return Promise.resolve(names.sort());
    },
    read: (name) => Promise.resolve(existsSync(join(root, name)) ? readFileSync(join(root, name)) : undefined),
    write: (name, contents) => {
      const path = join(root, name);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(`${path}.new`, contents, { mode: 0o600 });
      renameSync(`${path}.new`, path);
      return Promise.resolve();
    },
    remove: (name) => {
      rmSync(join(root, name), { force: true });
      return Promise.resolve();
    },
  };
}

/** The few calls of S3 that are needed; addresses as the engine's own library reads them from the URL's parameters. */
function bucketStore(url: URL, env: NodeJS.ProcessEnv): StateStore {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: session } = env;
  if (!id || !secret)
    throw new UserError(
      `The state is in the bucket '${url.hostname}': set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key for it.`,
    );
  const key: Key = { id, secret, session: session || undefined };
  const region = url.searchParams.get("region") ?? (env["AWS_REGION"] || "us-east-1");
  const endpoint = url.searchParams.get("endpoint") ?? `https://s3.${region}.amazonaws.com`;
  // A bucket may have the states below a folder.
  const prefix = url.pathname.replace(/^\/|\/$/g, "");
  const whole = (name: string): string => (prefix === "" ? name : `${prefix}/${name}`);
  const call = async (method: string, path: string, body: Buffer = Buffer.alloc(0)): Promise<Response> => {
    const base = endpoint.includes("://") ? endpoint : `https://${endpoint}`;
    const signed = sign(method, new URL(`${base.replace(/\/$/, "")}/${path}`), body, key, region, new Date());
    const answer = await fetch(signed.url, {
      ...{ method, headers: signed.headers, signal: AbortSignal.timeout(60_000) },
      ...(method === "PUT" && { body: new Uint8Array(body) }),
    });
    if (answer.ok || answer.status === 404) return answer;
    throw new UserError(
      `The bucket '${url.hostname}' answered ${answer.status} to ${method}: ${(await answer.text()).slice(0, 300)}`,
    );
  };
  const pathOf = (name: string): string =>
    [url.hostname, ...whole(name).split("/")].map((part) => encodeURIComponent(part)).join("/");
  return {
    list: async (folder) => {
      const names: string[] = [];
      for (let token: string | undefined = ""; token !== undefined;) {
        const query = new URLSearchParams({ "list-type": "2", prefix: whole(folder) });
        if (token !== "") query.set("continuation-token", token);
        const answer = await call("GET", `${url.hostname}?${query.toString().replaceAll("+", "%20")}`);
        const text = await answer.text();
        if (answer.status === 404) throw new UserError(`There is no bucket '${url.hostname}' at ${endpoint}.`);
        names.push(...[...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, name = ""]) => unescapeXml(name)));
        const next = /<NextContinuationToken>([^<]*)</.exec(text)?.[1];
        token = next === undefined || next === "" ? undefined : unescapeXml(next);
      }
      return names.map((name) => name.slice(whole("").length)).sort();
    },
    read: async (name) => {
      const answer = await call("GET", pathOf(name));
      return answer.status === 404 ? undefined : Buffer.from(await answer.arrayBuffer());
    },
    write: async (name, contents) => {
      const answer = await call("PUT", pathOf(name), contents);
      if (answer.status === 404) throw new UserError(`There is no bucket '${url.hostname}' at ${endpoint}.`);
    },
    remove: async (name) => {
      await call("DELETE", pathOf(name));
    },
  };
}
