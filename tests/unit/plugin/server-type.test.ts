/** The type of a server: which one it gets, what it keeps, and how it gets another. */
import { type Hetzner, Refusal } from "../../../common/hetzner.ts";
import { OrionProvider } from "../../../plugin/provider.ts";
import { chooseType, changeServerType, hasOtherType, type ServerTypeInputs } from "../../../plugin/server-type.ts";
import { type Answer, runBy } from "../support/process.ts";

const inputs: ServerTypeInputs = {
  ...{ server: "orion-prod-app-1", location: "nbg1", types: ["cpx22", "cx23"], stack: "prod" },
  ...{ ssh: { folder: "/ssh" }, access: { endpoint: "http://127.0.0.1/v1", token: "token" } },
};

interface World {
  /** The server's type; undefined when there is no server. */
  type: string | undefined;
  status: string;
  /** What Hetzner says that it has. */
  offered: string[];
  /** What it has. */
  stock: string[];
  /** GB of the server's disk. */
  diskGb: number;
  /** What was asked for that changes something, in order. */
  done: string[];
  /** How often Hetzner's list of types was asked for. */
  lists: number;
}

/** Of Hetzner's types. */
const facts = new Map([
  ...(["cpx22", "cx33"] as const).map((type) => [type, { diskGb: 80, architecture: "x86" }] as const),
  ["cx23", { diskGb: 40, architecture: "x86" }],
  ["cpx32", { diskGb: 160, architecture: "x86" }],
  ["cax31", { diskGb: 160, architecture: "arm" }],
]);

/** Hetzner and a server of it that does as it should; what is different is said. */
function worldOf(more: Partial<World> = {}, script: (text: string) => Answer = () => ({})) {
  const world: World = {
    ...{ type: "cpx22", status: "running", offered: ["cpx22", "cx23"], stock: ["cpx22", "cx23", "cpx32"], done: [] },
    ...{ diskGb: 80, lists: 0 },
    ...more,
  };
  const locationsOf = (type: string) => new Set(world.offered.includes(type) ? [inputs.location] : []);
  const api: Pick<Hetzner, "server" | "serverTypes" | "act"> = {
    server: () =>
      Promise.resolve(
        world.type === undefined
          ? undefined
          : {
              ...{ id: 7, status: world.status, labels: {}, type: world.type, address: "192.0.2.7" },
              ...{ diskGb: world.diskGb, architecture: "x86" },
            },
      ),
    serverTypes: () => {
      world.lists++;
      return Promise.resolve(new Map([...facts].map(([type, of]) => [type, { ...of, locations: locationsOf(type) }])));
    },
    act: (_id, command, body) => {
      const { server_type: wanted } = (body ?? {}) as { server_type?: string };
      world.done.push(wanted === undefined ? command : `${command} ${wanted}`);
      if (command === "shutdown") world.status = "off";
      if (command === "poweron") world.status = "running";
      if (wanted === undefined) return Promise.resolve();
      if (!world.stock.includes(wanted)) return Promise.reject(new Refusal("resource_unavailable", "there is none"));
      world.type = wanted;
      return Promise.resolve();
    },
  };
  const run = runBy(({ input }) => {
    if (world.status === "off") return { code: 255, output: "no route to host" };
    const text = typeof input === "string" ? input : "";
    if (text.includes("systemctl stop docker")) world.done.push("leave");
    return script(text);
  });
  return { world, dependencies: { run, api: () => api, pause: () => Promise.resolve() } };
}

