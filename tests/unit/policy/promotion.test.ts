/** A replica in the place of a primary whose server is lost: what of it an update does, and what no update may do. */
import { moveBetween } from "../../../policy/dangers.ts";
import { keyOf } from "../../../policy/graph.ts";
import { outlineOf } from "../../../policy/outline.ts";
import type { Stack } from "../../../policy/program.ts";
import { sharedGraph } from "../support/graphs.ts";
import { brokenRules } from "../../../policy/rules.ts";
import { graphOf, stateSchema } from "../../../policy/state.ts";
import type { Phase } from "../../../config/schema.ts";
import { withoutServer } from "../../../tools/promotion/forget-server.ts";
import { type Deployment, resourceSchema } from "../../../tools/state.ts";
import { named } from "../support/runtime.ts";
import { graphsBetween, stackOf, stateOf, titles } from "./support.ts";

const scale = stackOf("scale");
const withDatabase = (database: object, phase: Phase = "scale"): Stack => stackOf(phase, { database });
const promoted = withDatabase({ primary: "db-2" });

const deploymentOf = async (stack: Stack): Promise<Deployment> => ({
  resources: (await stateOf(stack)).resources?.map((one) => resourceSchema.parse(one)) ?? [],
  pending_operations: [],
});
const parsed = (deployment: Deployment) => graphOf(stateSchema.parse(deployment));

test("a primary that is moved in the file alone is refused, once, with the command that does it", async () => {
  const { findings } = moveBetween(graphOf(await stateOf(scale)), await sharedGraph(promoted, "known"));
  expect(findings.filter(({ severity }) => severity === "refused")).toEqual([
    {
      severity: "refused",
      name: "core-1",
      happens: "has the primary; orion:database.primary names db-2, and an update alone cannot move the primary",
      instead:
        "leave orion:database.primary at core-1; if core-1 is lost, make promote-replica promotes the replica and sets it",
    },
  ]);
});

test("nor does it go back by an edit, nor in a phase that is compared by its plan", async () => {
  const back = await graphsBetween(promoted, scale);
  expect(titles(moveBetween(back.before, back.after))).toContain("refused db-2");
  const later = await graphsBetween(scale, withDatabase({ primary: "db-2" }, "ha"));
  expect(titles(moveBetween(later.before, later.after))).toContain("refused core-1");
});

test("the stack with it keeps every rule, and its outline has the same that holds data", async () => {
  const { after } = await graphsBetween(promoted, promoted);
  expect(brokenRules(after)).toEqual([]);
  const composed = new Map(after.resources.map((one) => [keyOf(one), one.inputs]));
  for (const { type, name, inputs } of outlineOf(promoted.topology, promoted.settings).resources) {
    if (!/server:Server|volume:Volume|randomPassword/.test(type)) continue;
    expect([name, composed.get(`${type} ${name}`)]).toEqual([name, expect.objectContaining(inputs)]);
  }
});

describe("the state without the lost server", () => {
  test("has nothing of it, and nothing that refers to it", async () => {
    const before = await deploymentOf(scale);
    const { deployment, left } = withoutServer(before, "core-1");
    const names = deployment.resources.map(({ urn }) => urn.split("::").pop());
    expect(
      names.filter((name) => /^(core-1|database-server|(cache|broker)-(server|data)|release-)/.test(name ?? "")),
    ).toEqual([]);
    expect(left.map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
      ...["primary-ip orion-prod-core-1", "server orion-prod-core-1", "volume orion-prod-core-1"],
    ]);
    const urns = new Set(deployment.resources.map(({ urn }) => urn));
    const gone = before.resources.filter(({ urn }) => !urns.has(urn)).map(({ urn }) => urn);
    expect(gone).toHaveLength(53);
    const text = JSON.stringify(deployment);
    expect(gone.filter((urn) => text.includes(`"${urn}"`) || text.includes(`"${urn}::`))).toEqual([]);
  });

  test("is not taken for that of a stack whose clients get another database or broker", async () => {
    const state = parsed(withoutServer(await deploymentOf(scale), "core-1").deployment);
    expect(state).toMatchObject({ databaseMode: "provision", cacheMode: "provision" });
  });

  test("is brought to the new primary without a finding; its container and the password are what they were", async () => {
    const { deployment } = withoutServer(await deploymentOf(scale), "core-1");
    const { changes, findings } = moveBetween(parsed(deployment), await sharedGraph(promoted, "known"));
    expect(findings.filter(({ severity }) => severity !== "danger")).toEqual([]);
    const changed = changes.filter(({ action }) => action !== "create").map(({ resource }) => resource.name);
    expect(changed).not.toContain("replica-1-server");
    expect(changed).not.toContain("database-password");
    expect(changes.find(({ resource }) => resource.name === "db-2-server")).toMatchObject({
      action: "update",
      inputs: ["labels"],
    });
    const created = changes.filter(({ action }) => action === "create").map(({ resource }) => resource.name);
    expect(created).toEqual(
      expect.arrayContaining(["cache-server", "broker-server", "db-3-server", "replica-2-server"]),
    );
  });

  test("also the second time, when the promoted one is lost", async () => {
    const { deployment } = withoutServer(await deploymentOf(promoted), "db-2");
    const move = moveBetween(parsed(deployment), await sharedGraph(withDatabase({ primary: "db-3" }), "known"));
    expect(move.findings.filter(({ severity }) => severity !== "danger")).toEqual([]);
    const changed = move.changes.filter(({ action }) => action !== "create").map(({ resource }) => resource.name);
    expect(changed).not.toContain("replica-2-server");
    expect(changed).not.toContain("database-password");
  });
});

test("all clients write to it through their gateways, its new replica follows it, and it registers at no primary", async () => {
  const { before, after } = await graphsBetween(scale, promoted);
  // Its files change, and not the containers that connect through it.
  for (const name of ["app-nbg1-1-1", "worker-nbg1-1-default", "gateway-app-nbg1-1-server"])
    expect(named(after.resources, name).inputs).toEqual(named(before.resources, name).inputs);
  const files = JSON.stringify(named(after.resources, "gateway-app-nbg1-1-config").inputs);
  expect(files).toContain("bind :5434\\n  server replica-1 10.20.1.22:5432 tcp-ut 15s\\n");
  expect(files).toContain("server replica-2 10.20.1.23:5432 tcp-ut 15s\\n");
  expect(files).toContain("server cache 10.20.1.22:6381 ");
  expect(files).not.toContain("10.20.1.11");
  expect(JSON.stringify(named(after.resources, "replica-2-server").inputs["command"])).toContain(
    "host=10.20.1.22 port=5432",
  );
  expect(named(after.resources, "replica-2-admission")).toMatchObject({
    inputs: { container: "orion-prod-replica-1", variables: { slot: "replica_2" } },
    options: { deletedWith: "hcloud:index/server:Server db-2-server" },
  });
  expect(after.resources.filter(({ name }) => /^(replica-1-admission|database-server|core-1)/.test(name))).toEqual([]);
});
