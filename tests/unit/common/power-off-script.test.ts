import { powerOffScript } from "../../../common/power-off-script.ts";
import { gateway } from "../../../topology/services/gateway.ts";

test("what reaches its data through a gateway ends before the gateway", () => {
  // The release has ended by itself.
  const clients = gateway.callers.filter((kind) => kind !== "release");
  expect(powerOffScript("prod")).toContain(`for role in ${clients.join(" ")}; do`);
});

test("containers that others use are stopped by the engine's end, after those that use them", () => {
  const script = powerOffScript("prod");
  expect(script.indexOf("docker stop $users")).toBeGreaterThan(0);
  expect(script.indexOf("docker stop $users")).toBeLessThan(script.indexOf("systemctl stop docker.socket"));
});