describe("the choice", () => {
  const choose = (more: Partial<World>, before?: string, values: Partial<ServerTypeInputs> = {}) =>
    chooseType({ ...inputs, ...values }, before, worldOf(more).dependencies);

  test("is the first that Hetzner has, for a server that is not there yet", async () => {
    expect(await choose({ type: undefined })).toBe("cpx22");
    expect(await choose({ type: undefined, offered: ["cx23"] })).toBe("cx23");
  });

  test("is the first where Hetzner reports all as sold out, since that is only a hint", async () => {
    expect(await choose({ type: undefined, offered: [] })).toBe("cpx22");
  });

  test("stays what the server has, whatever can be had now, as long as it is in the list", async () => {
    expect(await choose({ type: "cx23" })).toBe("cx23");
    expect(await choose({ type: "cx23", offered: [] }, "cpx22")).toBe("cx23");
    expect(await choose({ type: "cx23" }, "cx23", { types: ["cpx32", "cpx42"] })).toBe("cpx32");
  });

  test("is none that an existing server cannot get", async () => {
    const offered = ["cx23", "cpx32"];
    expect(await choose({ type: "cx33", offered }, "cx33", { types: ["cx23", "cpx32"] })).toBe("cpx32");
    expect(await choose({ type: undefined, offered }, "cx33", { types: ["cx23", "cpx32"] })).toBe("cx23");
    const { world, dependencies } = worldOf({ type: "cx33", offered });
    await chooseType({ ...inputs, types: ["cx23", "cpx32"] }, "cx33", dependencies);
    expect(world.lists).toBe(1);
  });

  test("is chosen again as long as there is no server", async () => {
    expect(await choose({ type: undefined, offered: ["cx23"] }, "cpx22")).toBe("cx23");
  });

  test("needs no Hetzner where there is nothing to choose, or none that answers", async () => {
    const dependencies = {
      run: () => Promise.reject(new Error("it runs nothing")),
      api: () => {
        throw new Error("it asks nobody");
      },
    };
    expect(await chooseType({ ...inputs, types: ["cpx32"] }, undefined, dependencies)).toBe("cpx32");
    expect(await chooseType(inputs, undefined, dependencies)).toBe("cpx22");
    expect(await chooseType(inputs, "cx23", dependencies)).toBe("cx23");
  });
});

