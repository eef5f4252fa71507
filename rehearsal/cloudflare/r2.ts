/** API routes of R2 buckets: buckets, CORS and lifecycle rules, domains. Objects are served by the object storage. */
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { invalid, isText, pick, records, requireBoolean, requireOneOf, requireText, texts } from "./body.ts";
import { bucketParameters, selectBuckets } from "./bucket-list.ts";
import { ApiError, Listing, notEmulated } from "./envelope.ts";
import { type Jurisdiction, jurisdictions } from "./objects/r2-hosts.ts";
import type { ObjectStorage } from "./objects/storage.ts";
import type { Call, Method, Routes } from "./routes.ts";
import { type Bucket, ownedBy } from "./state.ts";
import type { World } from "./world.ts";

const locations = ["apac", "eeur", "enam", "weur", "wnam", "oc"];
const corsMethods = ["GET", "PUT", "POST", "DELETE", "HEAD"];
const tlsVersions = ["1.0", "1.1", "1.2", "1.3"] as const;
const storageClasses = ["Standard", "InfrequentAccess"] as const;

/** Objects have one class here, which S3 clients see. */
function storageClassOf(sent: Json, key: string): string {
  const value = requireOneOf(sent, key, storageClasses, 10_005);
  if (value !== "Standard") throw notEmulated(`the storage class ${value}`);
  return value;
}
const domains = "cloudflare.bucket-domain";

const jurisdictionOf = ({ headers }: Call): Jurisdiction =>
  requireOneOf({ jurisdiction: headers["cf-r2-jurisdiction"] ?? "default" }, "jurisdiction", jurisdictions, 10_005);
const keyOf = ({ name, jurisdiction }: Pick<Bucket, "name" | "jurisdiction">): string => `${jurisdiction}/${name}`;

const shown = ({ name, jurisdiction, location, storageClass, created }: Bucket): Json => ({
  name,
  creation_date: created,
  location: location.toUpperCase(),
  jurisdiction,
  storage_class: storageClass,
});

/** @param bucketsChanged called after a bucket is created, so that keys for every bucket get access to it */
export function registerR2(
  routes: Routes,
  world: World,
  storage: ObjectStorage,
  bucketsChanged: () => Promise<void>,
): void {
  const { store } = world;
  const save = (bucket: Bucket): void => {
    store.put("cloudflare.bucket", keyOf(bucket), bucket);
  };
  const find = (call: Call): Bucket => {
    const found = store.get(
      "cloudflare.bucket",
      keyOf({ name: call.params["bucket"] ?? "", jurisdiction: jurisdictionOf(call) }),
    );
    if (found === undefined) throw new ApiError(404, 10_006, "The specified bucket does not exist.");
    return found;
  };
  const files = "/accounts/:account/r2/buckets";
  routes.differs([`PUT ${files}/:bucket/cors`, `PUT ${files}/:bucket/lifecycle`], "kept and given back without effect");
  const add: Add = (method, path, handler, query) => {
    routes.account(method, `/r2/buckets${path}`, handler, query);
  };

  const list = (call: Call): Listing => {
    const wanted = jurisdictionOf(call);
    const all = store.list("cloudflare.bucket").filter(({ jurisdiction }) => jurisdiction === wanted);
    const { buckets, info } = selectBuckets(all, call.query);
    return new Listing({ buckets: buckets.map(shown) }, info);
  };
  add("GET", "", list, bucketParameters);
  add("POST", "", async (call) => {
    const bucket = checkBucket(call, world.now());
    if (store.get("cloudflare.bucket", keyOf(bucket)) !== undefined) {
      throw new ApiError(409, 10_004, "The bucket you tried to create already exists, and you own it.");
    }
    // The storage has one bucket of a name, in which the objects of both would be.
    if (bucketsNamed(world, bucket.name).length > 0)
      throw notEmulated(`a bucket with the name of one in another jurisdiction, ${bucket.name},`);
    await storage.createBucket(bucket.name);
    save(bucket);
    await bucketsChanged();
    return shown(bucket);
  });
  add("GET", "/:bucket", (call) => shown(find(call)));
  add("PATCH", "/:bucket", (call) => {
    if (world.has("r2.no-patch")) throw new ApiError(405, 7001, "Method PATCH not available for that URI.");
    const storageClass = storageClassOf({ storage_class: call.headers["cf-r2-storage-class"] }, "storage_class");
    const bucket = { ...find(call), storageClass };
    save(bucket);
    return shown(bucket);
  });
  add("DELETE", "/:bucket", async (call) => {
    const bucket = find(call);
    if (!(await storage.deleteBucket(bucket.name))) {
      throw new ApiError(409, 10_008, "The bucket you tried to delete is not empty.");
    }
    removeBucket(world, bucket);
    return {};
  });
  registerRules(add, find, save);
  registerDomains(add, find, save, world);
}

