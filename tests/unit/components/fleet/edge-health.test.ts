/** Where a load balancer asks a server's edge. */
import { edgeHealthOf } from "../../../../components/fleet/edge-health.ts";
import { stackOf } from "../../policy/support.ts";

test("each server with an edge behind a load balancer is asked at its private address; the others are not", () => {
  const { topology } = stackOf("scale");
  const asked = topology.servers.flatMap((server) => {
    const url = edgeHealthOf(topology, server);
    return url === undefined ? [] : [[server.name, url]];
  });
  expect(asked).toEqual([
    ["app-nbg1-1", "http://10.20.1.111:8081/edge-health"],
    ["app-hel1-1", "http://10.20.1.121:8081/edge-health"],
  ]);
});

test("without a load balancer nothing asks", () => {
  const { topology } = stackOf("mvp");
  expect(topology.servers.map((server) => edgeHealthOf(topology, server))).toEqual([undefined]);
});
