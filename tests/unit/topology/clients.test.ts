/** The addresses of a service's clients, as its own access rules name them. */
import fc from "fast-check";
import { cidrsOf, clientsOf } from "../../../topology/clients.ts";
import { servicesOf } from "../../../topology/topology.ts";
import { stackOf } from "../policy/support.ts";

test("a role's addresses are the fewest blocks", () => {
  expect(cidrsOf("10.20.1.101-10.20.1.130")).toEqual([
    ...["10.20.1.101/32", "10.20.1.102/31", "10.20.1.104/29", "10.20.1.112/28", "10.20.1.128/31", "10.20.1.130/32"],
  ]);
  expect(cidrsOf("10.20.1.11-10.20.1.11")).toEqual(["10.20.1.11/32"]);
});

test("the blocks of any range have its addresses and no others, in order", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 0, max: 400 }), (start, length) => {
      const first = 10 * 2 ** 24 + start;
      const text = (number: number) => [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join(".");
      let next = first;
      for (const block of cidrsOf(`${text(first)}-${text(first + length)}`)) {
        const [address, bits] = block.split("/");
        expect(address).toBe(text(next));
        next += 2 ** (32 - Number(bits));
      }
      expect(next).toBe(first + length + 1);
    }),
  );
});

const at = (phase: "development" | "mvp" | "scale", kinds: Parameters<typeof clientsOf>[2]) => {
  const { topology } = stackOf(phase);
  const [database] = servicesOf(topology, "database");
  if (!database) throw new Error("no database");
  return clientsOf(topology, database, kinds);
};

test("what does not move is let in from where the plan has it", () => {
  expect(at("mvp", ["release"])).toEqual({ beside: true, ranges: [] });
  expect(at("mvp", ["replica"])).toEqual({ beside: false, ranges: [] });
  expect(at("scale", ["release"])).toEqual({ beside: true, ranges: [] });
  expect(at("scale", ["replica"])).toMatchObject({
    beside: false,
    ranges: expect.arrayContaining(["10.20.1.21/32"]) as unknown,
  });
});

test("apps and workers are let in from both sides of a move, so that no move refuses those that still serve", () => {
  expect(at("mvp", ["app", "worker"])).toEqual(at("scale", ["app", "worker"]));
  const { beside, ranges } = at("mvp", ["app"]);
  expect([beside, ranges.slice(0, 2)]).toEqual([true, ["10.20.1.101/32", "10.20.1.102/31"]]);
  expect(at("development", ["app"])).toEqual({ beside: true, ranges: [] });
});
