/**
 * R2's S3 interface: refuses what R2 does not implement, what a key may not do, and what a lock protects, and passes the rest
 * unchanged to an S3 server, because requests are signed. That server checks the signatures; here, a key's id can only forbid.
 */
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { records } from "../body.ts";
import { sendRequest, toOriginError } from "../edge/forward.ts";
import { bucketAccess } from "../permissions.ts";
import { addBucket, bucketsNamed, isBucketName, removeBucket } from "../r2.ts";
import { mayComeFrom } from "../token-conditions.ts";
import type { World } from "../world.ts";
import { changeOf, lockRefusal } from "./bucket-lock.ts";
import { accessKeys } from "./keys.ts";
import {
  deletionRefusal,
  headerNotImplemented,
  isPlain,
  keyMessage,
  operationOf,
  type S3Operation,
  type S3Request,
} from "./r2-operations.ts";
import { type Jurisdiction, objectsHostOf } from "./r2-hosts.ts";
import type { ObjectStorage } from "./storage.ts";
import { areEqual, partsOf } from "./upload-parts.ts";
import { escaped, urlEncoded } from "./xml.ts";

export interface R2EndpointOptions {
  readonly world: World;
  /** The S3 server behind it. */
  readonly storage: Pick<ObjectStorage, "uploaded" | "parts" | "setKeys"> & {
    /** @param region for which a request is signed */
    hostFor(region: string): string;
    readonly port: number;
  };
  /** Port on 127.0.0.1; 0: any free one. */
  readonly port: number;
  /** Called when a call was answered. */
  readonly onCall?: (call: R2Call) => void;
}

/** A call that was answered. */
export interface R2Call {
  readonly method: string;
  /** With the bucket first, without parameters. */
  readonly path: string;
  /** As S3 calls it; undefined: R2 does not implement it. */
  readonly operation: string | undefined;
  readonly status: number;
  readonly milliseconds: number;
  /** Code and message of an error that R2 has, and not the storage; null otherwise. */
  readonly problem: string | null;
  /** Empty when the client sent none. */
  readonly agent: string;
}

interface R2Request extends S3Request {
  readonly jurisdiction: Jurisdiction;
}

interface Answer {
  readonly status: number;
  /** XML. */
  readonly body: string;
  /** Code and message of an error. */
  readonly problem?: string;
}

/** The errors of answers, for who records calls. */
const problems = new WeakMap<ServerResponse, string>();

/** Operations of the account and its buckets, for which a key of single buckets is not enough. */
const administration = ["ListBuckets", "CreateBucket", "DeleteBucket"];
/** Operations with a body that has to be read before it is passed on. */
const read = ["DeleteObjects", "CompleteMultipartUpload"];

/** Operations that the storage, whose objects are files, refuses where R2 does not: when an object has the name of a folder. */
const inTheWay = ["PutObject", "CreateMultipartUpload", "CompleteMultipartUpload"];
const isFolder = /<Code>(ObjectParentIsFile|DirectoryObjectContainsData|ExistingObjectIsDirectory)</;
const folderMessage = "An object whose key is the beginning of another one's up to a slash is not emulated";

const connectTimeout = 5_000;
const formerSignature = "SigV2 authorization is not supported. Please use SigV4 instead.";

export class R2Endpoint {
  readonly #options: R2EndpointOptions;
  readonly #server: Server;
  /** Connections to the S3 server, which are kept: opening one takes as long as a small request. */
  readonly #agent = new Agent({ keepAlive: true });

