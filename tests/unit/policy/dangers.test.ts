/** What the guard says of single changes, on the program's own graph. */
import { moveBetween } from "../../../policy/dangers.ts";
import type { Graph, Recorded } from "../../../policy/graph.ts";
import { types } from "../../../policy/stateful.ts";
import { sharedGraph } from "../support/graphs.ts";
import { publicKey } from "../support/settings.ts";
import { graphsBetween, moveOfMvp, stackOf, titles } from "./support.ts";

test("a new version of the application is no danger", async () => {
  const move = await moveOfMvp({ app: { image: "example.com/app:1" } }, { app: { image: "example.com/app:2" } });
  expect(titles(move)).toEqual([]);
  // The image's id is known to its provider alone: that it is another one follows from the reference.
  expect(move.changes.filter(({ action }) => action === "replace").map(({ resource }) => resource.name)).toEqual(
    expect.arrayContaining(["app-core-1-1", "app-core-1-2", "core-1-image-app", "workers-beat"]),
  );
  expect(move.changes.map(({ resource }) => resource.name)).not.toContain("database-server");
});

test("less memory restarts the database: it says so, and what for", async () => {
  const { findings } = await moveOfMvp({}, { database: { memoryMb: 2048 } });
  expect(findings).toEqual([
    {
      severity: "danger",
      name: "database-server",
      happens: "would be restarted because command changes, shmSize changes from 768 to 512",
    },
  ]);
});

test("another server type switches the server off", async () => {
  const { findings } = await moveOfMvp({}, { database: { servers: ["ccx13"], memoryMb: 3072 } });
  expect(findings).toEqual([
    {
      severity: "danger",
      name: "core-1-server",
      happens: "would be powered off, and on again with another type: serverType changes from cpx32 to ccx13",
    },
  ]);
});

test.each([
  ["another location", {}, { hetzner: { locations: ["hel1"] } }, ["core-1-ip", "core-1-volume"]],
  [
    "another bucket",
    {},
    { storage: { bucket: "other" } },
    ["storage-archive-bucket", "storage-backups-bucket", "storage-files-bucket"],
  ],
  [
    "another account",
    {},
    { cloudflare: { accountId: "1".repeat(32) } },
    ["storage-archive-bucket", "storage-backups-bucket", "storage-files-bucket"],
  ],
  ["a smaller Volume", { database: { volumeGb: 50 } }, { database: { volumeGb: 49 } }, ["core-1-volume"]],
  ["another major version", {}, { images: { postgres: "postgres:16-bookworm" } }, ["database-server"]],
  ["another host name", {}, { domain: "shop.example.com" }, ["orion.example.com"]],
  ["another zone", {}, { domain: "orion.example.org" }, ["orion.example.com"]],
])("%s is refused, with what to do instead", async (_what, before, after, names) => {
  const { findings } = await moveOfMvp(before, after);
  const refused = findings.filter(({ severity }) => severity === "refused");
  expect(refused.map(({ name }) => name).sort()).toEqual(names);
  expect(refused.filter(({ instead }) => !instead)).toEqual([]);
});

test("a server that would move is told its location, which may have been the default of an earlier version", async () => {
  const { findings } = await moveOfMvp({ hetzner: { locations: ["fsn1"] } }, {});
  const [refused] = findings.filter(({ name }) => name === "core-1-volume");
  expect(refused?.happens).toContain("location changes from fsn1 to nbg1");
  expect(refused?.instead).toMatch(/^set orion:hetzner\.locations so that core-1 stays in fsn1 /);
});

test.each([
  [0, 2, 1],
  [3, 1, 4],
])("a rotation from %i to %i, which would lock running processes out, is refused", async (was, is, instead) => {
  const { findings } = await moveOfMvp({ database: { rotation: was } }, { database: { rotation: is } });
  expect(titles({ findings })).toEqual(["refused database-roles-app-password"]);
  expect(findings[0]?.happens).toContain(`orion:database.rotation changes from ${was} to ${is}`);
  expect(findings[0]?.instead).toBe(`raise orion:database.rotation by one: set it to ${instead}`);
});

