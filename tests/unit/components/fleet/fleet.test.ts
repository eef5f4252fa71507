/** What a phase with servers stands on. */
import * as pulumi from "@pulumi/pulumi";
import type { FirstKey } from "../../../../components/fleet/cloud-init.ts";
import { CloudServer } from "../../../../components/fleet/server.ts";
import { DockerRuntime } from "../../../../components/runtime/docker/runtime.ts";
import { PrivateNetwork } from "../../../../components/fleet/private-network.ts";
import { unknown } from "../../../../policy/graph.ts";
import { planServers } from "../../../../topology/fleet.ts";
import type { Naming } from "../../../../topology/naming.ts";
import type { Server } from "../../../../topology/server.ts";
import { compose } from "../../support/compose.ts";
import { named } from "../../support/runtime.ts";
import { settingsOf } from "../../support/settings.ts";

const naming: Naming = { stack: "prod", phase: "scale" };
const labelled = (role: string) => ({ app: "orion", stack: "prod", role, phase: "scale" });

describe.each(["preview", "up"] as const)("in mode %s", (mode) => {
  test("the private network is protected here and at Hetzner", async () => {
    const { resources } = await compose(mode, () => new PrivateNetwork("private", { naming }));
    expect(named(resources, "private-network")).toEqual({
      type: "hcloud:index/network:Network",
      name: "private-network",
      inputs: {
        name: "orion-prod-network",
        ipRange: "10.20.0.0/16",
        deleteProtection: true,
        labels: labelled("network"),
      },
      options: { parent: "orion:fleet:PrivateNetwork private", protect: true },
    });
    expect(named(resources, "private-subnet").inputs).toMatchObject({
      type: "cloud",
      networkZone: "eu-central",
      ipRange: "10.20.1.0/24",
    });
  });

  const serverOf = (name: string): Server => {
    const found = planServers(settingsOf("scale")).find((server) => server.name === name);
    if (!found) throw new Error(`the plan has no server ${name}`);
    return found;
  };
  const ssh = { folder: "~/.orion/ssh" };
  const userData = ({ privateKey }: FirstKey) => privateKey;
  const composeServer = (name: string) =>
    compose(mode, () => {
      const args = { naming, ssh, server: serverOf(name), subnetId: "1-10.20.1.0/24", placementGroupId: 5 };
      return new CloudServer(name, {
        ...{ ...args, sshKeyIds: ["7"], firewallIds: [9], image: "debian-12", userData },
      });
    });

  test("a server that keeps data is protected, and no setting that replaces it is looked at again", async () => {
    const { resources } = await composeServer("core-1");
    const { inputs, options } = named(resources, "core-1-server");
    expect(inputs).toMatchObject({
      name: "orion-prod-core-1",
      serverType: "cpx32",
      image: "debian-12",
      location: "nbg1",
      userData: mode === "up" ? { "[secret]": "key-core-1-first-host-key" } : { "[secret]": unknown },
      keepDisk: true,
      deleteProtection: true,
      rebuildProtection: true,
      placementGroupId: 5,
      firewallIds: [9],
      sshKeys: ["7"],
      labels: labelled("core"),
    });
    expect(options).toMatchObject({
      protect: true,
      ignoreChanges: ["image", "userData", "sshKeys", "location", "firewallIds", "serverType"],
      deleteBeforeReplace: true,
    });
    expect(named(resources, "core-1-type").inputs).toEqual({
      ...{ server: "orion-prod-core-1", stack: "prod", location: "nbg1", types: ["cpx32", "cx33"], ssh },
    });
    expect(named(resources, "core-1-volume")).toMatchObject({
      inputs: { name: "orion-prod-core-1", size: 20, format: "ext4", deleteProtection: true },
      options: { protect: true, retainOnDelete: true },
    });
    expect(named(resources, "core-1-network").inputs).toMatchObject({ ip: "10.20.1.11" });
    expect(named(resources, "core-1-ip").options).toMatchObject({ protect: true });
  });

  test("a server without data has no Volume and may go", async () => {
    const { resources } = await composeServer("app-nbg1-1");
    expect(resources.map(({ name }) => name)).not.toContain("app-nbg1-1-volume");
    for (const name of ["app-nbg1-1-server", "app-nbg1-1-ip"])
      expect(named(resources, name).options.protect).toBeUndefined();
    expect(named(resources, "app-nbg1-1-network").options.deletedWith).toBe(
      "hcloud:index/server:Server app-nbg1-1-server",
    );
  });

  test("images of a private registry are fetched with a login, whose password is a secret", async () => {
    const login = { registry: "ghcr.io", user: "orion", password: pulumi.secret("hush") };
    const { resources } = await compose(
      mode,
      () => new DockerRuntime("local", { naming, dockerHost: "unix:///var/run/docker.sock", images: new Map(), login }),
    );
    expect(named(resources, "local-docker").inputs).toMatchObject({
      registryAuth: { "[secret]": JSON.stringify([{ address: "ghcr.io", username: "orion", password: "hush" }]) },
    });
  });

  test("resources on a server are deleted with it", async () => {
    const { resources } = await compose(mode, () => {
      const args = { naming, ssh, server: serverOf("app-nbg1-1"), subnetId: "1-10.20.1.0/24", placementGroupId: 5 };
      const cloud = new CloudServer("app-nbg1-1", {
        ...args,
        sshKeyIds: [],
        firewallIds: [],
        image: "debian-12",
        userData,
      });
      return new DockerRuntime("app-nbg1-1", {
        naming,
        dockerHost: "ssh://root@192.0.2.10",
        sshOptions: ["-o", "ControlMaster=auto"],
        images: new Map([["nginx", "nginx:1-bookworm"]]),
        mtu: 1450,
        server: cloud.server,
      });
    });
    expect(named(resources, "app-nbg1-1-docker").inputs).toMatchObject({ host: "ssh://root@192.0.2.10" });
    expect(named(resources, "app-nbg1-1-image-nginx")).toMatchObject({
      inputs: { name: "nginx:1-bookworm", keepLocally: true },
      options: { deletedWith: "hcloud:index/server:Server app-nbg1-1-server" },
    });
  });
});
