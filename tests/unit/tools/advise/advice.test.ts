import { builtPhases } from "../../../../config/presets.ts";
import { priceList } from "../../../../config/prices.ts";
import { adviceFor, type Needs } from "../../../../tools/advise/advice.ts";
import { help, needsFrom } from "../../../../tools/advise/answers.ts";
import { phasePrice } from "../../../../tools/advise/prices.ts";
import { reportOfAdvice } from "../../../../tools/advise/report.ts";
import { capacities, operators, scenarios, serverPhases } from "../../../../tools/advise/rules.ts";

const small: Needs = { visitors: 50, orders: 3, gb: 5, budget: null, operator: "developer", demands: [] };
const adviceOn = (needs: Partial<Needs>) => adviceFor({ ...small, ...needs });
/** The largest built phase up to another one. */
const builtUpTo = (phase: (typeof serverPhases)[number]) =>
  serverPhases.filter((one, rank) => rank <= serverPhases.indexOf(phase) && builtPhases.includes(one)).at(-1);

test.each([
  [{}, "mvp"],
  [{ visitors: 999 }, "mvp"],
  [{ visitors: 1000 }, "scale"],
  [{ visitors: 5000 }, "enterprise"],
  [{ visitors: 10_000 }, "ha"],
  [{ orders: 121 }, "scale"],
  [{ orders: 481 }, "enterprise"],
  [{ gb: 61 }, "scale"],
  [{ visitors: 1000, orders: 500 }, "enterprise"],
  [{ demands: ["availability"] }, "ha"],
] as const)("%j: servers, in phase %s", (needs, phase) => {
  expect(adviceOn(needs)).toMatchObject({ option: "servers", phase, today: builtUpTo(phase) });
});

test.each([
  [{ operator: "nobody" }, "managed"],
  [{ operator: "nobody", demands: ["database-access"] }, "servers"],
  [{ operator: "on-call", demands: ["compliance"] }, "kubernetes"],
  [{ demands: ["availability", "compliance"] }, "kubernetes"],
] as const)("%j: %s", (needs, option) => {
  const advice = adviceOn(needs);
  expect(advice.option).toBe(option);
  // Who is told to go elsewhere is told why, what that does not do, and where to go on.
  expect([advice.notCovered.length, advice.next.length].every((count) => count > 0)).toBe(true);
});

test("what is not built yet is said, with what it will cost and what can be had now", () => {
  const unbuilt = serverPhases.find((phase) => !builtPhases.includes(phase));
  if (unbuilt === undefined) return;
  const visitors = Math.min(capacities.find(({ phase }) => phase === unbuilt)?.visitors ?? 0, 20_000);
  const advice = adviceOn({ visitors });
  expect(advice.warnings.join()).toContain(`phase ${unbuilt} is planned and not built yet`);
  expect([advice.cost.phase, advice.later?.phase]).toEqual([builtUpTo(unbuilt), unbuilt]);
});

test("the price is the plan's, with a Volume of twice the data, and the date of the list", () => {
  const { cost } = adviceOn({ gb: 40 });
  expect(cost).toMatchObject({ phase: "mvp", servers: 1, volumeGb: 80, date: priceList.date });
  expect(cost.monthly).toBeCloseTo(priceList.server.cpx32 + 80 * priceList.volumeGb + priceList.primaryIpv4, 2);
  expect(adviceOn({ gb: 1 }).cost.volumeGb).toBe(20);
});

test("for a budget that is too small: what fits into it, or the cheapest way", () => {
  const { cost, cheaper } = adviceOn({ visitors: 2000, budget: 60 });
  expect(cost.monthly).toBeGreaterThan(60);
  expect(cheaper.length).toBeGreaterThan(0);
  expect(cheaper.every(({ monthly, fits, givesUp }) => fits && monthly <= 60 && givesUp.length > 0)).toBe(true);
  const nothing = adviceOn({ visitors: 2000, budget: 5 }).cheaper;
  expect(nothing).toEqual([expect.objectContaining({ fits: false, monthly: phasePrice("mvp", 5, true).cost.monthly })]);
  expect(adviceOn({ budget: 500 }).cheaper).toEqual([]);
});

