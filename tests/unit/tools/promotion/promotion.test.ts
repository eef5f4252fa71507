import type { Phase } from "../../../../config/schema.ts";
import type { Graph } from "../../../../policy/graph.ts";
import { types } from "../../../../policy/stateful.ts";
import { Refusal } from "../../../../common/hetzner.ts";
import { fence } from "../../../../tools/promotion/fence.ts";
import { promotionOf } from "../../../../tools/promotion/promotion.ts";
import { describeStack } from "../../../../tools/stack-file.ts";
import { testClock } from "../../../../testing/clock.ts";
import { leastValues } from "../../support/settings.ts";

const file = (database: object, phase: Phase = "scale") => {
  const values: [string, unknown][] = Object.entries({ ...leastValues(phase), database });
  return describeStack("prod", { config: Object.fromEntries(values.map(([key, value]) => [`orion:${key}`, value])) });
};

/** A state with these servers; that of the primary with its role. */
const state = (core: string | undefined, ...others: string[]): Graph => {
  const server = (role: string) => (name: string) => ({
    ...{ type: types.server, name: `${name}-server`, inputs: { labels: { role } }, options: {} },
  });
  const resources = [...(core === undefined ? [] : [core].map(server("core"))), ...others.map(server("db"))];
  return { resources, uses: new Map() };
};

describe("what is promoted", () => {
  const first = {
    lost: "core-1",
    lostService: "database",
    lostAddress: "10.20.1.11",
    server: "db-2",
    service: "replica-1",
  };

  test.each([
    ["at the beginning", file({}), state("core-1", "db-2"), { ...first, forgotten: false }],
    ["with the file changed", file({ primary: "db-2" }), state("core-1", "db-2"), { ...first, forgotten: false }],
    ["with the state changed", file({ primary: "db-2" }), state(undefined, "db-2"), { ...first, forgotten: true }],
    [
      "with the role given, and no new replica",
      file({ primary: "db-2" }),
      state("db-2"),
      { ...first, forgotten: true },
    ],
    [
      "when the one that was promoted is lost",
      file({ primary: "db-2" }),
      state("db-2", "db-3"),
      {
        lost: "db-2",
        lostService: "replica-1",
        lostAddress: "10.20.1.22",
        server: "db-3",
        service: "replica-2",
        forgotten: false,
      },
    ],
  ])("%s", (_when, stack, graph, expected) => {
    expect(promotionOf(stack, graph)).toEqual(expected);
  });

  test.each([
    [file({}, "mvp"), state("core-1"), /orion:database.availability is single.*docs\/backups\.md/],
    [file({ availability: "single" }), state("core-1"), /orion:database.availability is single/],
    [file({}), state("core-1"), /no server db-2, which would have the replica of core-1/],
    [file({ primary: "db-2", availability: "single" }), state("db-2"), /no server db-3/],
    [file({}), state(undefined), /no server with a primary. Bring it up first: make up STACK=prod/],
    [file({ primary: "db-4" }), state("core-1", "db-2"), /primary is db-4, but .* is on core-1. Expected: core-1/],
  ])("is refused where there is nothing to promote (%#)", (stack, graph, message) => {
    expect(() => promotionOf(stack, graph)).toThrow(message);
  });
});

describe("the lost server is powered off", () => {
  const labels = { app: "orion", stack: "prod" };
  /** Hetzner's answers, one after the other, the last one for ever. */
  const run = async (
    ...answers: (Error | { status: string; labels?: Record<string, string> })[]
  ): Promise<{ said: string[]; acted: string[] }> => {
    const [said, acted]: string[][] = [[], []];
    const next = () => (answers.length > 1 ? answers.shift() : answers[0]);
    const hetzner = {
      server: () => {
        const one = next();
        if (one instanceof Error) return Promise.reject(one);
        return Promise.resolve(
          one && {
            ...{ id: 7, labels, type: "cpx22", diskGb: 80, architecture: "x86", address: undefined },
            ...one,
          },
        );
      },
      act: (id: number, command: string) => Promise.resolve(void acted?.push(`${command} ${id}`)),
    };
    await fence("orion-prod-core-1", "prod", hetzner, (line) => said?.push(line), testClock());
    return { said: said ?? [], acted: acted ?? [] };
  };

  test("once, and waited for", async () => {
    expect(await run({ status: "running" }, { status: "stopping" }, { status: "off" })).toEqual({
      said: ["orion-prod-core-1 is off at Hetzner."],
      acted: ["poweroff 7"],
    });
  });

  test("also by an API that does not answer every time", async () => {
    const silence = new Error("fetch failed");
    expect(await run(silence, { status: "running" }, silence, { status: "off" })).toMatchObject({
      acted: ["poweroff 7"],
    });
    await expect(run(new Refusal("unauthorized", "who are you?"))).rejects.toThrow(
      /who are you\?. Nothing was promoted/,
    );
    await expect(run(silence)).rejects.toThrow(
      /is not known whether orion-prod-core-1 is off at Hetzner: fetch failed. Nothing was promoted/,
    );
  });

  test("unless it is off, or gone", async () => {
    expect(await run({ status: "off" })).toEqual({ said: ["orion-prod-core-1 is off at Hetzner already."], acted: [] });
    expect(await run()).toEqual({ said: ["orion-prod-core-1 does not exist at Hetzner any more."], acted: [] });
  });

  test("or nothing is promoted: one that stays on, one that is another stack's", async () => {
    await expect(run({ status: "running" })).rejects.toThrow(/it is 'running' there. Nothing was promoted/);
    await expect(run({ status: "running", labels: { app: "orion", stack: "other" } })).rejects.toThrow(
      /not this stack's/,
    );
  });
});
