import { join } from "node:path";
import { isRecord } from "../../../common/record.ts";
import { Store } from "../../../rehearsal/store.ts";
import { temporaryFolder } from "../../../testing/folder.ts";

interface Objects {
  fruit: { readonly name: string; readonly colours?: readonly string[]; readonly eaten?: boolean | undefined };
  "other.fruit": { readonly name: string };
}

const folder = temporaryFolder("store");

let count = 0;
let store: Store<Objects>;
const path = () => join(folder, `${count}.sqlite`);
beforeEach(() => {
  count++;
  store = new Store<Objects>(path());
});
afterEach(() => {
  store.close();
});
function restart(): void {
  store.close();
  store = new Store<Objects>(path());
}

test("what was written is read, also after a restart, oldest first", () => {
  store.put("fruit", 1, { name: "pear" });
  store.put("fruit", "x", { name: "plum", colours: ["blue"] });
  store.put("other.fruit", 1, { name: "nut" });
  store.put("fruit", 2, { name: "fig" });
  store.put("fruit", 1, { name: "ripe pear" });
  store.delete("fruit", 2);
  store.put("fruit", 2, { name: "new fig" });
  const check = () => {
    expect(store.list("fruit").map(({ name }) => name)).toEqual(["ripe pear", "plum", "new fig"]);
    expect(store.get("fruit", "x")).toEqual({ name: "plum", colours: ["blue"] });
    expect([store.get("fruit", 3), store.count("fruit"), store.count("other.fruit")]).toEqual([undefined, 3, 1]);
  };
  check();
  restart();
  check();
});

test("a value is the same before and after a restart, whatever becomes of the one that was given", () => {
  const given = { name: "pear", colours: ["green"], eaten: undefined };
  store.put("fruit", 1, given);
  given.colours.push("yellow");
  const before = store.get("fruit", 1);
  expect(Object.keys(before ?? {})).toEqual(["name", "colours"]);
  restart();
  expect(store.get("fruit", 1)).toStrictEqual(before);
  expect(before?.colours).toEqual(["green"]);
});

test("what is read cannot be changed, but a list is the reader's", () => {
  store.put("fruit", 1, { name: "pear", colours: ["green"] });
  for (const read of [() => store.get("fruit", 1), () => store.list("fruit")[0]]) {
    expect(() => Object.assign(read() ?? {}, { name: "plum" })).toThrow(TypeError);
    expect(() => Object.assign(read()?.colours ?? [], ["blue"])).toThrow(TypeError);
    restart();
  }
  store.list("fruit").pop();
  expect(store.count("fruit")).toBe(1);
});

test("a transaction that fails has done nothing", () => {
  store.put("fruit", 1, { name: "pear" });
  store.put("fruit", 2, { name: "plum" });
  expect(() =>
    store.transaction(() => {
      store.put("fruit", 1, { name: "rotten pear" });
      store.delete("fruit", 2);
      store.transaction(() => {
        store.put("other.fruit", 1, { name: "nut" });
      });
      expect(store.list("fruit")).toEqual([{ name: "rotten pear" }]);
      throw new Error("no");
    }),
  ).toThrow("no");
  const check = () => {
    expect(store.list("fruit")).toEqual([{ name: "pear" }, { name: "plum" }]);
    expect(store.count("other.fruit")).toBe(0);
  };
  check();
  restart();
  check();
});

test("no number is given out twice", () => {
  const first = [store.nextId("fruit"), store.nextId("fruit"), store.nextId("other", 100)];
  restart();
  expect([...first, store.nextId("fruit"), store.nextId("other", 100)]).toEqual([1, 2, 100, 3, 101]);
});

test("a watcher hears of each change once, and of none that was rolled back", () => {
  const heard: string[] = [];
  store.watch(({ kind, id, before, after }) => {
    heard.push(
      `${kind} ${id}: ${[before, after].map((one) => (isRecord(one) ? String(one["name"]) : "-")).join(" > ")}`,
    );
  });
  store.put("fruit", 1, { name: "pear" });
  store.put("fruit", 1, { name: "ripe pear" });
  store.delete("fruit", 1);
  store.delete("fruit", 1);
  expect(heard.splice(0)).toEqual(["fruit 1: - > pear", "fruit 1: pear > ripe pear", "fruit 1: ripe pear > -"]);

  store.transaction(() => {
    store.put("other.fruit", 2, { name: "nut" });
    store.transaction(() => {
      store.put("fruit", 2, { name: "fig" });
    });
    expect(heard).toEqual([]);
  });
  expect(heard.splice(0)).toEqual(["other.fruit 2: - > nut", "fruit 2: - > fig"]);
  expect(() =>
    store.transaction(() => {
      store.delete("fruit", 2);
      throw new Error("no");
    }),
  ).toThrow("no");
  expect(heard).toEqual([]);
  store.put("fruit", 3, { name: "plum" });
  expect(heard).toEqual(["fruit 3: - > plum"]);
});
