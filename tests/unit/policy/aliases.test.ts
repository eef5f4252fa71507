/** Resources that have another type, name or parent than before: the same to the engine, so the same to the comparison. */
import * as pulumi from "@pulumi/pulumi";
import { withAliases } from "../../../components/aliases.ts";
import { changesBetween } from "../../../policy/changes.ts";
import { compose } from "../../../policy/compose.ts";
import type { Graph } from "../../../policy/graph.ts";

class Component extends pulumi.ComponentResource {
  constructor(type: string, name: string, former: string | undefined, parent?: pulumi.Resource) {
    const opts = parent ? { parent } : {};
    super(type, name, {}, former === undefined ? opts : withAliases(opts, { type: former }));
  }
}
class Named extends pulumi.ComponentResource {
  constructor(name: string, opts: pulumi.ComponentResourceOptions) {
    super("orion:index:Named", name, {}, opts);
  }
}
class Custom extends pulumi.CustomResource {
  declare readonly out: pulumi.Output<string>;
  constructor(type: string, name: string, inputs: pulumi.Inputs, opts: pulumi.CustomResourceOptions) {
    super(type, name, { out: undefined, ...inputs }, opts);
  }
}

/** A wait, and a record that uses what the wait returns, below two components. */
function graph(types: { wait: string; outer: string; inner: string }, renames: boolean, route = "a"): Promise<Graph> {
  return compose("compare", () => {
    const outer = new Component(types.outer, "outer", renames ? "orion:host:Outer" : undefined);
    const inner = new Component(types.inner, "inner", renames ? "orion:edge:Inner" : undefined, outer);
    const opts = { parent: inner };
    const wait = new Custom(
      types.wait,
      renames ? "balancer-ready" : "balancer-answers",
      { route },
      renames ? withAliases(opts, { type: "orion:index:Answers", name: "balancer-answers" }) : opts,
    );
    new Custom("cloudflare:index/dnsRecord:DnsRecord", "record", { content: wait.out }, opts);
  });
}
const old = { wait: "orion:index:Answers", outer: "orion:host:Outer", inner: "orion:edge:Inner" };
const today = { wait: "orion:index:HttpsReady", outer: "orion:fleet:Outer", inner: "orion:ingress:Inner" };

test("a resource with a new type and name below parents with new types has not changed, nor has what uses it", async () => {
  expect(changesBetween(await graph(old, false), await graph(today, true))).toEqual([]);
});

test("a change of such a resource is an update, not a replacement", async () => {
  const changes = changesBetween(await graph(old, false), await graph(today, true, "b"));
  expect(changes).toMatchObject([{ action: "update", inputs: ["route"], before: { type: "orion:index:Answers" } }]);
});

test("without the aliases everything would be deleted and created again", async () => {
  const changes = changesBetween(await graph(old, false), await graph(today, false));
  expect(changes.map(({ action }) => action).sort()).toEqual(["create", "create", "delete", "delete"]);
});

describe("a component with a new name", () => {
  /** A container that is named after its component, below another component. */
  const tier = (name: string, former: string | undefined, image = "a"): Promise<Graph> =>
    compose("compare", () => {
      const outer = new Component("orion:index:Outer", "outer", undefined);
      const opts = { parent: outer };
      const inner = new Named(name, former === undefined ? opts : withAliases(opts, { name: former }));
      new Custom("docker:index/container:Container", `${name}-server`, { image }, { parent: inner });
    });

  test("takes the resources along that are named after it, as the engine does", async () => {
    expect(changesBetween(await tier("edge", undefined), await tier("edge-core-1", "edge"))).toEqual([]);
    const changes = changesBetween(await tier("edge", undefined), await tier("edge-core-1", "edge", "b"));
    expect(changes).toMatchObject([
      {
        action: "replace",
        resource: { name: "edge-core-1-server" },
        before: { name: "edge-server" },
        forcedBy: ["image"],
      },
    ]);
  });

  test("without an alias, they are deleted and created again", async () => {
    const changes = changesBetween(await tier("edge", undefined), await tier("edge-core-1", undefined));
    expect(changes.map(({ action }) => action)).toEqual(["create", "delete"]);
  });
});

test("what is renamed is read as former type and name; former types of other packages are left out", async () => {
  const { resources } = await graph(today, true);
  const aliases = Object.fromEntries(resources.map(({ name, options }) => [name, options.aliases]));
  expect(aliases).toMatchObject({
    "balancer-ready": ["orion:index:Answers balancer-answers"],
    outer: ["orion:host:Outer outer"],
    record: undefined,
  });
});
