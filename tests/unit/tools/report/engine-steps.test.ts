/** The steps of an update, from the engine's log of events. */
import { engineLogOf } from "../../../../tools/report/engine-steps.ts";

const urn = (type: string, name: string) => `urn:pulumi:prod::orion::orion:index:Platform$${type}::${name}`;
const container = "docker:index/container:Container";

interface Given {
  readonly op: string;
  readonly type?: string;
  readonly name: string;
  readonly provider?: string;
  readonly custom?: boolean;
}

const metadata = ({ op, type = container, name, provider = "", custom = true }: Given) => ({
  ...{ op, urn: urn(type, name), type, provider },
  // The engine leaves `custom` out where it is false, and says nothing of a side that does not exist.
  [op.startsWith("delete") ? "old" : "new"]: { type, ...(custom && { custom }) },
});
const begins = (timestamp: number, given: Given) => ({ timestamp, resourcePreEvent: { metadata: metadata(given) } });
const ends = (timestamp: number, given: Given) => ({ timestamp, resOutputsEvent: { metadata: metadata(given) } });
const fails = (timestamp: number, given: Given) => ({ timestamp, resOpFailedEvent: { metadata: metadata(given) } });
const log = (...events: unknown[]) => events.map((event) => `${JSON.stringify(event)}\n`).join("");
const servers = ["core-1", "app-fsn1-1", "app-fsn1-10"];

test("a step is what the engine did to a resource, from its start to its end", () => {
  const beat = {
    op: "create",
    name: "workers-beat",
    provider: `${urn("pulumi:providers:docker", "core-1-docker")}::id`,
  };
  const gone = { op: "delete", type: "hcloud:index/server:Server", name: "app-fsn1-10-server" };
  const { steps } = engineLogOf(log(begins(10, beat), begins(11, gone), ends(15, gone), ends(18, beat)), servers);
  expect(steps).toEqual([
    { action: "create", resource: "Container workers-beat", place: "core-1", from: 10_000, to: 18_000, failed: false },
    {
      action: "delete",
      resource: "Server app-fsn1-10-server",
      place: "app-fsn1-10",
      from: 11_000,
      to: 15_000,
      failed: false,
    },
  ]);
});

test("both halves of a replacement are one, with two steps", () => {
  const halves = ["create-replacement", "delete-replaced"].map((op) => ({ op, name: "app-fsn1-1-1" }));
  const events = halves.flatMap((half, index) => [begins(index * 10, half), ends(index * 10 + 3, half)]);
  // The engine also says that the whole is replaced, which is no step of its own.
  const whole = { op: "replace", name: "app-fsn1-1-1" };
  const { steps } = engineLogOf(log(...events, begins(20, whole), ends(20, whole)), servers);
  expect(steps.map(({ action, from, to }) => [action, from, to])).toEqual([
    ["replace", 0, 3000],
    ["replace", 10_000, 13_000],
  ]);
});

test("components and providers are no steps, and what stays the same is counted", () => {
  const component = { op: "create", type: "orion:app:AppTier", name: "app-fsn1-1", custom: false };
  const provider = { op: "create", type: "pulumi:providers:docker", name: "core-1-docker" };
  const same = { op: "same", name: "database-server" };
  const events = [component, provider, same].flatMap((one) => [begins(1, one), ends(2, one)]);
  expect(engineLogOf(log(...events), servers)).toEqual({ steps: [], unchanged: 1 });
});

test("a step that fails, and one that a killed engine left open, have failed", () => {
  const [one, other] = [
    { op: "update", name: "app-fsn1-1-1" },
    { op: "create", type: "cloudflare:index/dnsRecord:DnsRecord", name: "hostname-record" },
  ];
  const text = `${log(begins(1, one), begins(2, other), fails(4, one), { timestamp: 9 })}{"timestamp":1`;
  expect(engineLogOf(text, servers).steps).toEqual([
    { action: "update", resource: "Container app-fsn1-1-1", place: "app-fsn1-1", from: 1000, to: 4000, failed: true },
    {
      action: "create",
      resource: "DnsRecord hostname-record",
      place: "Cloudflare",
      from: 2000,
      to: 9000,
      failed: true,
    },
  ]);
});

test("a line in the middle that is not JSON is named", () => {
  expect(() => engineLogOf('{"timestamp":1}\nnonsense\n{"timestamp":2}\n', servers)).toThrow("Line 2");
});
