import { Refusal, type ServerTypes } from "../../../common/hetzner.ts";
import { allowStock, judgeStock, type StockArgs } from "../../../guard/stock.ts";
import { changesBetween } from "../../../policy/changes.ts";
import { graphsBetween, stackOf } from "../policy/support.ts";

const access = { endpoint: "http://127.0.0.1:9/v1", token: "token" };
const everywhere = new Set(["fsn1", "nbg1", "hel1"]);

async function growth(limits: StockArgs["limits"] = {}): Promise<StockArgs> {
  const [from, to] = [stackOf("mvp"), stackOf("scale")];
  const { before, after } = await graphsBetween(from, to);
  return { servers: to.topology.servers, before, changes: changesBetween(before, after), limits, agreed: [] };
}

/** Hetzner without existing servers that are changed. */
const noServers = { server: () => Promise.reject(new Error("no server may be asked for")) };

/** Hetzner's types with this disk in GB, available everywhere. */
const typesWith = (disks: Readonly<Record<string, number>>): ServerTypes =>
  new Map(
    Object.entries(disks).map(([name, diskGb]) => [name, { diskGb, architecture: "x86", locations: everywhere }]),
  );

const typesOf = ({ servers }: StockArgs) => servers.flatMap(({ types }) => types);

test("what Hetzner has is let through", async () => {
  const args = await growth({ servers: 5 });
  const api = {
    serverTypes: () => Promise.resolve(typesWith(Object.fromEntries(typesOf(args).map((type) => [type, 80])))),
    count: () => Promise.resolve(1),
    ...noServers,
  };
  expect(allowStock(await judgeStock(args, access, api), [])).toEqual([]);
});

test("what it has not is refused before anything is made", async () => {
  const serverTypes = () => Promise.resolve(typesWith({}));
  const api = { serverTypes, count: () => Promise.resolve(3), ...noServers };
  const findings = await judgeStock(await growth({ servers: 5 }), access, api);
  expect(() => allowStock(findings, [])).toThrow(
    /^Hetzner cannot give what this update needs; nothing was changed:\n {2}db-2 would be created.*\n[^]* {2}servers would be 7/,
  );
});

test("an update that adds nothing asks nobody", async () => {
  const args = { ...(await growth({ servers: 1 })), servers: [], changes: [] };
  const refuse = () => Promise.reject(new Error("nobody may be asked"));
  expect(await judgeStock(args, access, { serverTypes: refuse, count: refuse, ...noServers })).toEqual([]);
});

test.each([new Refusal("unauthorized", "unable to authenticate"), new TypeError("fetch failed")])(
  "without an answer the update goes on, and says so: %s",
  async (error) => {
    const refuse = () => Promise.reject(error);
    const findings = await judgeStock(await growth(), access, { serverTypes: refuse, count: refuse, ...noServers });
    const notes = allowStock(findings, []);
    expect(notes).toEqual([expect.stringMatching(/^Note: Hetzner did not say whether it has the servers/)]);
  },
);

describe("the way back from phase enterprise", () => {
  /** Hetzner, where the servers that are to be changed have a disk of that size. */
  const hetznerWith = (diskGb: number) => ({
    serverTypes: jest.fn(() => Promise.resolve(typesWith({ cpx22: 80, cx23: 40, cpx32: 160 }))),
    count: () => Promise.resolve(1),
    server: (name: string) =>
      Promise.resolve({
        ...{ id: name.length, status: "running", labels: {}, type: "cpx32", address: undefined },
        ...{ diskGb, architecture: "x86" },
      }),
  });

  async function wayBack(): Promise<StockArgs> {
    const [from, to] = [stackOf("enterprise"), stackOf("scale", { database: { volumeGb: 100 } })];
    const { before, after } = await graphsBetween(from, to);
    return { servers: to.topology.servers, before, changes: changesBetween(before, after), limits: {}, agreed: [] };
  }

  test("is let through for servers that were created in phase scale", async () => {
    const hetzner = hetznerWith(80);
    expect(await judgeStock(await wayBack(), access, hetzner)).toEqual([]);
    expect(hetzner.serverTypes).toHaveBeenCalledTimes(1);
  });

  test("is refused for servers that were created with a larger disk, before one is powered off", async () => {
    const findings = await judgeStock(await wayBack(), access, hetznerWith(160));
    expect(findings.map(({ name }) => name)).toEqual(["app-nbg1-1", "app-hel1-1", "worker-nbg1-1"]);
    expect(() => allowStock(findings, [])).toThrow(
      "app-nbg1-1 would be changed to another type, but its disk has 160 GB (x86), which it was created with and cannot be made " +
        "smaller: cpx22 has 80 GB (x86), cx23 has 40 GB (x86). Instead: leave cpx32 in orion:app.servers.types, or name a type " +
        "with 160 GB or more there",
    );
  });

  test("has only those types to choose from that the server can get", async () => {
    const nowhere = { diskGb: 80, architecture: "x86", locations: new Set<string>() };
    const known = new Map([...typesWith({ cx23: 40 }), ["cpx22", nowhere] as const]);
    const soldOut = { ...hetznerWith(80), serverTypes: () => Promise.resolve(known) };
    expect((await judgeStock(await wayBack(), access, soldOut))[0]?.happens).toBe(
      "would be changed to another type, but Hetzner has no cpx22 in nbg1 at the moment",
    );
  });
});
