import { parseScenarios, scenarioNames, scenarioUsage } from "../../../../rehearsal/cloud/scenarios.ts";

test("each scenario can be played as its usage has it, and with defaults where it has no other parameters", () => {
  for (const name of scenarioNames) {
    const [, words = ""] = new RegExp(`^  ${name} (.*)$`, "m").exec(scenarioUsage) ?? [];
    for (const text of [words.replaceAll(/[[\]]/g, ""), words.replaceAll(/ ?\[.*?\]/g, "")]) {
      const [played] = parseScenarios(`${name} ${text}`.trim());
      expect(played?.faults.length).toBeGreaterThan(0);
      expect(played?.faults.every(({ scenario }) => scenario === played.text)).toBe(true);
    }
  }
});

test("several are separated by commas", () => {
  expect(parseScenarios("sold-out location=hel1 type=cx23, new-account servers=3")).toMatchObject([
    { name: "sold-out", faults: [{ kind: "sold_out", locations: ["hel1"], serverType: "cx23" }] },
    { name: "new-account", faults: [{ kind: "limit", resource: "server", most: 3 }] },
  ]);
});

test.each([
  ["sold out", /^There is no scenario 'sold'; the scenarios and their parameters:\n {2}sold-out location=hel1/],
  ["sold-out", /^Scenario sold-out: [^]*location[^]*expected as in\n {2}sold-out location=hel1/],
  ["sold-out place=hel1", /place/],
  ["slow-boots 90", /^Scenario slow-boots: got '90', expected as in\n/],
  ["flaky-api rate=2", /rate/],
  ["toString", /^There is no scenario 'toString'/],
])("'%s' is refused", (text, message) => {
  expect(() => parseScenarios(text)).toThrow(message);
});
