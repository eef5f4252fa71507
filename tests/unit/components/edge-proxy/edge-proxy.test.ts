/** The proxy: exactly what it asks the engine for, in a preview and in an update. */
import { EdgeProxy, type EdgeProxyArgs } from "../../../../components/edge-proxy/edge-proxy.ts";
import { nginxConfig } from "../../../../components/edge-proxy/nginx-config.ts";
import { edgeRules, plainEdge } from "../../support/edge.ts";
import { compose, type Recorded } from "../../support/compose.ts";
import { httpProbe } from "../../../../components/runtime/docker/health.ts";
import {
  containerOf,
  expendable,
  foldersOf,
  known,
  modes,
  named,
  runtimeOf,
  serviceOf,
} from "../../support/runtime.ts";

describe.each(modes)("EdgeProxy in mode %s", (mode) => {
  const edge = (more: Partial<EdgeProxyArgs> = {}) =>
    compose(mode, () => {
      const service = serviceOf("edge", { published: [{ address: "127.0.0.1", port: 8080, containerPort: 8080 }] });
      return new EdgeProxy("edge", {
        runtime: runtimeOf("nginx"),
        service,
        ...{ app: "app-1a2b", instances: ["app-1a2b-1", "app-1a2b-2"], anyVersion: "app" },
        appPort: 9000,
        ...edgeRules,
        ...more,
      });
    });

  test("nginx with its whole configuration", async () => {
    const { resources } = await edge();
    expect(named(resources, "edge-nginx").inputs).toEqual({
      ...containerOf({ mode, kind: "edge", image: "nginx", stopSeconds: 35, probe: httpProbe(8082, "/edge-health") }),
      command: [...expendable, "nginx", "-c", "/etc/orion/edge/current/nginx.conf", "-g", "daemon off;"],
      networksAdvanced: [{ name: "orion-test-network-edge", aliases: ["edge"] }],
      ports: [{ ip: "127.0.0.1", external: 8080, internal: 8080, protocol: "tcp" }],
      volumes: [
        { volumeName: "orion-test-edge-files", containerPath: "/etc/orion/edge", readOnly: true },
        ...foldersOf("/tmp"),
      ],
    });
    expect(named(resources, "edge-nginx").options.dependencies).toContain("orion:index:LiveFiles edge-config");
  });

  test("its files are handed to it while it runs, so that no change of them is one of the container", async () => {
    const { resources } = await edge({ certificate: { chain: "chain", privateKey: "key" } });
    expect(named(resources, "edge-config").inputs).toEqual({
      dockerHost: "unix:///var/run/docker.sock",
      image: known(mode, "sha256:local-image-nginx"),
      volume: "orion-test-edge-files",
      directory: "/etc/orion/edge",
      files: {
        "nginx.conf": nginxConfig({
          ...{
            ...plainEdge,
            app: { host: "app-1a2b", port: 9000, instances: ["app-1a2b-1", "app-1a2b-2"], anyVersion: "app" },
          },
          tls: { port: 8443, certificate: "edge.crt", key: "edge.key" },
        }),
        "edge.crt": "chain",
        "edge.key": { "[secret]": "key" },
      },
      check: ["nginx", "-t", "-q", "-c", "{}/nginx.conf"],
      container: "orion-test-edge",
      reload: ["nginx", "-q", "-s", "reload", "-c", "/etc/orion/edge/current/nginx.conf"],
      processes: { serving: "nginx: worker process", leaving: "nginx: worker process is shutting down" },
      settleSeconds: 1,
    });
    const container = (from: readonly Recorded[]) => named(from, "edge-nginx").inputs;
    const acme = (await edge({ certificate: "acme" })).resources;
    expect(container(acme)).toEqual(container(resources));
    const { files, folders } = named(acme, "edge-config").inputs as { files: object; folders: unknown };
    expect([Object.keys(files), folders]).toEqual([["nginx.conf"], { "/etc/orion/acme": "/var/lib/orion/acme/edge" }]);
  });
});
