/** Lock rules of R2 buckets: which requests of S3 clients they refuse. */
import { isRecord } from "../../../common/record.ts";
import type { Json } from "../../json.ts";
import { isText, records } from "../body.ts";
import type { World } from "../world.ts";
import type { ObjectStorage } from "./storage.ts";
import { deletedKeys, escaped } from "./xml.ts";

/** What a request would delete or overwrite. */
export interface Change {
  readonly bucket: string;
  readonly keys: readonly string[];
  /** DeleteObjects: one request for many objects, with an answer for each. */
  readonly isBatch: boolean;
}

/**
 * What an S3 request (path style) would delete or overwrite; undefined when it changes no object.
 *
 * @param body of a DeleteObjects request; other bodies are not looked at
 */
export function changeOf(method: string, path: string, query: string, body = ""): Change | undefined {
  const [, bucket = "", ...rest] = path.split("/").map(decodeURIComponent);
  const key = rest.join("/");
  const parameters = new URLSearchParams(query);
  if (key === "") {
    if (method !== "POST" || !parameters.has("delete")) return undefined;
    return { bucket, keys: deletedKeys(body), isBatch: true };
  }
  const isUpload = parameters.has("uploadId");
  // A part changes no object; the request that completes the upload does. Aborting an upload is a DELETE with its id.
  const changes = method === "POST" ? isUpload : (method === "PUT" || method === "DELETE") && !isUpload;
  return changes ? { bucket, keys: [key], isBatch: false } : undefined;
}

/** Whether lock rules protect an object of that age. @param uploaded when it was written; undefined: there is none */
export function isLocked(rules: readonly Json[], key: string, uploaded: Date | undefined, now: Date): boolean {
  if (uploaded === undefined) return false;
  return rules.some(({ enabled, prefix, condition }) => {
    if (enabled !== true || !key.startsWith(isText(prefix) ? prefix : "") || !isRecord(condition)) return false;
    switch (condition["type"]) {
      case "Indefinite":
        return true;
      case "Date":
        return now < new Date(String(condition["date"]));
      default:
        return now.getTime() < uploaded.getTime() + Number(condition["maxAgeSeconds"]) * 1000;
    }
  });
}

const code = "ObjectLockedByBucketPolicy";
const message = "The object is locked by the bucket policy.";
const xml = '<?xml version="1.0" encoding="UTF-8"?>';

/** The answer to a request that would change a locked object, as R2 gives it. */
const lockedAnswer = { status: 409, body: `${xml}<Error><Code>${code}</Code><Message>${message}</Message></Error>` };

/** The answer to DeleteObjects when all of them are locked. */
const lockedBatchAnswer = (keys: readonly string[]): { readonly status: number; readonly body: string } => ({
  status: 200,
  body: `${xml}<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${keys
    .map((key) => `<Error><Key>${escaped(key)}</Key><Code>${code}</Code><Message>${message}</Message></Error>`)
    .join("")}</DeleteResult>`,
});

/** What the lock rules of the world's buckets answer to an S3 request; undefined: the request may pass. */
export async function lockRefusal(
  world: World,
  storage: Pick<ObjectStorage, "uploaded">,
  change: Change,
): Promise<{ readonly status: number; readonly body: string } | undefined> {
  const rules = world.store
    .list("cloudflare.bucket")
    .filter(({ name }) => name === change.bucket)
    .flatMap(({ lock }) => records(lock?.["rules"]));
  if (rules.length === 0) return undefined;
  const locked: string[] = [];
  for (const key of change.keys) {
    const uploaded = await storage.uploaded(change.bucket, key);
    // The storage has the clock of this machine, by which an object is as old as by the cloud's: see S3Server.age.
    const written = uploaded && new Date(world.date().getTime() - (Date.now() - uploaded.getTime()));
    if (isLocked(rules, key, written, world.date())) locked.push(key);
  }
  if (locked.length === 0) return undefined;
  if (!change.isBatch) return lockedAnswer;
  if (locked.length === change.keys.length) return lockedBatchAnswer(locked);
  // The request is signed as a whole, so that no part of it can be passed on.
  return { status: 501, body: "A DeleteObjects request with locked and other objects is not emulated.\n" };
}
