/** Runs a part of the program under Pulumi's mocks and records the resources that it would register with the engine. */
import * as pulumi from "@pulumi/pulumi";
import * as debuggableModule from "@pulumi/pulumi/runtime/debuggable.js";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";
import * as runtimeState from "@pulumi/pulumi/runtime/state.js";
import { signatureKey, unknownValue } from "../common/secrets.ts";
import { type Graph, keyOf, type Recorded, unknown, type Uses } from "./graph.ts";
import { firstType } from "./server-types.ts";
import { types } from "./stateful.ts";
import { shortUrn } from "./urn.ts";

export { type Recorded } from "./graph.ts";

export interface Composed<T> extends Graph {
  readonly result: T;
  readonly resources: Recorded[];
}

/** Which outputs are known. `preview`: results of invokes; `up`: provider outputs too, from the mocks; `compare`: neither. */
export type Mode = "preview" | "up" | "compare";

/** Records the resources that `make` creates. */
export async function compose<T>(mode: Mode, make: () => T): Promise<Composed<T>> {
  const resources: Recorded[] = [];
  const uses = new Map<string, Uses>();
  await pulumi.runtime.setMocks(mocksFor(mode), "orion", "test", mode !== "up");
  record(mode, resources, uses);
  const result = await finished(make);
  return { result, resources: resources.sort(byTypeAndName), uses };
}

/**
 * Runs `work`, which composes, within a program that the engine runs: the mocks are of a store of their own, as the SDK keeps
 * one for each program of its Automation API. No registration of the outer program may be under way, because the SDK closes
 * its connections to the engine at the end and opens new ones when they are needed.
 */
export function apart<T>(work: () => Promise<T>): Promise<T> {
  const { withLocalStorage } = runtimeState as { withLocalStorage?: (work: () => Promise<T>) => Promise<T> };
  if (!withLocalStorage) throw new Error("the runtime of @pulumi/pulumi has no stores of their own any more");
  return withLocalStorage(work);
}

/** Mocks of the program's invokes. Registrations get their answer from `record`. */
export const mocksFor = (mode: Mode): pulumi.runtime.Mocks => ({
  newResource: ({ type, name }) => {
    throw new Error(`${type} ${name} is read and not registered; add a mock to policy/compose.ts, or do not read it`);
  },
  call: ({ token, inputs }) =>
    mode === "compare" ? { id: unknownValue, results: unknownValue } : lookUp(token, plainState(inputs)),
});

/** Results of the program's invokes; they do not depend on its resources, so they are known in a preview, too. */
function lookUp(token: string, inputs: Record<string, unknown>): Record<string, unknown> {
  switch (token) {
    case "cloudflare:index/getZone:getZone": {
      const { name } = inputs["filter"] as { name: string };
      // A zone of the largest plan, so that every `orion:cloudflare.plan` is accepted.
      return { ...inputs, id: mockZoneId(name), name, plan: { legacyId: "enterprise" } };
    }
    case "cloudflare:index/getAccountApiTokenPermissionGroupsList:getAccountApiTokenPermissionGroupsList": {
      const names = ["Workers R2 Storage Bucket Item Read", "Workers R2 Storage Bucket Item Write"];
      return { ...inputs, results: names.map((name) => ({ id: `id of ${name}`, name, scopes: [inputs["scope"]] })) };
    }
    default:
      throw new Error(`no mock for the invoke ${token}; add one to policy/compose.ts, or do not call it`);
  }
}

/** The id of a zone of that name. */
export const mockZoneId = (name: string): string => `zone-of-${name}`;

/**
 * Makes the mock monitor record every registration and answer it with the inputs. Its own answer would translate them four more
 * times between JavaScript and the engine's protocol, which takes a third of the time of a whole stack.
 */