/** The buckets of that name, of every jurisdiction. */
export const bucketsNamed = ({ store }: World, name: string): Bucket[] =>
  store.list("cloudflare.bucket").filter((bucket) => bucket.name === name);

/** Adds a bucket that was created through the S3 interface, which knows its name and jurisdiction only. */
export function addBucket(world: World, name: string, jurisdiction: Jurisdiction): void {
  const bucket = { ...initialBucket, name, jurisdiction, created: world.now() };
  world.store.put("cloudflare.bucket", keyOf(bucket), bucket);
}

/** Removes a bucket, whose objects are gone, and its domains. */
export function removeBucket({ store }: World, bucket: Bucket): void {
  store.delete("cloudflare.bucket", keyOf(bucket));
  for (const domain of ownedBy(store, domains, keyOf(bucket))) store.delete(domains, String(domain["domain"]));
}

export const isBucketName = (name: string): boolean => /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name);

const initialBucket = {
  jurisdiction: "default",
  location: "weur",
  storageClass: "Standard",
  publicDomain: false,
  cors: undefined,
  lifecycle: undefined,
} as const;

function checkBucket(call: Call, created: string): Bucket {
  const { body } = call;
  const name = requireText(body, "name", 10_005);
  if (!isBucketName(name)) throw new ApiError(400, 10_005, "The specified bucket name is not valid.");
  const hint = body["locationHint"];
  if (hint !== undefined && !(isText(hint) && locations.includes(hint.toLowerCase()))) {
    throw invalid("locationHint", hint, locations.join(", "), 10_005);
  }
  const storageClass = body["storageClass"] === undefined ? "Standard" : storageClassOf(body, "storageClass");
  const jurisdiction = jurisdictionOf(call);
  const location = isText(hint) ? hint.toLowerCase() : "weur";
  return { ...initialBucket, name, jurisdiction, location, storageClass, created };
}

type Add = (method: Method, path: string, handler: (call: Call) => unknown, query?: readonly string[]) => void;
type Find = (call: Call) => Bucket;
type Save = (bucket: Bucket) => void;

function registerRules(add: Add, find: Find, save: Save): void {
  add("GET", "/:bucket/cors", (call) => {
    const { cors } = find(call);
    if (cors === undefined) throw new ApiError(404, 10_059, "The CORS configuration does not exist.");
    return cors;
  });
  add("PUT", "/:bucket/cors", (call) => {
    const rules = records(call.body["rules"]);
    for (const [index, rule] of rules.entries()) {
      const { allowed } = rule;
      if (!isRecord(allowed) || texts(allowed["methods"]).length === 0 || texts(allowed["origins"]).length === 0) {
        throw new ApiError(400, 10_040, "allowed.methods and allowed.origins are required", `/rules/${index}/allowed`);
      }
      const wrong = texts(allowed["methods"]).find((method) => !corsMethods.includes(method));
      if (wrong !== undefined) throw invalid("rules.allowed.methods", wrong, corsMethods.join(", "), 10_040);
    }
    save({ ...find(call), cors: { rules } });
    return {};
  });
  add("DELETE", "/:bucket/cors", (call) => {
    save({ ...find(call), cors: undefined });
    return {};
  });
  // A new bucket has one rule, which aborts unfinished uploads.
  const initial: Json = {
    rules: [
      {
        id: "Default Multipart Abort Rule",
        enabled: true,
        conditions: { prefix: "" },
        abortMultipartUploadsTransition: { condition: { type: "Age", maxAge: 604_800 } },
      },
    ],
  };
  add("GET", "/:bucket/lifecycle", (call) => find(call).lifecycle ?? initial);
  add("PUT", "/:bucket/lifecycle", (call) => {
    const rules = records(call.body["rules"]);
    for (const rule of rules) {
      requireText(rule, "id", 10_040);
      requireBoolean(rule, "enabled", 10_040);
    }
    save({ ...find(call), lifecycle: { rules } });
    return {};
  });
  add("GET", "/:bucket/lock", (call) => find(call).lock ?? { rules: [] });
  add("PUT", "/:bucket/lock", (call) => {
    const rules = records(call.body["rules"]);
    for (const [index, rule] of rules.entries()) checkLockRule(rule, index);
    save({ ...find(call), lock: { rules } });
    return {};
  });
}