  constructor(options: R2EndpointOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.serve(request, response));
    // Uploads may take longer than the server's default.
    this.#server.requestTimeout = 0;
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === "object" ? address.port : this.#options.port;
  }

  /** @throws {Error} when the port is in use */
  async start(): Promise<void> {
    await new Promise<void>((done, fail) => {
      this.#server.once("error", fail);
      this.#server.listen(this.port, "127.0.0.1", () => {
        done();
      });
    });
  }

  async stop(): Promise<void> {
    await new Promise<void>((done) => {
      this.#server.close(() => {
        done();
      });
      this.#server.closeAllConnections();
    });
    this.#agent.destroy();
  }

  /** Answers a request, also for the edge, which has the names of R2. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now();
    const s3 = requestOf(request, this.#options.world.accountId);
    const operation = operationOf(s3);
    response.once("finish", () =>
      this.#options.onCall?.({
        method: s3.method,
        path: s3.path,
        operation: "message" in operation ? undefined : operation.name,
        status: response.statusCode,
        milliseconds: performance.now() - began,
        problem: problems.get(response) ?? null,
        agent: request.headers["user-agent"] ?? "",
      }),
    );
    try {
      if (isSignedBefore(s3)) answer(request, response, failure(401, "Unauthorized", formerSignature));
      else if ("message" in operation) answer(request, response, failure(501, "NotImplemented", operation.message));
      else await this.#perform(s3, operation, request, response);
    } catch (error) {
      const { message } = toOriginError(error);
      if (response.headersSent) response.destroy();
      else answer(request, response, failure(500, "InternalError", message));
    }
  }

  async #perform(
    s3: R2Request,
    operation: S3Operation,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const early = this.#refusal(s3, operation, request.socket.remoteAddress ?? "");
    if (early !== undefined) {
      answer(request, response, early);
      return;
    }
    const body = read.includes(operation.name) ? await bodyOf(request) : undefined;
    const refusal = await this.#refusalOfChange(s3, operation, body?.toString());
    if (refusal !== undefined) {
      answer(request, response, refusal);
      return;
    }
    const { storage } = this.#options;
    const passed = await sendRequest(
      {
        origin: { address: storage.hostFor(credentialOf(s3)[2] ?? ""), host: request.headers.host, port: storage.port },
        method: s3.method,
        url: request.url ?? "/",
        headers: request.headers,
        hostname: request.headers.host ?? "",
        scheme: "http",
        trusted: undefined,
        client: undefined,
        localAddress: "127.0.0.1",
        connectTimeout,
        // The S3 server may answer before it has read the end of chunks, and would take that for the next request.
        ...(request.headers["transfer-encoding"] === undefined && { agent: this.#agent }),
      },
      body ?? request,
    );
    const status = passed.statusCode ?? 502;
    if (operation.name === "ListBuckets" && status === 200) {
      answer(request, response, { status, body: this.#only(s3.jurisdiction, (await bodyOf(passed)).toString()) });
      return;
    }
    if (status === 200 && operation.query.has("encoding-type")) {
      answer(request, response, { status, body: urlEncoded((await bodyOf(passed)).toString()) });
      return;
    }
    if (status === 409 && inTheWay.includes(operation.name)) {
      const body = (await bodyOf(passed)).toString();
      answer(request, response, isFolder.test(body) ? failure(501, "NotImplemented", folderMessage) : { status, body });
      return;
    }
    if (operation.name === "CreateBucket" && status === 409) {
      passed.resume();
      answer(
        request,
        response,
        failure(409, "BucketAlreadyOwnedByYou", "The bucket you tried to create already exists."),
      );
      return;
    }
    if (status < 300) await this.#followUp(s3, operation);
    response.writeHead(status, passed.headers);
    passed.once("error", () => response.destroy());
    passed.pipe(response);
  }

  /** What can be refused before the body is read. */
  #refusal(s3: R2Request, operation: S3Operation, address: string): Answer | undefined {
    const missing = headerNotImplemented(s3, operation);
    if (missing !== undefined) return failure(501, "NotImplemented", missing.message);
    if (operation.name === "CreateBucket" && !isBucketName(operation.bucket))
      return failure(400, "InvalidBucketName", "The specified bucket name is not valid.");
    const encoding = operation.query.get("encoding-type");
    if (encoding !== null && encoding !== "url")
      return failure(400, "InvalidArgument", "Invalid Encoding Method specified in Request");
    return this.#refusalOfKey(s3, operation, address) ?? this.#refusalOfJurisdiction(s3, operation);
  }

  /** A bucket is seen through the endpoint of its jurisdiction only; the storage has one bucket of a name. */
  #refusalOfJurisdiction({ headers, jurisdiction }: R2Request, { name, bucket }: S3Operation): Answer | undefined {
    const isElsewhere = (wanted: string): boolean => {
      const found = bucketsNamed(this.#options.world, wanted);
      return found.length > 0 && found.every((one) => one.jurisdiction !== jurisdiction);
    };
    const { "x-amz-copy-source": source } = headers;
    const [from = ""] = (typeof source === "string" ? source : "").replace(/^\//, "").split("/");
    if (!isElsewhere(bucket) && !isElsewhere(from)) return undefined;
    return name === "CreateBucket"
      ? failure(
          501,
          "NotImplemented",
          `A bucket with the name of one in another jurisdiction, ${bucket}, is not emulated`,
        )
      : failure(404, "NoSuchBucket", "The specified bucket does not exist.");
  }

  /** A list of buckets without those of other jurisdictions. */
  #only(jurisdiction: Jurisdiction, list: string): string {
    const others = new Set(
      this.#options.world.store
        .list("cloudflare.bucket")
        .flatMap((one) => (one.jurisdiction === jurisdiction ? [] : [one.name])),
    );
    return list.replace(/<Bucket>.*?<\/Bucket>/gs, (bucket) =>
      others.has(/<Name>([^<]*)</.exec(bucket)?.[1] ?? "") ? "" : bucket,
    );
  }

  /** A key is a token of the account: what it may do is in its policies, and ends with it. */
  #refusalOfKey(s3: S3Request, { name, bucket }: S3Operation, address: string): Answer | undefined {
    const { world } = this.#options;
    const token = world.store.get("cloudflare.token", credentialOf(s3)[0] ?? "");
    if (token === undefined) return undefined;
    if (!world.isActive(token.value) || !mayComeFrom(token.value, address))
      return failure(401, "Unauthorized", "Unauthorized");
    const access = bucketAccess(records(token.value["policies"]));
    const isAdmin = access.some((one) => one.bucket === "*");
    const isRead = s3.method === "GET" || s3.method === "HEAD";
    const own = [
      "*",
      ...bucketsNamed(world, bucket).map((one) => `${world.accountId}_${one.jurisdiction}_${one.name}`),
    ];
    const mayWrite = access.some((one) => one.write && own.includes(one.bucket));
    const isAllowed = administration.includes(name) ? isAdmin && (isRead || mayWrite) : isRead || mayWrite;
    return isAllowed ? undefined : failure(403, "AccessDenied", "Access Denied");
  }

  async #refusalOfChange(
    { method, path, query }: S3Request,
    operation: S3Operation,
    body = "",
  ): Promise<Answer | undefined> {
    const { world, storage } = this.#options;
    const refused = operation.name === "DeleteObjects" ? deletionRefusal(body) : undefined;
    if (refused !== undefined)
      return failure(refused.code === "NotImplemented" ? 501 : 400, refused.code, refused.message);
    const change = changeOf(method, path, query, body);
    const other = change?.keys.find((key) => !isPlain(operation.bucket, key));
    if (other !== undefined) return failure(501, "NotImplemented", keyMessage(other));
    const locked = change && (await lockRefusal(world, storage, change));
    if (locked !== undefined || operation.name !== "CompleteMultipartUpload") return locked;
    const sizes = await storage.parts(operation.bucket, operation.key, operation.query.get("uploadId") ?? "");
    return sizes === undefined || areEqual(partsOf(body).map((part) => sizes.get(part)))
      ? undefined
      : failure(400, "InvalidPart", "All non-trailing parts must have the same length.");
  }

  /** Keeps the API and the S3 interface in step about which buckets there are. */
  async #followUp({ jurisdiction }: R2Request, { name, bucket }: S3Operation): Promise<void> {
    const { world, storage } = this.#options;
    if (name === "CreateBucket") addBucket(world, bucket, jurisdiction);
    else if (name === "DeleteBucket") for (const one of bucketsNamed(world, bucket)) removeBucket(world, one);
    else return;
    await storage.setKeys(accessKeys(world));
  }
}