test("a rotation by one, or to the app's other role at all, is none", async () => {
  for (const is of [1, 3]) {
    const move = await moveOfMvp({}, { database: { rotation: is } });
    expect(titles(move)).toEqual([]);
    expect(move.changes.map(({ action, resource }) => `${action} ${resource.name}`)).toContain(
      "replace database-roles-app-password",
    );
  }
});

test("keys of operators come and go without a word: servers follow, and none is replaced", async () => {
  const admin = (...sshPublicKeys: string[]) => ({ admin: { cidrs: ["203.0.113.0/24"], sshPublicKeys } });
  const [one, other] = [publicKey("someone"), publicKey("someone else")];
  for (const [before, after] of [
    [[one], [one, other]],
    [[one, other], [other]],
    [[one], [other]],
  ] as const) {
    const { changes, findings } = await moveOfMvp(admin(...before), admin(...after));
    expect(findings).toEqual([]);
    const seen = changes.map(({ action, resource }) => `${action} ${resource.type.split(":").pop() ?? ""}`);
    expect(new Set(seen.filter((each) => !each.endsWith("SshKey")))).toEqual(new Set(["update SshAccess"]));
  }
});

test("a bigger Volume and a newer minor version are not", async () => {
  const move = await moveOfMvp({}, { database: { volumeGb: 100 }, images: { postgres: "postgres:15.9-bookworm" } });
  expect(titles(move)).toEqual(["danger database-server"]);
});

test("a resource without protection may be deleted, but is reported as a loss", async () => {
  const other = { storage: { bucket: "other" } };
  const released = await moveOfMvp({ protection: false }, { protection: false, ...other });
  expect(titles(released)).toEqual([
    ...["loss storage-archive-bucket", "loss storage-backups-bucket", "loss storage-files-bucket"],
  ]);
});

test("removing the protection of a resource at Hetzner is reported", async () => {
  const { findings } = await moveOfMvp({}, { protection: false });
  expect(findings.map(({ name, happens }) => `${name} ${happens}`)).toContain(
    "core-1-volume would no longer be protected",
  );
});

test("leaving the cache out keeps its data", async () => {
  const graphs = await graphsBetween(
    stackOf("development", { services: ["cache"] }),
    stackOf("development", { services: ["docs"] }),
  );
  expect(titles(moveBetween(graphs.before, graphs.after))).toContain("danger cache-data");
});

