/** Resources that an older version of the plugin stored: taken over, and never deleted or run by it. */
import { OrionProvider } from "../../../plugin/provider.ts";
import { testClock, type TestClock } from "../../../testing/clock.ts";
import { type Command, runBy } from "../support/process.ts";

let commands: Command[];
let clock: TestClock;
let provider: OrionProvider;
beforeEach(() => {
  commands = [];
  clock = testClock();
  const run = runBy((command) => {
    commands.push(command);
    return {};
  });
  provider = new OrionProvider(run, clock);
});

const urnOf = (type: string): string => `urn:pulumi:prod::orion::orion:index:Platform$${type}::one`;
const delays = { afterChangeSeconds: 30, atRemovalSeconds: 10 };
const stored = {
  Farewell: { host: "ssh://root@192.0.2.7", sshOptions: [], stack: "prod" },
  Answers: {
    ...{ address: "192.0.2.1", port: 443, hostname: "orion.example.com", path: "/edge-health" },
    ...{ behind: ["app-1"], inARow: 3, timeoutSeconds: 60 },
  },
};
const renamed = { Farewell: "ServerDrain", Answers: "HttpsReady" } as const;

test.each(["Farewell", "Answers"] as const)("a stored %s is the same resource under its new type", async (former) => {
  const urn = urnOf(`orion:index:${renamed[former]}`);
  const inputs = { ...stored[former] };
  // What the engine does with a resource that an alias matches: check, then diff, with the new URN and the stored values.
  expect((await provider.check(urn, inputs, inputs)).failures).toEqual([]);
  expect(await provider.diff("id", urn, inputs, inputs)).toEqual({ changes: false, replaces: [] });
  expect(commands).toEqual([]);
});

describe("a stored Pause", () => {
  const urn = urnOf("orion:index:DrainDelay");
  const old = (way: string) => ({ way, ...delays });
  const today = (route: string) => ({ route, ...delays });

  test("is updated in place, without a delay while its route is the same", async () => {
    expect((await provider.check(urn, old("a"), today("a"))).failures).toEqual([]);
    expect(await provider.diff("id", urn, old("a"), today("a"))).toEqual({ changes: true, replaces: [] });
    expect(await provider.update("id", urn, old("a"), today("a"))).toEqual({ outs: today("a") });
    expect(clock.slept).toEqual([]);
  });

  test("still waits when its route changes in the same update", async () => {
    await provider.update("id", urn, old("a"), today("b"));
    expect(clock.slept).toEqual([30_000]);
  });

  test("is deleted under its old type with its delay", async () => {
    await provider.delete("id", urnOf("orion:index:Pause"), old("a"));
    expect(clock.slept).toEqual([10_000]);
  });
});

test("a Farewell that is deleted under its old type drains its server, as it did", async () => {
  await provider.delete("id", urnOf("orion:index:Farewell"), stored.Farewell);
  expect(commands).toHaveLength(1);
  expect(commands[0]?.input).toMatch(/docker stop/);
});

test("a type that never was is refused", async () => {
  await expect(provider.delete("id", urnOf("orion:index:Nothing"), {})).rejects.toThrow("has no resource type");
});
