import { Refusal } from "../../../common/hetzner.ts";
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

const typesOf = ({ servers }: StockArgs) => servers.flatMap(({ types }) => types);

test("what Hetzner has is let through", async () => {
  const args = await growth({ servers: 5 });
  const api = {
    offers: () => Promise.resolve(new Map(typesOf(args).map((type) => [type, everywhere]))),
    count: () => Promise.resolve(1),
  };
  expect(allowStock(await judgeStock(args, access, api))).toEqual([]);
});

test("what it has not is refused before anything is made", async () => {
  const api = { offers: () => Promise.resolve(new Map<string, Set<string>>()), count: () => Promise.resolve(3) };
  const findings = await judgeStock(await growth({ servers: 5 }), access, api);
  expect(() => allowStock(findings)).toThrow(
    /^Hetzner cannot give what this update needs; nothing was changed:\n {2}db-2 would be created.*\n[^]* {2}servers would be 7/,
  );
});

test("an update that adds nothing asks nobody", async () => {
  const args = { ...(await growth({ servers: 1 })), servers: [], changes: [] };
  const refuse = () => Promise.reject(new Error("nobody may be asked"));
  expect(await judgeStock(args, access, { offers: refuse, count: refuse })).toEqual([]);
});

test.each([new Refusal("unauthorized", "unable to authenticate"), new TypeError("fetch failed")])(
  "without an answer the update goes on, and says so: %s",
  async (error) => {
    const refuse = () => Promise.reject(error);
    const notes = allowStock(await judgeStock(await growth(), access, { offers: refuse, count: refuse }));
    expect(notes).toEqual([expect.stringMatching(/^Note: Hetzner did not say whether it has the servers/)]);
  },
);
