/** Signs requests for an S3 server (AWS signature version 4). */
import { createHash, createHmac } from "node:crypto";

export interface Signed {
  readonly method: string;
  readonly url: URL;
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Key {
  readonly id: string;
  readonly secret: string;
  /** Of credentials that end by themselves. @default - none */
  readonly session?: string | undefined;
}

const sha256 = (text: string | Buffer): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** Adds the headers that authenticate a request. */
export function sign(method: string, url: URL, body: string | Buffer, key: Key, region: string, now: Date): Signed {
  const time = now.toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = [time.slice(0, 8), region, "s3", "aws4_request"];
  const headers = {
    ...{ host: url.host, "x-amz-content-sha256": sha256(body), "x-amz-date": time },
    ...(key.session !== undefined && { "x-amz-security-token": key.session }),
  };
  const names = Object.keys(headers).join(";");
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const query = [...url.searchParams].map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
  const request = [
    method,
    url.pathname,
    query.sort().join("&"),
    lines.join(""),
    names,
    headers["x-amz-content-sha256"],
  ];
  const text = ["AWS4-HMAC-SHA256", time, scope.join("/"), sha256(request.join("\n"))].join("\n");
  const signing = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${key.secret}`);
  const signature = hmac(signing, text).toString("hex");
  const authorization = `AWS4-HMAC-SHA256 Credential=${key.id}/${scope.join("/")}, SignedHeaders=${names}, Signature=${signature}`;
  return { method, url, body, headers: { ...headers, authorization } };
}
