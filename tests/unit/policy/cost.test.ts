/** The monthly cost of a graph, by hand. */
import { cents, costOf } from "../../../policy/cost.ts";
import { types } from "../../../policy/stateful.ts";

const resource = (type: string, name: string, inputs: Readonly<Record<string, unknown>> = {}) => ({
  ...{ type, name, inputs, options: {} },
});
const costs = (...resources: readonly ReturnType<typeof resource>[]) => costOf({ resources, uses: new Map() });

test("servers, Volumes, load balancers and addresses are added up", () => {
  const { items, monthly, unpriced } = costs(
    resource(types.server, "core-1", { serverType: "cx33" }),
    resource(types.server, "app-1", { serverType: "cx23" }),
    resource(types.volume, "core-1-volume", { size: 20 }),
    resource(types.volume, "db-2-volume", { size: "100" }),
    resource(types.loadBalancer, "balancer-nbg1", { loadBalancerType: "lb11" }),
    resource(types.primaryIp, "core-1-ip"),
    resource(types.container, "app"),
  );
  expect(items.map(({ what, count, monthly: each }) => [what, count, cents(each)])).toEqual([
    ["servers", 2, 13.98],
    ["Volumes", 2, 6.86],
    ["load balancers", 1, 7.49],
    ["addresses", 1, 0.5],
  ]);
  expect(cents(monthly)).toBe(28.83);
  expect(unpriced).toEqual([]);
});

test("nothing costs nothing", () => {
  expect(costs()).toMatchObject({ monthly: 0, unpriced: [] });
});

test.each([["cx99"], ["CX23"], ["constructor"], [undefined], ["[unknown]"]])(
  "a server of the type %s is counted, named and not priced",
  (serverType) => {
    const { items, monthly, unpriced } = costs(
      resource(types.server, "strange", { serverType }),
      resource(types.server, "core-1", { serverType: "cx23" }),
    );
    expect([items[0]?.count, cents(monthly), unpriced]).toEqual([2, 5.49, ["strange"]]);
  },
);