function checkLockRule(rule: Json, index: number): void {
  requireText(rule, "id", 10_040);
  requireBoolean(rule, "enabled", 10_040);
  const { condition } = rule;
  const isValid =
    isRecord(condition) &&
    (condition["type"] === "Indefinite" ||
      (condition["type"] === "Age" && Number(condition["maxAgeSeconds"]) > 0) ||
      (condition["type"] === "Date" && !Number.isNaN(Date.parse(String(condition["date"])))));
  if (isValid) return;
  const expected = "condition: Age with maxAgeSeconds, Date with date, or Indefinite";
  throw new ApiError(400, 10_040, expected, `/rules/${index}/condition`);
}

function checkTls(body: Json): void {
  if (body["minTLS"] !== undefined && body["minTLS"] !== null) requireOneOf(body, "minTLS", tlsVersions, 10_005);
}

function registerDomains(add: Add, find: Find, save: Save, world: World): void {
  const { store } = world;
  const findDomain = (call: Call): Json => {
    const bucket = keyOf(find(call));
    const found = store.get(domains, call.params["domain"] ?? "");
    if (found?.owner !== bucket) throw new ApiError(404, 10_062, "The custom domain does not exist.");
    return found.value;
  };
  const put = (bucket: Bucket, value: Json): void => {
    store.put(domains, String(value["domain"]), { owner: keyOf(bucket), value });
  };

  add("GET", "/:bucket/domains/custom", (call) => ({ domains: ownedBy(store, domains, keyOf(find(call))) }));
  add("POST", "/:bucket/domains/custom", (call) => {
    const bucket = find(call);
    const domain = requireText(call.body, "domain", 10_005).toLowerCase();
    checkTls(call.body);
    const zone = world.zoneOf(domain);
    if (zone === undefined || zone.id !== call.body["zoneId"])
      throw new ApiError(400, 10_058, `${domain} does not belong to the zone ${String(call.body["zoneId"])}`);
    if (store.get(domains, domain) !== undefined)
      throw new ApiError(409, 10_057, "The custom domain is in use already.");
    put(bucket, {
      domain,
      enabled: requireBoolean(call.body, "enabled", 10_005),
      ...pick(call.body, ["minTLS", "ciphers"]),
      zoneId: zone.id,
      zoneName: zone.name,
      status: { ownership: "active", ssl: "active" },
    });
    // The reply contains the requested fields only; a GET returns all.
    return pick(store.get(domains, domain)?.value ?? {}, ["domain", "enabled", "minTLS", "ciphers"]);
  });
  add("GET", "/:bucket/domains/custom/:domain", findDomain);
  add("PUT", "/:bucket/domains/custom/:domain", (call) => {
    checkTls(call.body);
    const value = { ...findDomain(call), ...pick(call.body, ["enabled", "minTLS", "ciphers"]) };
    put(find(call), value);
    return pick(value, ["domain", "enabled", "minTLS", "ciphers"]);
  });
  add("DELETE", "/:bucket/domains/custom/:domain", (call) => {
    const { domain } = findDomain(call);
    store.delete(domains, String(domain));
    return { domain };
  });

  const managed = ({ name, publicDomain }: Bucket): Json => {
    const bucketId = name
      .split("")
      .reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 0xffffffff, 7)
      .toString(16)
      .padStart(32, "0");
    return { bucketId, domain: `pub-${bucketId}.r2.dev`, enabled: publicDomain };
  };
  add("GET", "/:bucket/domains/managed", (call) => managed(find(call)));
  add("PUT", "/:bucket/domains/managed", (call) => {
    const bucket = { ...find(call), publicDomain: requireBoolean(call.body, "enabled", 10_005) };
    save(bucket);
    return managed(bucket);
  });
}