test("a phase that wants somebody else to operate it, and data that no backup holds, are warnings", () => {
  expect(adviceOn({ visitors: 20_000 }).warnings.join()).toContain("OPERATOR=on-call");
  expect(adviceOn({ gb: 161 }).warnings.join()).toContain("160 GB");
  expect(adviceOn({ gb: 6000 }).warnings.join()).toContain("no phase has room for 6000 GB");
});

test("the tables are whole: the last row of each is for everybody, and sizes grow with the phases", () => {
  expect(scenarios.at(-1)).not.toHaveProperty("operator");
  expect(scenarios.at(-1)).not.toHaveProperty("demand");
  expect(capacities.map(({ phase }) => phase)).toEqual(serverPhases);
  for (const figure of ["visitors", "orders", "gb"] as const) {
    const figures = capacities.map((one) => one[figure]);
    expect(figures).toEqual([...figures].sort((one, other) => one - other));
  }
});

test("the report says phase, reasons, price with its date, what is not covered and the next command", () => {
  const report = reportOfAdvice(adviceOn({ visitors: 1500, budget: 60 }));
  for (const part of [
    "phase scale",
    "mvp up to 999",
    "above the budget of € 60",
    priceList.date,
    "Not covered",
    "make plan STACK=prod PHASE=scale",
  ]) {
    expect(report).toContain(part);
  }
});

const given = { visitors: "1500", orders: "30", gb: "20.5", budget: "none", operator: "team" };
const needs = { visitors: 1500, orders: 30, gb: 20.5, budget: null, operator: "team", demands: [] };

test("what is given is read; nothing is asked for then", async () => {
  const ask = () => Promise.reject(new Error("asked"));
  expect(await needsFrom(given, undefined)).toEqual(needs);
  expect(await needsFrom(given, ask)).toEqual(needs);
  expect((await needsFrom({ ...given, demands: "availability, compliance" }, undefined)).demands).toEqual([
    "availability",
    "compliance",
  ]);
});

test("without a terminal everything that is missing or wrong is named at once, with what is allowed", async () => {
  const refusal = needsFrom({ visitors: "many", operator: "me", demands: "speed" }, undefined);
  await expect(refusal).rejects.toThrow(
    /^There is no terminal to ask on, and these are missing: ORDERS, GB, BUDGET\nVISITORS: got 'many', allowed: a number.*\nOPERATOR: got 'me', allowed: nobody, developer, team, on-call\nDEMANDS: got 'speed'.*\nExample: make advise/,
  );
});

test("on a terminal it asks for what is missing, and again after a text that is not allowed", async () => {
  const typed = ["lots", "1500", "30", "team", ""];
  const questions: string[] = [];
  const ask = (question: string) => {
    questions.push(question.split("\n")[0] ?? "");
    return Promise.resolve(typed.shift() ?? "");
  };
  const write = jest.spyOn(process.stdout, "write").mockReturnValue(true);
  expect(await needsFrom({ gb: "20.5", budget: "none" }, ask)).toEqual(needs);
  expect(write).toHaveBeenCalledWith("  Got 'lots', allowed: a number from 0, such as 1500\n");
  write.mockRestore();
  expect(questions.map((question) => question.slice(0, 8))).toEqual([
    "How many",
    "How many",
    "How many",
    "Who oper",
    "What els",
  ]);
});

test("the help explains every variable and every operator", () => {
  for (const name of ["VISITORS", "ORDERS", "GB", "BUDGET", "OPERATOR", "DEMANDS", ...Object.keys(operators)]) {
    expect(help).toContain(name);
  }
});
