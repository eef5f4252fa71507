/** The load balancer of a stack from a version that numbered it, and of one of today. */
import { changesBetween } from "../../../../policy/changes.ts";
import { fromText, sharedGraph, toText } from "../../support/graphs.ts";
import { stackOf } from "../../policy/support.ts";

test.each([
  ["numbered", (text: string) => text],
  [
    "numbered, of the time of other types",
    (text: string) =>
      text
        .replaceAll("orion:ingress:HetznerBalancer", "orion:edge:HetznerBalancer")
        .replaceAll("orion:index:HttpsReady balancer-1-ready", "orion:index:Answers balancer-1-answers")
        .replaceAll(
          '"orion:index:HttpsReady","name":"balancer-1-ready"',
          '"orion:index:Answers","name":"balancer-1-answers"',
        )
        .replaceAll("orion:index:DrainDelay", "orion:index:Pause"),
  ],
])("%s: it is taken over, and gets its name at Hetzner changed", async (_, older) => {
  const graph = await sharedGraph(stackOf("scale"), "known");
  const former = older(toText(graph).replaceAll("balancer-nbg1", "balancer-1"));
  const changes = changesBetween(fromText(former), graph);
  expect(changes).toMatchObject([{ action: "update", inputs: ["name"], resource: { name: "balancer-nbg1-balancer" } }]);
});