describe("a change of the program itself", () => {
  const changed = async (change: (resource: Recorded) => Recorded): Promise<string[]> => {
    const { before } = await graphsBetween(stackOf("mvp"), stackOf("mvp"));
    const after: Graph = { ...before, resources: before.resources.map(change) };
    return titles(moveBetween(before, { ...after, uses: before.uses }));
  };
  const one = (name: string, change: (resource: Recorded) => Recorded) => (resource: Recorded) =>
    resource.name === name ? change(resource) : resource;

  test("that gives the Volume's component another parent would make another Volume", async () => {
    const moved = one("core-1", (resource) =>
      resource.type === "orion:fleet:CloudServer"
        ? { ...resource, options: { parent: "orion:index:Platform orion" } }
        : resource,
    );
    expect(await changed(moved)).toEqual(
      expect.arrayContaining(["refused core-1-volume", "refused core-1-server", "refused core-1-ip"]),
    );
  });

  test("is safe when the resource says where it comes from", async () => {
    const moved = one("storage-files", (resource) => ({ ...resource, options: {} }));
    expect(await changed(moved)).toContain("refused storage-files-bucket");
    const both = (resource: Recorded): Recorded =>
      resource.name.startsWith("storage-files-")
        ? { ...resource, options: { ...resource.options, aliases: [resource.name] } }
        : moved(resource);
    expect(await changed(both)).toEqual([]);
  });

  test("that gives the database another folder would have it start without its data", async () => {
    const elsewhere = [{ source: "/mnt/other", target: "/var/lib/postgresql/data", type: "bind" }];
    const moved = one("database-server", (resource) => ({
      ...resource,
      inputs: { ...resource.inputs, mounts: elsewhere },
    }));
    expect(await changed(moved)).toEqual(["refused database-server"]);
  });

  test("that gives a data container other files than those with its data restarts it, and loses nothing", async () => {
    const volumesOf = (volumes: readonly object[]) =>
      one("broker-server", (resource) => ({ ...resource, inputs: { ...resource.inputs, volumes } }));
    const data = { volumeName: "orion-prod-broker-data", containerPath: "/data" };
    const files = { volumeName: "orion-prod-broker-files-0123", containerPath: "/etc/orion", readOnly: true };
    expect(await changed(volumesOf([data, files]))).toEqual(["danger broker-server"]);
    // As the version before had it, which put the files into the container itself.
    expect(await changed(volumesOf([data]))).toEqual(["danger broker-server"]);
    expect(await changed(volumesOf([files]))).toEqual(["refused broker-server"]);
    expect(await changed(volumesOf([{ ...data, volumeName: "another" }, files]))).toEqual(["refused broker-server"]);
  });

  test("that a state is compared with is judged by the volumes that are used, since their names are not known", async () => {
    const after = await sharedGraph(stackOf("mvp"), "known");
    const input = { volumeName: "orion-prod-broker-data", containerPath: "/data", hostPath: "", fromContainer: "" };
    const key = `${types.container} broker-server`;
    const keyOfVolume = (name: string) => `${types.dockerVolume} ${name}`;
    const [files] = after.resources.filter(({ name }) => name === "broker-files");
    if (!files) throw new Error("the broker has no volume for files");
    const formerFiles = { ...files, name: "broker-server-files" };
    const from = (volume: string, ...others: Recorded[]) => {
      const was = one("broker-server", (resource) => ({
        ...resource,
        inputs: { ...resource.inputs, volumes: [input] },
      }));
      const uses = new Map([
        ...after.uses,
        [key, { ...after.uses.get(key), volumes: [volume, ...others.map(({ name }) => name)].map(keyOfVolume) }],
      ]);
      const resources = [...after.resources.map(was), ...others];
      return titles(moveBetween({ ...after, resources, uses }, after));
    };
    // What the version before had, and a volume that the container no longer has.
    expect(from("broker-data")).toEqual(["danger broker-server"]);
    expect(from("broker-elsewhere")).toEqual(["refused broker-server"]);
    // What the program has written is no data, whether it comes back under another name or not.
    expect(from("broker-data", formerFiles)).toEqual(["danger broker-server"]);
    expect(from("broker-elsewhere", formerFiles)).toEqual(["refused broker-server"]);
  });

  test("that gives the server another private address is refused", async () => {
    const moved = one("core-1-network", (resource) =>
      resource.type === "hcloud:index/serverNetwork:ServerNetwork"
        ? { ...resource, inputs: { ...resource.inputs, ip: "10.20.1.99" } }
        : resource,
    );
    expect(await changed(moved)).toEqual(["refused core-1-network"]);
  });

  test("that replaces a password is refused", async () => {
    const longer = one("database-password", (resource) => ({
      ...resource,
      inputs: { ...resource.inputs, length: 40 },
    }));
    expect(await changed(longer)).toEqual(
      expect.arrayContaining(["refused database-password", "danger database-server"]),
    );
  });
});

