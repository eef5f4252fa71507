/** The instances of the app: exactly what they ask the engine for, in a preview and in an update. */
import type * as pulumi from "@pulumi/pulumi";
import { AppTier } from "../../../../components/app-tier/app-tier.ts";
import { compose } from "../../support/compose.ts";
import { appProbe, whileItStarts } from "../../../../components/runtime/docker/health.ts";
import {
  containerOf,
  expendable,
  foldersOf,
  healthOf,
  modes,
  named,
  runtimeOf,
  serviceOf,
} from "../../support/runtime.ts";

const contract = {
  ...{ module: "shop.main:application", port: 8000, healthPath: "/healthz", readyPath: "/ready" },
  release: { migrate: [], initialise: [] },
} as const;
const instance = (changes = {}) => ({ ...serviceOf("app", changes), ...contract });
const environment = { DATABASE_URL: "postgresql://database" };
/** The value of an output, as it goes to the engine. */
const valueOf = (output: pulumi.Output<string> | undefined): Promise<string> =>
  new Promise((resolve) => {
    output?.apply(resolve);
  });

describe.each(modes)("AppTier in mode %s", (mode) => {
  const tier = (instances: number, sideBySide = false) =>
    compose(mode, () => {
      const services = Array.from({ length: instances }, (_, n) => instance({ name: `app-${n + 1}` }));
      const args = { runtime: runtimeOf("app"), services, environment, uvicornWorkers: 4, writable: ["/app/cache"] };
      return new AppTier("app", { ...args, sideBySide, uploads: "orion-test-uploads" });
    });

  test("a container for each instance, all under one name", async () => {
    const { resources, result } = await tier(2);
    const [alias, own] =
      mode === "preview"
        ? ["[unknown]", "[unknown]"]
        : [await valueOf(result.alias), await valueOf(result.instanceHosts[1])];
    expect(own).toBe(mode === "preview" ? "[unknown]" : `${alias}-2`);
    expect(named(resources, "app-2").inputs).toEqual({
      ...containerOf({
        mode,
        kind: "app",
        name: "app-2",
        image: "app",
        stopSeconds: 35,
        probe: whileItStarts(appProbe(8000, "/healthz")),
      }),
      command: [
        ...expendable,
        ...[
          "uvicorn",
          "shop.main:application",
          "--host",
          "0.0.0.0",
          "--port",
          "8000",
          "--workers",
          "4",
          "--proxy-headers",
        ],
        ...["--forwarded-allow-ips", "*", "--timeout-graceful-shutdown", "30", "--timeout-keep-alive", "75"],
        ...["--ws-ping-interval", "20"],
      ],
      envs: ["DATABASE_URL=postgresql://database", "INSTANCE_NAME=app-2"],
      networksAdvanced: [
        { name: "orion-test-network", aliases: ["app-2", alias, own, "app"] },
        { name: "orion-test-network-edge", aliases: ["app-2", alias, own, "app"] },
      ],
      volumes: [
        { volumeName: "orion-test-uploads", containerPath: "/app/uploads" },
        ...foldersOf("/tmp", "/app/run", "/app/cache"),
      ],
    });
  });

  test("another version has another name, which is no secret", async () => {
    const networks = async (uvicornWorkers: number) => {
      const { resources } = await compose(mode, () => {
        const args = { runtime: runtimeOf("app"), services: [instance()], environment, writable: [] };
        return new AppTier("app", { ...args, uvicornWorkers, sideBySide: true });
      });
      return named(resources, "app").inputs["networksAdvanced"];
    };
    const versions = [await networks(1), await networks(2)];
    expect(JSON.stringify(versions[0]) === JSON.stringify(versions[1])).toBe(mode === "preview");
    expect(JSON.stringify(versions)).not.toContain("[secret]");
  });

  test("another port and another user are another version; with the defaults nothing is", async () => {
    const versionOf = async (port: number, user?: string) => {
      const { resources, result } = await compose(mode, () => {
        const services = [{ ...instance(), port }];
        const args = { runtime: runtimeOf("app"), services, environment, uvicornWorkers: 1, writable: [] };
        return new AppTier("app", { ...args, sideBySide: true, ...(user !== undefined && { user }) });
      });
      return {
        inputs: named(resources, "app").inputs,
        alias: mode === "up" ? await valueOf(result.alias) : `${port} ${user ?? ""}`,
      };
    };
    const [usual, other, owned] = [await versionOf(8000), await versionOf(9000), await versionOf(8000, "1000:1000")];
    expect(other.inputs).toMatchObject({
      command: expect.arrayContaining(["--port", "9000"]) as unknown,
      healthcheck: healthOf(whileItStarts(appProbe(9000, "/healthz"))),
    });
    expect([usual, owned].map(({ inputs }) => inputs["user"])).toEqual([undefined, "1000:1000"]);
    expect(new Set([usual, other, owned].map(({ alias }) => alias)).size).toBe(3);
  });

  test("side by side, a new one has a name of its own and comes before the old one goes", async () => {
    const { inputs, options } = named((await tier(1, true)).resources, "app-1");
    expect(inputs["name"]).toBeUndefined();
    expect(options.deleteBeforeReplace).toBe(false);
  });

  test("every container gets time to stop, and is replaced when its start failed", async () => {
    const { resources } = await tier(1);
    expect(named(resources, "app-1").options).toEqual({
      parent: "orion:app:AppTier app",
      provider: "pulumi:providers:docker local-docker",
      dependencies: [
        "docker:index/network:Network local-network",
        "docker:index/network:Network local-network-edge",
        "docker:index/remoteImage:RemoteImage local-image-app",
      ],
      aliases: ["app-app-1"],
      deleteBeforeReplace: true,
      replaceOnChanges: ["healthcheck", "init", "tmpfs", "#initerror"],
    });
  });
});