describe("another type", () => {
  const give = (
    dependencies: ReturnType<typeof worldOf>["dependencies"],
    type: string,
    before?: string,
    types = [type],
  ) =>
    changeServerType(
      { ...inputs, type, types },
      before === undefined ? undefined : { ...inputs, type: before },
      dependencies,
    );

  test("is nothing for a server that is made with it, or has it", async () => {
    const absent = worldOf({ type: undefined });
    expect(await give(absent.dependencies, "cpx22")).toBe("cpx22");
    const present = worldOf();
    expect(await give(present.dependencies, "cpx22", "cpx22")).toBe("cpx22");
    expect([...absent.world.done, ...present.world.done]).toEqual([]);
  });

  test("is given to a server that has left before, and is switched on and waited for after", async () => {
    let asked = 0;
    const { world, dependencies } = worldOf({}, (text) => {
      if (text.includes("systemctl stop docker")) return { code: 0, output: "" };
      asked++;
      return asked < 4 ? { code: 1, output: "app-1: Up 2 seconds (health: starting)" } : { code: 0, output: "" };
    });
    expect(await give(dependencies, "cpx32", "cpx22")).toBe("cpx32");
    expect(world.done).toEqual(["leave", "shutdown", "change_type cpx32", "poweron"]);
    // Three times not yet, and then as often as it takes a load balancer to notice.
    expect(asked).toBe(3 + 8);
  });

  test("is the next of the list where Hetzner has none of the first", async () => {
    const { world, dependencies } = worldOf({ stock: ["cx33"] });
    expect(await give(dependencies, "cpx32", "cpx22", ["cpx32", "cx33"])).toBe("cx33");
    expect(world.done).toEqual(["leave", "shutdown", "change_type cpx32", "change_type cx33", "poweron"]);
  });

  test("that is too small for the server's disk is passed over, and the server is not powered off when all are", async () => {
    const { world, dependencies } = worldOf({ type: "cpx32", diskGb: 80 });
    expect(await give(dependencies, "cx23", "cpx32", ["cx23", "cpx22"])).toBe("cpx22");
    expect(world.done).toEqual(["leave", "shutdown", "change_type cpx22", "poweron"]);
    const large = worldOf({ type: "cpx32", diskGb: 160 });
    await expect(give(large.dependencies, "cpx22", "cpx32", ["cpx22", "cx23", "cax31"])).rejects.toThrow(
      /orion-prod-app-1 keeps its type cpx32: its disk has 160 GB and cannot shrink, and none of cpx22, cx23, cax31 has as much for x86\./,
    );
    expect(large.world).toMatchObject({ status: "running", done: [] });
    const interrupted = worldOf({ type: "cpx32", diskGb: 160, status: "off" });
    await expect(give(interrupted.dependencies, "cpx22", "cpx32")).rejects.toThrow(/keeps its type cpx32/);
    expect(interrupted.world).toMatchObject({ status: "running", done: ["poweron"] });
  });

  test("that cannot be had leaves the server up as it was, and fails", async () => {
    const { world, dependencies } = worldOf({ stock: [] });
    await expect(give(dependencies, "cpx32", "cpx22")).rejects.toThrow(
      /orion-prod-app-1 runs again with its old type cpx22: Hetzner has none of cpx32 available in nbg1\./,
    );
    expect(world).toMatchObject({ type: "cpx22", status: "running" });
  });

  test("is not given to a server that cannot end its work", async () => {
    const { world, dependencies } = worldOf({}, () => ({ code: 1, output: "no docker" }));
    await expect(give(dependencies, "cpx32", "cpx22")).rejects.toThrow(/was not powered off.*no docker/s);
    expect(world).toMatchObject({ type: "cpx22", status: "running" });
  });

  test("continues after a killed update: powered off, or with the new type and not running", async () => {
    const off = worldOf({ status: "off" });
    expect(await give(off.dependencies, "cpx32", "cpx22")).toBe("cpx32");
    expect(off.world.done).toEqual(["change_type cpx32", "poweron"]);
    const changed = worldOf({ type: "cpx32", status: "off" });
    expect(await give(changed.dependencies, "cpx32", "cpx22")).toBe("cpx32");
    expect(changed.world.done).toEqual(["poweron"]);
  });

  test("that a server has without a word of it in the state is noticed", async () => {
    expect(await hasOtherType({ ...inputs, type: "cpx22" }, worldOf({ type: "cx23" }).dependencies)).toBe(true);
    expect(await hasOtherType({ ...inputs, type: "cpx22" }, worldOf().dependencies)).toBe(false);
    expect(await hasOtherType({ ...inputs, type: "cpx22" }, worldOf({ type: undefined }).dependencies)).toBe(false);
  });
});

describe("the plugin's resource", () => {
  const urn = "urn:pulumi:prod::orion::orion:fleet:CloudServer$orion:index:ServerType::app-1-type";
  const provider = new OrionProvider(() => Promise.reject(new Error("it runs nothing")));
  const { server, location, types, stack, ssh } = inputs;
  const alone = { server, location, types, stack, ssh };

  test("notes the choice among the inputs, and keeps it as long as the list has it", async () => {
    expect((await provider.check(urn, {}, alone)).inputs).toEqual({ ...alone, type: "cpx22" });
    const noted = { ...alone, type: "cx23" };
    expect((await provider.check(urn, noted, alone)).inputs).toEqual(noted);
    expect((await provider.check(urn, noted, { ...alone, types: ["cpx32", "cpx42"] })).inputs).toMatchObject({
      type: "cpx32",
    });
  });

  test("has nothing to do when this machine's files are elsewhere", async () => {
    const noted = { ...alone, type: "cpx22" };
    expect((await provider.diff("", urn, noted, { ...noted, ssh: { folder: "/other" } })).changes).toBe(false);
    expect((await provider.diff("", urn, noted, { ...noted, types: ["cpx22"] })).changes).toBe(true);
  });
});