const failure = (status: number, code: string, message: string): Answer => ({
  status,
  problem: `${code}: ${message}`,
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`,
});

function answer(request: IncomingMessage, response: ServerResponse, { status, body, problem }: Answer): void {
  if (problem !== undefined) problems.set(response, problem);
  request.resume();
  response.writeHead(status, { "content-type": "application/xml", "content-length": Buffer.byteLength(body) });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** A request as if its path named the bucket. Under another name than R2's, such as 127.0.0.1, it is for no jurisdiction. */
function requestOf({ method = "GET", url = "/", headers }: IncomingMessage, accountId: string): R2Request {
  const [path = "/", ...query] = url.split("?");
  const { jurisdiction = "default", bucket } = objectsHostOf(headers.host ?? "", accountId) ?? {};
  const whole = bucket === undefined ? path : `/${bucket}${path === "/" ? "" : path}`;
  return { method, path: whole, query: query.join("?"), headers, jurisdiction };
}

/** With what a request says to be signed, in its header or its address: the key's id, the day, the region; empty: nothing. */
function credentialOf({ headers, query }: S3Request): string[] {
  const { authorization } = headers;
  const [, credential] = /Credential=([^,]+)/.exec(typeof authorization === "string" ? authorization : "") ?? [];
  const parameters = [...new URLSearchParams(query)];
  const [, signed = ""] = parameters.find(([name]) => name.toLowerCase() === "x-amz-credential") ?? [];
  return (credential ?? signed).split("/");
}

/** The former way to sign, which botocore still uses for addresses unless it is told otherwise. */
const isSignedBefore = ({ headers, query }: S3Request): boolean =>
  /^AWS /.test(typeof headers["authorization"] === "string" ? headers["authorization"] : "") ||
  new URLSearchParams(query).has("AWSAccessKeyId");

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