function record(mode: Mode, into: Recorded[], uses: Map<string, Uses>): void {
  const monitor: unknown = pulumi.runtime.getMonitor();
  if (!(monitor instanceof MockMonitor)) throw new Error("the mocks of @pulumi/pulumi have no MockMonitor any more");
  monitor.registerResource = (request: RegisterRequest, answer: Answer<RegisterResponse>) => {
    const inputs = request.getObject()?.toJavaScript() ?? {};
    const resource = readRequest(request, inputs);
    into.push(resource);
    if (request.getCustom()) uses.set(keyOf(resource), readUses(request));
    const { type, name } = resource;
    const outputs = {
      ...inputs,
      ...(mode === "up" && mockOutputs(name)),
      ...(type === types.serverType && { type: firstType(inputs) }),
    };
    answer(null, {
      getUrn: () => urnOf(request.getParent(), type, name),
      getId: () => (request.getCustom() ? mockId(name) : ""),
      getObject: () => ({ toJavaScript: () => outputs }),
      getPropertydependenciesMap: () => undefined,
      getResult: () => succeeded,
      getUnknown: () => false,
    });
    return Promise.resolve();
  };
  monitor.registerResourceOutputs = (_: unknown, answer: Answer<object>) => {
    answer(null, {});
  };
}

type Answer<Response> = (error: null, response: Response) => void;

/** As the engine makes one, but with no more than the type of the nearest parent in it. */
const urnOf = (parent: string, type: string, name: string): string =>
  `urn:pulumi:test::orion::${parent === "" ? "" : `${parent.split("::")[2]?.split("$").pop() ?? ""}$`}${type}::${name}`;

/** The result of `make`, once everything is registered. Waits also after an error, so as not to disturb the next run. */
async function finished<T>(make: () => T): Promise<T> {
  const restore = [
    replaced(Error, "stackTraceLimit", noStackTraces),
    replaced(debuggable, "debuggablePromise", { configurable: true, value: (promise: unknown) => promise }),
  ];
  try {
    return make();
  } finally {
    await pulumi.runtime.disconnect();
    for (const one of restore) one();
  }
}

/** Replaces a property. @returns what puts it back */
function replaced(object: object, key: string, by: PropertyDescriptor): () => void {
  const whole = Object.getOwnPropertyDescriptor(object, key);
  Object.defineProperty(object, key, by);
  return () => {
    if (whole) Object.defineProperty(object, key, whole);
  };
}

/**
 * Pulumi takes a stack trace for each promise and, at a limit of its own, a whole one for each resource: without this they
 * are a fifth of the time. V8 takes none where the limit is an accessor instead of a value; the setter ignores the SDK's own limit.
 */
const noStackTraces: PropertyDescriptor = { configurable: true, get: () => 0, set: () => undefined };

/**
 * The module whose function makes two further promises of each, and reports at the end of the program which have not resolved:
 * a quarter of the time, and nothing is left pending under mocks. Node.js has the exports as `default`, jest as they are.
 */
const debuggable = (debuggableModule as { readonly default?: object }).default ?? debuggableModule;

/** Outputs of providers in addition to the inputs; ids that are numbers at the real provider are numbers here. */
function mockOutputs(name: string): Record<string, unknown> {
  return {
    imageId: `sha256:${name}`,
    result: `generated-${name}`,
    ipAddress: mockAddress(name),
    ipv4: mockAddress(name),
    linuxDevice: `/dev/disk/by-id/${name}`,
    value: `generated-${name}`,
    // The bytes of a key.
    hex: "07".repeat(32),
    certificate: `certificate-${name}`,
    privateKeyPem: `key-${name}`,
    privateKeyOpenssh: `key-${name}`,
    publicKeyOpenssh: `ssh-ed25519 AAAA${name}\n`,
    ...(name.endsWith("-ready") && { hostKey: `ssh-ed25519 AAAA${name}` }),
    certPem: `certificate-${name}`,
    certRequestPem: `request-${name}`,
  };
}

