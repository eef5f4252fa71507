/** The gateway: exactly what it asks the engine for, in a preview and in an update. */
import { Gateway, gatewayFiles } from "../../../../components/gateway/gateway.ts";
import type { GatewayListener } from "../../../../components/gateway/haproxy-config.ts";
import { httpProbe } from "../../../../components/runtime/docker/health.ts";
import { compose } from "../../support/compose.ts";
import { containerOf, expendable, modes, named, runtimeOf, serviceOf } from "../../support/runtime.ts";

const listeners: readonly GatewayListener[] = [
  { port: "direct", check: "connection", servers: [{ name: "database", address: "10.20.1.11:5432" }] },
];

describe.each(modes)("Gateway in mode %s", (mode) => {
  const gateway = (behind = listeners) =>
    compose(mode, () => {
      const args = { runtime: runtimeOf("haproxy"), service: serviceOf("gateway"), listeners: behind };
      return new Gateway("gateway", { ...args, authority: "AUTHORITY" });
    });

  test("HAProxy without any privilege, under the name that never changes", async () => {
    const { resources } = await gateway();
    expect(named(resources, "gateway-server").inputs).toEqual({
      ...containerOf({ mode, kind: "gateway", image: "haproxy", stopSeconds: 10, probe: httpProbe(8404, "/health") }),
      command: [
        ...[...expendable, "haproxy", "-W", "-db", "-S", "127.0.0.1:9998"],
        ...["-f", "/etc/orion-gateway/current/haproxy.cfg"],
      ],
      networksAdvanced: [{ name: "orion-test-network", aliases: ["gateway", "gateway"] }],
      volumes: [{ volumeName: "orion-test-gateway-files", containerPath: "/etc/orion-gateway", readOnly: true }],
    });
  });

  test("other servers behind it change its live files, and not its container", async () => {
    const others = [
      { port: "direct", check: "connection", servers: [{ name: "replica-1", address: "10.20.1.22:5432" }] },
    ] as const;
    const before = await gateway();
    const after = await gateway(others);
    expect(named(after.resources, "gateway-server").inputs).toEqual(named(before.resources, "gateway-server").inputs);
    expect(named(after.resources, "gateway-config").inputs).toMatchObject({
      files: { ...gatewayFiles(others), "ca.crt": "AUTHORITY" },
      reload: ["bash", "/etc/orion-gateway/current/reload"],
    });
  });
});