describe("the end of the platform is refused, not called a danger", () => {
  /** The graph of a stack, and the same without the resources of some names or roles. */
  const without = async (isGone: (one: Recorded) => boolean, protection = true) => {
    const stack = stackOf("mvp", { protection });
    const { after: graph } = await graphsBetween(stack, stack);
    const rest: Graph = { ...graph, resources: graph.resources.filter((one) => !isGone(one)) };
    return titles(moveBetween(graph, rest));
  };
  const role = (wanted: string) => (one: Recorded) =>
    one.type === types.container &&
    JSON.stringify(one.inputs["labels"]).includes(`{"label":"role","value":"${wanted}"}`);

  test.each(["app", "edge", "worker"])("all %s containers", async (tier) => {
    expect(await without(role(tier))).toContain(`refused ${tier} containers`);
    expect(await without(role(tier), false)).toContain(`loss ${tier} containers`);
  });

  test.each([
    ["beat", "no scheduled task would be sent"],
    ["flower", "tasks would have no monitor"],
  ])("a process of Celery less is said: %s", async (process, effect) => {
    const { findings } = await moveOfMvp({}, { workers: { commands: { [process]: [] } } });
    expect(findings).toEqual([
      {
        ...{ severity: "danger", name: `${process} containers` },
        happens: `would all be deleted (there is one): ${effect}`,
        instead: `leave orion:workers.enabled true, and orion:workers.commands.${process} as it was`,
      },
    ]);
  });

  test("one instance less is none of it", async () => {
    expect(await without(({ name }) => name === "app-core-1-2")).toEqual([]);
  });

  test("the record of the host name", async () => {
    expect(await without(({ name }) => name === "hostname-orion.example.com-record")).toEqual([
      "refused hostname-orion.example.com-record",
    ]);
    expect(await without(({ name }) => name === "hostname-orion.example.com-record", false)).toEqual([
      "loss hostname-orion.example.com-record",
    ]);
  });

  test("the key that signs sessions, also in a state that does not protect it yet", async () => {
    expect(await without(({ name }) => name === "secret-key")).toEqual(["refused secret-key"]);
    const stack = stackOf("mvp");
    const { after: graph } = await graphsBetween(stack, stack);
    const old = graph.resources.map((one) => (one.name === "secret-key" ? { ...one, options: {} } : one));
    const rest = graph.resources.filter(({ name }) => name !== "secret-key");
    expect(titles(moveBetween({ ...graph, resources: old }, { ...graph, resources: rest }))).toEqual([
      "refused secret-key",
    ]);
  });
});

test("what only describes the machine of the update is no change: make diff has no token, the update had one", async () => {
  const { before, after } = await graphsBetween(stackOf("mvp"), stackOf("mvp"));
  const access = { endpoint: "https://api.example.com", token: "token" };
  const withAccess = {
    ...before,
    resources: before.resources.map((one) =>
      /:(ServerType|OriginPullsReady)$/.test(one.type) ? { ...one, inputs: { ...one.inputs, access } } : one,
    ),
  };
  expect(withAccess.resources.filter(({ inputs }) => inputs["access"] === access)).toHaveLength(2);
  expect(moveBetween(withAccess, after)).toEqual({ changes: [], findings: [] });
});

describe("the way back from phase enterprise", () => {
  const enterprise = (values = {}) => stackOf("enterprise", values);
  const findingsBetween = async (from: ReturnType<typeof stackOf>, to: ReturnType<typeof stackOf>) => {
    const { before, after } = await graphsBetween(from, to);
    return moveBetween(before, after).findings;
  };

  test("the data of a replica goes with its server, and stays on one that stays", async () => {
    const happens = (await findingsBetween(enterprise(), stackOf("scale", { database: { volumeGb: 100 } })))
      .filter(({ name }) => name === "broker-replica-cache-2-data")
      .map((one) => `${one.severity}: ${one.happens}`);
    expect(happens).toEqual(["danger: would be deleted with cache-2: a copy of data that the core server keeps"]);
    const withoutCelery = await findingsBetween(enterprise(), enterprise({ workers: { enabled: false } }));
    expect(withoutCelery.find(({ name }) => name === "broker-replica-cache-2-data")?.happens).toBe(
      "would leave the stack, but the data of a container is kept",
    );
  });

  test("what keeps the archive is said by its own setting", async () => {
    const findings = await findingsBetween(enterprise(), enterprise({ backups: { pointInTime: false } }));
    const refused = findings.filter(({ severity }) => severity === "refused");
    expect(refused.map(({ name }) => name)).toEqual(["storage-archive-bucket", "archive-key"]);
    for (const { instead } of refused) {
      expect(instead).toMatch(/^keep orion:backups\.pointInTime true; to give it up for good/);
    }
  });

  test("a stack without protection is not told to switch it off", async () => {
    const open = enterprise({ protection: false });
    const findings = await findingsBetween(open, stackOf("mvp", { protection: false, database: { volumeGb: 100 } }));
    expect(findings.filter(({ severity }) => severity === "loss").map(({ name, instead }) => [name, instead])).toEqual(
      ["db-2-ip", "db-2-server", "db-2-volume"].map((name) => [name, "keep db-2 (orion:database.availability)"]),
    );
  });
});