/** Another number for each name: two servers with the same address would make what goes from one to the other look as if it stayed. */
const numberOf = (name: string): number =>
  Array.from(name).reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 100_000, 7);
const mockId = (name: string): string => String(numberOf(name));
/** Of 198.18.0.0/15, which nobody has (RFC 2544). */
export function mockAddress(name: string): string {
  const number = numberOf(name);
  return `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}
const plainState = (inputs: unknown): Record<string, unknown> => ({ ...(inputs as Record<string, unknown>) });
const byTypeAndName = (a: Recorded, b: Recorded): number => `${a.type} ${a.name}`.localeCompare(`${b.type} ${b.name}`);

/** The part of the engine's RegisterResourceRequest that is recorded. */
interface RegisterRequest {
  getCustom(): boolean;
  getPropertydependenciesMap(): { forEach(each: (urns: { getUrnsList(): string[] }, property: string) => void): void };
  getAliasurnsList(): string[];
  getAliasesList(): { getUrn(): string; getSpec(): { getName(): string; getType(): string } | undefined }[];
  getType(): string;
  getName(): string;
  getParent(): string;
  getProvider(): string;
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getDeletebeforereplace(): boolean;
  getDeletebeforereplacedefined(): boolean;
  getDeletedwith(): string;
  getIgnorechangesList(): string[];
  getReplaceonchangesList(): string[];
  getDependenciesList(): string[];
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
}

/** The part of the engine's RegisterResourceResponse that the SDK reads. */
interface RegisterResponse {
  getUrn(): string;
  getId(): string;
  getObject(): { toJavaScript(): Record<string, unknown> };
  getPropertydependenciesMap(): undefined;
  getResult(): number;
  getUnknown(): boolean;
}

/** `Result.SUCCESS` of the engine's protocol. */
const succeeded = 0;

function readRequest(request: RegisterRequest, inputs: Record<string, unknown>): Recorded {
  const list = (values: string[]) => (values.length > 0 ? values : undefined);
  const options = {
    parent: shortUrn(request.getParent()),
    protect: request.getProtect() || undefined,
    retainOnDelete: request.getRetainondelete() || undefined,
    deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
    deletedWith: shortUrn(request.getDeletedwith()),
    ignoreChanges: list(request.getIgnorechangesList()),
    replaceOnChanges: list(request.getReplaceonchangesList()),
    dependencies: list(
      request
        .getDependenciesList()
        .flatMap((urn) => shortUrn(urn) ?? [])
        .sort(),
    ),
    provider: shortUrn(request.getProvider()),
    aliases: list(readAliases(request)),
  };
  return {
    type: request.getType(),
    name: request.getName(),
    inputs: readable(inputs) as Record<string, unknown>,
    options: Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  };
}

function readUses(request: RegisterRequest): Uses {
  const uses: Record<string, string[]> = {};
  request.getPropertydependenciesMap().forEach((urns, property) => {
    uses[property] = urns.getUrnsList().flatMap((urn) => shortUrn(urn) ?? []);
  });
  return uses;
}

/**
 * Former names, and former `type name` of this project's types; an alias without a name means that the resource had other
 * parents. Former types of other packages are left out: their SDKs add them to each resource.
 */
const readAliases = (request: RegisterRequest): string[] => [
  ...request.getAliasurnsList().map((urn) => urn.split("::").pop() ?? ""),
  ...request.getAliasesList().flatMap((alias) => {
    const type = alias.getSpec()?.getType() ?? "";
    const name = alias.getUrn().split("::").pop() || alias.getSpec()?.getName() || request.getName();
    if (type === "") return [name];
    return type.startsWith("orion:") ? [`${type} ${name}`] : [];
  }),
];

/** Secrets and unknown values in a form that a reader of a golden file understands. */
function readable(value: unknown): unknown {
  if (value === unknownValue) return unknown;
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  if (signatureKey in value) return { "[secret]": readable((value as Record<string, unknown>)["value"]) };
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, readable(inner)]));
}
