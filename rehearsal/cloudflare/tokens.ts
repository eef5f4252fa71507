/** API routes of user and account tokens. Tokens with access to R2 are also keys of its S3 interface. */
import { randomBytes } from "node:crypto";
import { isRecord } from "../../common/record.ts";
import type { Json } from "../json.ts";
import { invalid, isText, pick, records, requireOneOf, requireRecords, requireText } from "./body.ts";
import { ApiError, directed, Page } from "./envelope.ts";
import { areas, permissionGroup, permissionGroups, resourceNames } from "./permissions.ts";
import { type Call, type Method, paging, type Routes } from "./routes.ts";
import { checkCondition } from "./token-conditions.ts";
import { digestOf, ownerId, type World } from "./world.ts";

const kind = "cloudflare.token";

type Add = (method: Method, path: string, handler: (call: Call) => unknown, query?: readonly string[]) => void;

/** @param changed called after a token is created, changed or deleted */
export function registerUserTokens(routes: Routes, world: World, changed: () => Promise<void>): void {
  const add: Add = (method, path, handler, query) => {
    routes.user(method, `/user/tokens${path}`, handler, query);
  };
  routes.anybody("GET", "/user/tokens/verify", (call) => verified(world, call));
  registerTokens(add, world, "user", changed);
}

export function registerAccountTokens(routes: Routes, world: World, changed: () => Promise<void>): void {
  const add: Add = (method, path, handler, query) => {
    routes.account(method, `/tokens${path}`, handler, query);
  };
  routes.anybody("GET", "/accounts/:account/tokens/verify", (call) => {
    world.account(call.params["account"] ?? "");
    return verified(world, call);
  });
  registerTokens(add, world, world.accountId, changed);
}

/** What a token is told about itself. */
function verified({ store }: World, { caller }: Call): Json {
  if (caller === "owner") return { id: ownerId, status: "active" };
  const { value = {} } = store.get(kind, caller.id) ?? {};
  return { id: caller.id, status: "active", ...pick(value, ["expires_on", "not_before"]) };
}

function registerTokens(add: Add, world: World, owner: string, changed: () => Promise<void>): void {
  const { store } = world;
  const find = (id = ""): Json => {
    const found = store.get(kind, id);
    if (found?.owner !== owner) throw new ApiError(404, 1001, "Token not found");
    return found.value;
  };

  const groups = ({ query }: Call): Json[] =>
    permissionGroups
      .filter(({ name }) => query["name"] === undefined || name.toLowerCase().includes(query["name"].toLowerCase()))
      .filter(({ scopes }) => query["scope"] === undefined || scopes.includes(query["scope"]))
      .map(({ id, name, scopes }) => ({ id, name, scopes, category: "", is_selectable: true }));
  add("GET", "/permission_groups", groups, ["name", "scope"]);
  const list = ({ query }: Call): Page => {
    const mine = store.list(kind).flatMap((token) => (token.owner === owner ? [token.value] : []));
    return new Page(directed(mine, query), query, { usual: 20, most: 50 });
  };
  add("GET", "", list, [...paging, "direction"]);
  add("POST", "", async ({ body }) => {
    const secret = randomBytes(30).toString("base64url");
    const value = build(world, body, undefined);
    store.put(kind, String(value["id"]), { value, digest: digestOf(secret), owner });
    await changed();
    return { ...value, value: secret };
  });
  add("GET", "/:token", ({ params }) => find(params["token"]));
  add("PUT", "/:token", async ({ params, body }) => {
    const before = find(params["token"]);
    const sent = world.has("token.fixed-groups") ? { ...body, policies: before["policies"] } : body;
    const value = build(world, sent, before);
    const id = String(before["id"]);
    store.put(kind, id, { value, digest: store.get(kind, id)?.digest ?? "", owner });
    await changed();
    return value;
  });
  add("DELETE", "/:token", async ({ params }) => {
    const { id } = find(params["token"]);
    store.delete(kind, String(id));
    await changed();
    return { id };
  });
}

function build(world: World, body: Json, before: Json | undefined): Json {
  const name = requireText(body, "name", 1000);
  const old = records(before?.["policies"]);
  const policies = requireRecords(body, "policies", 1000).map((policy, index) =>
    buildPolicy(world, policy, old[index]),
  );
  if (policies.length === 0) throw new ApiError(400, 1000, "policies: at least one is required", "/policies");
  checkCondition(body["condition"]);
  const { expires_on: expires } = body;
  if (isText(expires) && !(Date.parse(expires) > world.date().getTime()))
    throw invalid("expires_on", expires, "a time that is to come", 1000);
  const status = body["status"] ?? "active";
  if (status === "expired") throw invalid("status", status, "active, disabled", 1000);
  return {
    id: before?.["id"] ?? world.newId(),
    name,
    status,
    issued_on: before?.["issued_on"] ?? world.now(),
    modified_on: world.now(),
    policies,
    ...pick(body, ["condition", "expires_on", "not_before"]),
  };
}

/** Names of what a policy is about: an account, a zone, a user or a bucket. */
const resourcePattern =
  /^com\.cloudflare\.(api\.(account\.(zone\.)?|user\.)(\*|[0-9a-f]{32})|edge\.r2\.bucket\.[0-9a-f]{32}_[a-z-]+_[a-z0-9-]+)$/;

function buildPolicy(world: World, policy: Json, old: Json | undefined): Json {
  const effect = requireOneOf(policy, "effect", ["allow", "deny"], 1000);
  const groups = requireRecords(policy, "permission_groups", 1000).map((sent) => {
    const group = permissionGroup(String(sent["id"]));
    if (group === undefined) {
      const known = Object.keys(areas).join(", ");
      throw new ApiError(
        400,
        1000,
        `permission group ${JSON.stringify(sent["id"])} is unknown or not emulated; emulated areas: ${known}`,
      );
    }
    return { id: group.id, name: group.name };
  });
  const { resources } = policy;
  if (!isRecord(resources) || Object.keys(resources).length === 0)
    throw new ApiError(400, 1000, "resources: at least one is required");
  const unknown = resourceNames(resources).find((name) => !resourcePattern.test(name));
  if (unknown !== undefined) throw invalid("resources", unknown, "names of accounts, zones, users or R2 buckets", 1000);
  return { id: old?.["id"] ?? world.newId(), effect, resources, permission_groups: groups };
}
