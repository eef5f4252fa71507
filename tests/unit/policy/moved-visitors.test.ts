/** Visitors of a stack without Cloudflare, whose DNS records people keep, when load balancers come or go. */
import { moveBetween } from "../../../policy/dangers.ts";
import { graphOf } from "../../../policy/state.ts";
import { sharedGraph } from "../support/graphs.ts";
import { graphsBetween, stackOf, stateOf } from "./support.ts";

const bare = {
  cloudflare: { enabled: false, accountId: "0".repeat(32) },
  ...{ edge: { tls: "self-signed" }, domains: { "www.example.com": "serve" } },
};
const [mvp, scale] = [stackOf("mvp", bare), stackOf("scale", bare)];

test("another way in is refused until the stack agrees, with the records to change and when", async () => {
  const { before, after } = await graphsBetween(mvp, scale);
  const { findings } = moveBetween(before, after);
  const [moved, ...others] = findings.filter(({ severity }) => severity === "refused");
  expect(others).toEqual([]);
  expect(moved?.name).toBe("edge.balancing.regional");
  expect(moved?.happens).toContain("DNS records of orion.example.com, www.example.com");
  expect(moved?.instead).toMatch(/list edge\.balancing\.regional in orion:agreed.*all targets .* are healthy/);
  const agreed = moveBetween(before, after, { agreed: ["edge.balancing.regional"] }).findings;
  expect(agreed.filter(({ severity }) => severity !== "danger")).toEqual([]);
  const ofState = moveBetween(graphOf(await stateOf(mvp)), await sharedGraph(scale, "known")).findings;
  expect(ofState.filter(({ severity }) => severity === "refused")).toEqual([moved]);
});

test("so is the way back, to the server's address", async () => {
  const { before, after } = await graphsBetween(scale, mvp);
  const moved = moveBetween(before, after).findings.find(({ name }) => name === "edge.balancing.direct");
  expect(moved?.severity).toBe("refused");
  expect(moved?.instead).toContain("as soon as the edge on the server answers");
});

test("with Cloudflare the program changes the records itself", async () => {
  const { before, after } = await graphsBetween(stackOf("mvp"), stackOf("scale"));
  expect(moveBetween(before, after).findings.filter(({ name }) => name.startsWith("edge."))).toEqual([]);
});
